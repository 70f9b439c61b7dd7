/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Training end to end on a tiny random backbone: it learns a rule, it is
 * deterministic, and a run stopped anywhere ends in the same bits as one that
 * was not.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "learn/trainer.h"
#include "policy/store.h"

#define ROWS 160
#define CUT 120

/* How set_up() opens the backbone. */
static struct {
	enum matrix_type precision;
	bool checkpoint_activations;
} opening;

struct fixture {
	struct pool pool;
	struct policy_config config;
	struct policy_net net;
	struct dataset dataset;
	struct trainer *trainer;
};

/* One feature in [0, 1000): above 700 drop, below 100 mark. */
static void pool_make(struct pool *pool)
{
	struct rng rng;

	rng_seed(&rng, 21);
	pool_init(pool);
	pool->features = 2;
	strcpy(pool->columns[0].name, "queue_type");
	strcpy(pool->columns[1].name, "current_queue_delay");
	for (int row = 0; row < ROWS; row++) {
		const double x = floor(1000 * rng_uniform(&rng));
		const double state[2] = {(double)(row % 2), x};
		const int32_t action = x > 700 ? POOL_DROP : x < 100 ? POOL_MARK : POOL_ENQUEUE;

		assert_int_equal(pool_append(pool, state, action, x / 1000, row == 70), 0);
	}
}

static struct trainer_options options_make(void)
{
	return (struct trainer_options){
		.learner = {.adamw = adamw_defaults,
			    .schedule = {.peak_rate = 3e-3, .decay = SCHEDULE_COSINE},
			    .accumulate = 2,
			    .clip = 1},
		.epochs = 4,
		.warmup_share = 0.1,
		.batch = 3,
		.windows = {.steps = 6, .stride = 1, .intervals = {1, 3}, .interval_count = 2},
		.windows_per_epoch = 40,
		.event_share = 0.5,
		.weights = TRAINER_WEIGHTS_sqrt,
		.unweight = true,
		.true_returns = 0.5,
		.seed = 9,
		.checkpoint_s = 1e9,
		.held_out = {.window = 6, .stride = 2, .interval = 1},
	};
}

/* The backbone of the next fixture: GPT-2, or T5 as the released code runs it. */
static bool use_t5;

/* Every measure against overfitting at once. */
static struct trainer_options options_augmented(void)
{
	struct trainer_options options = options_make();

	options.augment = (struct augment_options){
		.offset = 0.1, .noise = 0.1, .mask = 0.1, .queue = 0.2, .shift = 5};
	return options;
}

/* `spoil`: NULL, or what is done to the pool before anything else sees it. */
static void set_up_with(struct fixture *f, const struct trainer_options *options,
			const char *folder, void (*spoil)(struct pool *pool))
{
	const struct dataset_fit fit = {.scaling = -1, .gamma = -1};
	const struct lora_options lora = {.rank = 2, .alpha = 4, .dropout = 0.1};
	struct error error = {0};
	struct rng rng;

	memset(f, 0, sizeof(*f));
	rng_seed(&rng, 1);
	pool_make(&f->pool);
	if (spoil)
		spoil(&f->pool);
	test_file_write("config.json", use_t5 ? TINY_T5 : TINY_GPT2);
	assert_int_equal(dataset_fit_config(&f->config, &f->pool, CUT, &fit, &error), 0);
	f->config.compat = use_t5;
	f->config.window = 6;
	f->config.keep = 3;
	f->config.backbone.random = true;
	f->config.backbone.precision = opening.precision;
	strcpy(f->config.backbone.reference, test_folder);
	assert_int_equal(policy_store_new(&f->net, &f->config, NULL, &error), 0);
	policy_net_init(&f->net, &rng);
	backbone_checkpoint_activations(f->net.backbone, opening.checkpoint_activations);
	assert_int_equal(backbone_lora_new(f->net.backbone, &lora, &rng, &error), 0);
	assert_int_equal(policy_net_collect(&f->net, &error), 0);
	assert_int_equal(dataset_new(&f->dataset, &f->pool, CUT, &f->config, &error), 0);
	assert_int_equal(trainer_new(&f->trainer, options, &f->net, &f->config, &f->dataset, CUT,
				     folder, "a run", &error),
			 0);
}

static void set_up(struct fixture *f, const struct trainer_options *options, const char *folder)
{
	set_up_with(f, options, folder, NULL);
}

static void tear_down(struct fixture *f)
{
	trainer_free(f->trainer);
	dataset_free(&f->dataset);
	policy_net_free(&f->net);
	pool_free(&f->pool);
}

static bool countdown(void *context)
{
	int *left = context;

	return (*left)-- == 0;
}

static int run(struct fixture *f, int *stop_after)
{
	const struct trainer_observer observer = {.context = stop_after,
						  .stop = stop_after ? countdown : NULL};
	struct error error = {0};

	return trainer_run(f->trainer, &observer, &error);
}

static void it_learns(void **state)
{
	struct trainer_options options = options_make();
	const struct trainer_epoch *history;
	struct fixture f;
	size_t count;

	(void)state;
	options.epochs = 25;
	options.learner.schedule.peak_rate = 1e-2;
	set_up(&f, &options, NULL);
	assert_int_equal(run(&f, NULL), 0);
	count = trainer_history(f.trainer, &history);
	assert_int_equal(count, 25);
	if (!(history[count - 1].held_out_balanced_accuracy > 0.8))
		fail_msg("balanced accuracy %g", history[count - 1].held_out_balanced_accuracy);
	assert_true(history[count - 1].train_loss < 0.5 * history[0].train_loss);
	tear_down(&f);
}

static void patience_ends_a_run(void **state)
{
	struct trainer_options options = options_make();
	const struct trainer_epoch *history;
	struct fixture f;

	(void)state;
	options.epochs = 50;
	options.patience = 2;
	options.learner.schedule.peak_rate = 0;
	set_up(&f, &options, NULL);
	assert_int_equal(run(&f, NULL), 0);
	assert_int_equal(trainer_history(f.trainer, &history), 3);
	assert_true(history[0].best == 1 && history[1].best == 0);
	tear_down(&f);
}

static void assert_same_file(const char *a, const char *b, const char *name)
{
	char path[2][300], *text[2];
	size_t size[2];

	snprintf(path[0], sizeof(path[0]), "%s/%s", a, name);
	snprintf(path[1], sizeof(path[1]), "%s/%s", b, name);
	for (int i = 0; i < 2; i++)
		assert_int_equal(file_read_all(path[i], &text[i], &size[i], NULL), 0);
	assert_int_equal(size[0], size[1]);
	assert_memory_equal(text[0], text[1], size[0]);
	free(text[0]);
	free(text[1]);
}

static void assert_same_params(const struct fixture *a, const struct fixture *b)
{
	for (size_t i = 0; i < a->net.count; i++)
		assert_memory_equal(a->net.params[i].value, b->net.params[i].value,
				    (size_t)a->net.params[i].count * sizeof(float));
}

/* Stopped after every so many optimizer steps, each time continued by a new process's worth of
 * state. */
static void resumed_check(void)
{
	const struct trainer_options options = options_augmented();
	struct fixture whole, part;
	char a[200], b[200];

	snprintf(a, sizeof(a), "%s/a", test_folder);
	snprintf(b, sizeof(b), "%s/b", test_folder);
	set_up(&whole, &options, a);
	assert_int_equal(run(&whole, NULL), 0);
	for (int stops = 0;; stops++) {
		int left = 2 + stops % 3, status;
		struct error error = {0};

		set_up(&part, &options, b);
		if (stops)
			assert_int_equal(trainer_resume(part.trainer, &error), 0);
		status = run(&part, &left);
		if (status == 0)
			break;
		assert_int_equal(status, ERR_INTERRUPTED);
		assert_true(stops < 50);
		tear_down(&part);
	}
	assert_same_params(&whole, &part);
	assert_same_file(a, b, "policy.json");
	assert_same_file(a, b, "policy.safetensors");
	assert_same_file(a, b, "adapter_model.safetensors");
	tear_down(&whole);
	tear_down(&part);
}

static void resumed_is_the_same_bits(void **state)
{
	(void)state;
	resumed_check();
	opening.checkpoint_activations = true;
	opening.precision = MATRIX_BF16;
	resumed_check();
	opening.precision = MATRIX_INT4;
	resumed_check();
	memset(&opening, 0, sizeof(opening));
}

/* Layers that run again change no bit of a whole run. */
static void checkpoints_change_nothing(void **state)
{
	const struct trainer_options options = options_augmented();
	struct fixture kept, again;

	(void)state;
	set_up(&kept, &options, NULL);
	assert_int_equal(run(&kept, NULL), 0);
	opening.checkpoint_activations = true;
	set_up(&again, &options, NULL);
	assert_int_equal(run(&again, NULL), 0);
	opening.checkpoint_activations = false;
	assert_same_params(&kept, &again);
	tear_down(&kept);
	tear_down(&again);
}

/* Figures of an epoch that do not depend on what is learned. */
static void epochs_say_what_they_used(void **state)
{
	struct trainer_options options = options_make();
	const struct trainer_epoch *history;
	struct fixture f;
	double reward = 0;

	(void)state;
	options.windows = (struct dataset_window_options){
		.steps = 6, .stride = 6, .intervals = {1}, .interval_count = 1, .cross = true};
	options.windows_per_epoch = 0;
	set_up(&f, &options, NULL);
	assert_int_equal(run(&f, NULL), 0);
	assert_int_equal(trainer_history(f.trainer, &history), options.epochs);
	for (int row = 0; row < CUT; row++)
		reward += f.pool.reward[row] / CUT;
	for (size_t i = 0; i < options.epochs; i++) {
		assert_true(fabs(history[i].train_reward - reward) < 1e-9);
		assert_true(history[i].cpu_s > 0 && history[i].seconds > 0);
		assert_true(history[i].cpu_share > 0 && history[i].cpu_share < 1.05);
		assert_true(history[i].peak_mb > 1);
		assert_true(isnan(history[i].joules) || history[i].joules >= 0);
	}
	tear_down(&f);
}

/* Other numbers, actions, rewards and episodes in every held-out row. */
static void spoil_held_out(struct pool *pool)
{
	for (size_t row = CUT; row < ROWS; row++) {
		pool->state[row * 2 + 1] = 1e6 - pool->state[row * 2 + 1];
		pool->action[row] = (pool->action[row] + 1) % POOL_ACTIONS;
		pool->reward[row] = 1e6;
		pool->done[row] = row % 3 == 0;
	}
}

/* Scalings, returns, class weights, windows, augmentation: nothing knows of a held-out row. */
static void held_out_rows_change_nothing(void **state)
{
	const struct trainer_options options = options_augmented();
	struct fixture plain, spoilt;

	(void)state;
	set_up(&plain, &options, NULL);
	set_up_with(&spoilt, &options, NULL, spoil_held_out);
	assert_int_equal(run(&plain, NULL), 0);
	assert_int_equal(run(&spoilt, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_memory_equal(&plain.config.feature[i].scaling,
				    &spoilt.config.feature[i].scaling, sizeof(struct scaling));
	assert_memory_equal(&plain.config.returns, &spoilt.config.returns, sizeof(struct scaling));
	assert_true(plain.config.target_return == spoilt.config.target_return);
	assert_same_params(&plain, &spoilt);
	tear_down(&plain);
	tear_down(&spoilt);
}

static void another_run_is_not_resumed(void **state)
{
	struct trainer_options options = options_make();
	struct error error = {0};
	struct fixture f;
	char folder[200];

	(void)state;
	snprintf(folder, sizeof(folder), "%s/other", test_folder);
	options.epochs = 1;
	set_up(&f, &options, folder);
	assert_int_equal(trainer_resume(f.trainer, &error), ERR_NOT_FOUND);
	assert_int_equal(run(&f, NULL), 0);
	tear_down(&f);
	options.epochs = 2;
	set_up(&f, &options, folder);
	assert_int_equal(trainer_resume(f.trainer, &error), ERR_INVALID);
	assert_string_equal(error.field, "trainer.history");
	tear_down(&f);
}

/* Held-out loss of the policy in `folder`. */
static double loss_of_folder(struct fixture *f, const struct trainer_options *options,
			     const char *folder)
{
	struct metrics metrics = {0};
	struct policy_config config;
	struct error error = {0};
	struct policy_net net;

	assert_int_equal(policy_store_open(&net, &config, folder, &error), 0);
	f->dataset.config = &config;
	assert_int_equal(predictor_run(&net, &f->dataset, CUT, ROWS, &options->held_out, &metrics,
				       NULL, NULL, &error),
			 0);
	f->dataset.config = &f->config;
	policy_net_free(&net);
	return metrics_summarise(&metrics).log_loss;
}

/* What was kept, opened again, predicts what the history says: of the best epoch, or of the last.
 */
static void kept_policy_is_what_was_measured(void **state)
{
	for (int last = 0; last < 2; last++) {
		struct trainer_options options = options_make();
		const struct trainer_epoch *history;
		double best = INFINITY, final;
		struct fixture f;
		char folder[200];
		size_t count;

		(void)state;
		options.keep_last = last;
		snprintf(folder, sizeof(folder), "%s/kept%d", test_folder, last);
		/* held-out rows with other actions: the better it learns, the worse it does */
		set_up_with(&f, &options, folder, spoil_held_out);
		assert_int_equal(run(&f, NULL), 0);
		count = trainer_history(f.trainer, &history);
		for (size_t i = 0; i < count; i++)
			best = fmin(best, history[i].held_out_log_loss);
		final = history[count - 1].held_out_log_loss;
		assert_true(final > best + 1e-3);
		assert_true(fabs(loss_of_folder(&f, &options, folder) - (last ? final : best)) <
			    1e-6);
		tear_down(&f);
	}
}

/* Rows scored with any stride see only their past: the first of an episode sees nothing. */
static void strides_agree_where_contexts_do(void **state)
{
	const struct trainer_options options = options_make();
	struct predictor_options p = options.held_out;
	struct metrics one = {0}, two = {0};
	struct error error = {0};
	struct fixture f;

	(void)state;
	set_up(&f, &options, NULL);
	p.stride = 1;
	assert_int_equal(predictor_run(&f.net, &f.dataset, 71, 77, &p, &one, NULL, NULL, &error),
			 0);
	p.stride = 6;
	assert_int_equal(predictor_run(&f.net, &f.dataset, 71, 77, &p, &two, NULL, NULL, &error),
			 0);
	assert_int_equal(metrics_summarise(&one).rows, 6);
	assert_true(fabs(one.nll_sum - two.nll_sum) < 1e-4);
	p.stride = 7;
	assert_int_equal(predictor_run(&f.net, &f.dataset, 71, 77, &p, &two, NULL, NULL, &error),
			 ERR_RANGE);
	tear_down(&f);
}

static void keep_probability(void *context, size_t row, const double probability[POOL_ACTIONS])
{
	double *kept = context;

	(void)row;
	memcpy(kept, probability, POOL_ACTIONS * sizeof(double));
}

/* One that sees both ways does not get to see the answer, nor what was done after it. */
static void answers_are_hidden_from_who_would_read_them(void **state)
{
	const struct trainer_options options = options_make();
	struct metrics metrics = {0};
	double before[POOL_ACTIONS], after[POOL_ACTIONS];
	struct error error = {0};
	struct fixture f;

	(void)state;
	use_t5 = true;
	set_up(&f, &options, NULL);
	use_t5 = false;
	for (int change = 0; change < 2; change++) {
		if (change)
			for (size_t row = 80; row < 86; row++)
				f.dataset.labels[row] = (f.dataset.labels[row] + 1) % POOL_ACTIONS;
		assert_int_equal(predictor_run(&f.net, &f.dataset, 80, 81, &options.held_out,
					       &metrics, keep_probability, change ? after : before,
					       &error),
				 0);
	}
	assert_memory_equal(before, after, sizeof(before));
	f.dataset.labels[79] = (f.dataset.labels[79] + 1) % POOL_ACTIONS;
	assert_int_equal(predictor_run(&f.net, &f.dataset, 80, 81, &options.held_out, &metrics,
				       keep_probability, after, &error),
			 0);
	assert_memory_not_equal(before, after, sizeof(before)); /* the past it does see */
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_learns),
		cmocka_unit_test(patience_ends_a_run),
		cmocka_unit_test(resumed_is_the_same_bits),
		cmocka_unit_test(checkpoints_change_nothing),
		cmocka_unit_test(epochs_say_what_they_used),
		cmocka_unit_test(held_out_rows_change_nothing),
		cmocka_unit_test(another_run_is_not_resumed),
		cmocka_unit_test(kept_policy_is_what_was_measured),
		cmocka_unit_test(answers_are_hidden_from_who_would_read_them),
		cmocka_unit_test(strides_agree_where_contexts_do),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
