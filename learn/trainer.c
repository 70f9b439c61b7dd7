/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The training run.
 *
 * An epoch draws its windows, goes through them in micro-batches, and ends
 * with the held-out rows.  Weights that favour rare actions distort the
 * probabilities that are learned: with weight w(a) the optimum is
 * p(a | x) w(a) up to a constant (Elkan 2001).  Subtracting ln w(a) from the
 * head's bias takes it out exactly; `unweight` does so in what is measured and
 * kept, never in what is trained.
 *
 * All state lies in `struct run_state` and a few arrays whose sizes are known
 * from the options; state_fields() lists them, and that list is the
 * checkpoint.  Checkpoints are only taken between optimizer steps, when the
 * gradients are zero.
 */
#include "learn/trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/parallel.h"
#include "learn/checkpoint.h"
#include "learn/energy.h"
#include "learn/spread.h"
#include "learn/usage.h"
#include "policy/store.h"

#define SAMPLE_S 30 /* between looks at counters that run round */
#define EPOCH_COLUMNS (sizeof(struct trainer_epoch) / sizeof(double))

/* What a run depends on beside parameters, moments, order and history. */
struct run_state {
	uint64_t epoch;	   /* finished */
	uint64_t position; /* windows done of the current epoch's order */
	uint64_t epoch_steps, stale, finished;
	uint64_t batches; /* micro-batches so far: each has its own dropout generator */
	struct rng order_rng, dropout_rng, returns_rng, augment_rng;
	struct metrics metrics;
	double loss_sum, loss_windows, norm_sum, rate, best_loss;
	double reward_sum, reward_rows;
	double seconds, cpu_s, joules; /* of the current epoch */
};

struct trainer {
	struct trainer_options options;
	struct policy_net *net;
	struct policy_config *config;
	const struct dataset *dataset;
	size_t cut;
	char directory[4000], checkpoint[4096];
	char *fingerprint;
	struct learner learner;
	struct dataset_windows windows;
	size_t order_count;
	struct dataset_window *order;
	struct trainer_epoch *history; /* (epochs) */
	double class_weight[POOL_ACTIONS];
	struct run_state state;
	struct spread spread;
	struct energy energy;
	struct usage since; /* when the figures of the epoch were last brought up to date */
	double joules_since, sampled_s;
	/* One micro-batch */
	float *states, *returns, *actions, *weights, *logits;
	int32_t *timesteps, *labels;
};

static const char *const weights_names[TRAINER_WEIGHTS] = {
#define TRAINER_WEIGHTS_NAME(name) [TRAINER_WEIGHTS_##name] = #name,
	TRAINER_WEIGHTS_TABLE(TRAINER_WEIGHTS_NAME)
#undef TRAINER_WEIGHTS_NAME
};

const char *trainer_weights_name(enum trainer_weights weights)
{
	return weights_names[weights];
}

int trainer_weights_find(const char *name)
{
	for (int i = 0; i < TRAINER_WEIGHTS; i++)
		if (strcmp(name, weights_names[i]) == 0)
			return i;
	return -1;
}

/* Weights that average 1 over the training rows; an action that never occurs weighs 1. */
static void weigh_classes(struct trainer *trainer)
{
	double count[POOL_ACTIONS] = {0}, sum = 0;

	for (size_t row = 0; row < trainer->cut; row++)
		count[trainer->dataset->labels[row]]++;
	for (int c = 0; c < POOL_ACTIONS; c++) {
		double w = 1;

		if (count[c] > 0 && trainer->options.weights == TRAINER_WEIGHTS_balanced)
			w = 1 / count[c];
		if (count[c] > 0 && trainer->options.weights == TRAINER_WEIGHTS_sqrt)
			w = 1 / sqrt(count[c]);
		trainer->class_weight[c] = w;
		sum += w * count[c];
	}
	for (int c = 0; c < POOL_ACTIONS; c++)
		trainer->class_weight[c] =
			count[c] > 0 ? trainer->class_weight[c] * (double)trainer->cut / sum : 1;
}

static int allocate(struct trainer *trainer, struct error *error)
{
	const size_t steps = (size_t)(trainer->options.batch * trainer->options.windows.steps);

	trainer->order = calloc(trainer->order_count, sizeof(*trainer->order));
	trainer->history = calloc(trainer->options.epochs + 1, sizeof(*trainer->history));
	trainer->states = calloc(steps * (size_t)trainer->dataset->features, sizeof(float));
	trainer->returns = calloc(steps, sizeof(float));
	trainer->actions = calloc(steps, sizeof(float));
	trainer->weights = calloc(steps, sizeof(float));
	trainer->logits = calloc(steps * POOL_ACTIONS, sizeof(float));
	trainer->timesteps = calloc(steps, sizeof(int32_t));
	trainer->labels = calloc(steps, sizeof(int32_t));
	if (trainer->order && trainer->history && trainer->states && trainer->returns &&
	    trainer->actions && trainer->weights && trainer->logits && trainer->timesteps &&
	    trainer->labels)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "a micro-batch of %zu steps", steps);
}

static uint64_t steps_per_epoch(const struct trainer *trainer)
{
	const uint64_t per_step =
		(uint64_t)trainer->options.batch * trainer->options.learner.accumulate;

	return (trainer->order_count + per_step - 1) / per_step;
}

static void plan(struct trainer *trainer)
{
	struct schedule *schedule = &trainer->options.learner.schedule;
	const size_t most = trainer->options.windows_per_epoch;
	struct rng root;

	trainer->order_count =
		most && most < trainer->windows.count ? most : trainer->windows.count;
	schedule->total_steps = trainer->options.epochs * steps_per_epoch(trainer);
	if (schedule->warmup_steps == 0)
		schedule->warmup_steps =
			(uint64_t)(trainer->options.warmup_share * (double)schedule->total_steps);
	rng_seed(&root, trainer->options.seed);
	trainer->state.order_rng = rng_split(&root, 1);
	trainer->state.dropout_rng = rng_split(&root, 2);
	trainer->state.returns_rng = rng_split(&root, 3);
	trainer->state.augment_rng = rng_split(&root, 4);
	trainer->state.best_loss = INFINITY;
}

static int name_files(struct trainer *trainer, const char *directory, const char *fingerprint,
		      struct error *error)
{
	int status;

	trainer->fingerprint = strdup(fingerprint);
	if (!trainer->fingerprint)
		return error_set(error, ERR_NO_MEMORY, "a fingerprint");
	if (!directory)
		return 0;
	if (strlen(directory) >= sizeof(trainer->directory))
		return error_at(error, ERR_RANGE, directory, 0, NULL,
				"name of the folder too long");
	strcpy(trainer->directory, directory);
	status = file_make_folders(directory, error);
	return status ? status
		      : file_join(trainer->checkpoint, sizeof(trainer->checkpoint), directory,
				  TRAINER_CHECKPOINT, error);
}

int trainer_new(struct trainer **out, const struct trainer_options *options, struct policy_net *net,
		struct policy_config *config, const struct dataset *dataset, size_t cut,
		const char *directory, const char *fingerprint, struct error *error)
{
	struct trainer *trainer = calloc(1, sizeof(*trainer));
	int status;

	if (!trainer)
		return error_set(error, ERR_NO_MEMORY, "a trainer");
	trainer->options = *options;
	trainer->net = net;
	trainer->config = config;
	trainer->dataset = dataset;
	trainer->cut = cut;
	energy_open(&trainer->energy, ENERGY_POWERCAP);
	status = name_files(trainer, directory, fingerprint, error);
	if (!status)
		status = dataset_windows_new(&trainer->windows, dataset, 0, cut, &options->windows,
					     error);
	if (!status) {
		plan(trainer);
		weigh_classes(trainer);
		status = allocate(trainer, error);
	}
	if (!status)
		status = spread_open(&trainer->spread, &options->ranks, options->batch,
				     options->windows.steps * POOL_ACTIONS, error);
	if (!status)
		status = learner_init(&trainer->learner, &trainer->options.learner, net, error);
	if (status)
		trainer_free(trainer);
	else
		*out = trainer;
	return status;
}

void trainer_free(struct trainer *trainer)
{
	if (!trainer)
		return;
	learner_free(&trainer->learner);
	energy_close(&trainer->energy);
	spread_close(&trainer->spread);
	dataset_windows_free(&trainer->windows);
	free(trainer->fingerprint);
	free(trainer->order);
	free(trainer->history);
	free(trainer->states);
	free(trainer->returns);
	free(trainer->actions);
	free(trainer->weights);
	free(trainer->logits);
	free(trainer->timesteps);
	free(trainer->labels);
	free(trainer);
}

size_t trainer_history(const struct trainer *trainer, const struct trainer_epoch **history)
{
	*history = trainer->history;
	return trainer->state.epoch;
}

struct trainer_size trainer_size(const struct trainer *trainer)
{
	return (struct trainer_size){
		.windows = trainer->windows.count,
		.epoch_windows = trainer->order_count,
		.steps = trainer->options.learner.schedule.total_steps,
	};
}

int trainer_footprint(struct trainer *trainer, struct footprint *footprint, struct error *error)
{
	const bool scores = trainer->cut < trainer->dataset->rows;

	return footprint_predict(footprint, &trainer->learner, trainer->options.batch,
				 trainer->windows.steps, scores ? PREDICTOR_BATCH : 0, error);
}

/* ---- checkpoint ---- */

#define FIXED_FIELDS 6

static struct checkpoint_field *state_fields(struct trainer *trainer, size_t *count)
{
	const struct policy_net *net = trainer->net;
	struct checkpoint_field *fields = calloc(FIXED_FIELDS + net->count, sizeof(*fields));
	size_t n = 0;

	if (!fields)
		return NULL;
	fields[n++] = (struct checkpoint_field){"trainer.state", SAFETENSORS_U8,
						sizeof(trainer->state), &trainer->state};
	fields[n++] = (struct checkpoint_field){"trainer.order", SAFETENSORS_I32,
						(int64_t)trainer->order_count * 3, trainer->order};
	fields[n++] = (struct checkpoint_field){"trainer.history", SAFETENSORS_F64,
						(int64_t)(trainer->options.epochs * EPOCH_COLUMNS),
						trainer->history};
	fields[n++] = (struct checkpoint_field){"adamw.steps", SAFETENSORS_I64, 1,
						&trainer->learner.adamw.steps};
	fields[n++] = (struct checkpoint_field){"adamw.moment1", SAFETENSORS_F32,
						(int64_t)trainer->learner.adamw.elements,
						trainer->learner.adamw.moment1};
	fields[n++] = (struct checkpoint_field){"adamw.moment2", SAFETENSORS_F32,
						(int64_t)trainer->learner.adamw.elements,
						trainer->learner.adamw.moment2};
	for (size_t i = 0; i < net->count; i++)
		fields[n++] = (struct checkpoint_field){net->params[i].name, SAFETENSORS_F32,
							net->params[i].count, net->params[i].value};
	*count = n;
	return fields;
}

/* Rank 0 writes. */
static bool leads(const struct trainer *trainer)
{
	return trainer->options.ranks.rank == 0;
}

static int save_state(struct trainer *trainer, struct error *error)
{
	struct checkpoint_field *fields;
	size_t count;
	int status;

	if (!trainer->directory[0] || !leads(trainer))
		return 0;
	fields = state_fields(trainer, &count);
	if (!fields)
		return error_set(error, ERR_NO_MEMORY, "list of a checkpoint");
	status = checkpoint_save(trainer->checkpoint, fields, count, trainer->fingerprint, error);
	free(fields);
	return status;
}

int trainer_resume(struct trainer *trainer, struct error *error)
{
	struct checkpoint_field *fields;
	size_t count;
	int status;

	if (!file_exists(trainer->checkpoint))
		return error_at(error, ERR_NOT_FOUND, trainer->checkpoint, 0, NULL,
				"there is no checkpoint to resume from");
	fields = state_fields(trainer, &count);
	if (!fields)
		return error_set(error, ERR_NO_MEMORY, "list of a checkpoint");
	status = checkpoint_load(trainer->checkpoint, fields, count, trainer->fingerprint, error);
	free(fields);
	return status;
}

/* ---- one micro-batch ---- */

static double log_weight(const struct trainer *trainer, int action)
{
	return trainer->options.unweight ? log(trainer->class_weight[action]) : 0;
}

static void fill_window(struct trainer *trainer, const struct dataset_window *drawn, size_t at)
{
	const struct dataset *dataset = trainer->dataset;
	const size_t features = (size_t)dataset->features;
	const bool true_returns =
		rng_uniform(&trainer->state.returns_rng) < trainer->options.true_returns;
	struct rng *rng = &trainer->state.augment_rng;
	struct dataset_window window = *drawn;
	const size_t start = at;

	window.first =
		augment_first(&trainer->options.augment, dataset, drawn, trainer->windows.steps,
			      trainer->options.windows.cross, trainer->cut, rng);
	for (int64_t s = 0; s < trainer->windows.steps; s++, at++) {
		const size_t row = window.first + (size_t)s * window.interval;
		const int32_t label = dataset->labels[row];

		memcpy(trainer->states + at * features, dataset->states + row * features,
		       features * sizeof(float));
		trainer->returns[at] = true_returns ? dataset->returns[row] : dataset->target;
		trainer->actions[at] = policy_action_input(label);
		trainer->labels[at] = label;
		trainer->timesteps[at] = dataset_timestep(dataset, row, window.interval);
		trainer->weights[at] = window.weight * (float)trainer->class_weight[label];
		trainer->state.reward_sum += dataset->pool->reward[row];
	}
	trainer->state.reward_rows += (double)trainer->windows.steps;
	augment_window(&trainer->options.augment, dataset, &window, trainer->windows.steps, rng,
		       trainer->states + start * features, trainer->weights + start);
}

/* Adds the batch's predictions, as the kept policy would make them, to the epoch's metrics. */
static void count_batch(struct trainer *trainer, int64_t windows)
{
	for (int64_t n = 0; n < windows * trainer->windows.steps; n++) {
		double probability[POOL_ACTIONS], sum = 0;
		const float *logits = trainer->logits + n * POOL_ACTIONS;
		const float top = fmaxf(logits[0], fmaxf(logits[1], logits[2]));

		for (int c = 0; c < POOL_ACTIONS; c++) {
			probability[c] = exp((double)(logits[c] - top) - log_weight(trainer, c));
			sum += probability[c];
		}
		for (int c = 0; c < POOL_ACTIONS; c++)
			probability[c] /= sum;
		metrics_add(&trainer->state.metrics, trainer->labels[n], probability, METRICS_ALL);
	}
}

/* Forward and backward of windows [first, end) of the `windows` that are filled in. */
static int run_windows(struct trainer *trainer, int64_t first, int64_t end, int64_t windows,
		       double *loss, struct error *error)
{
	const int64_t steps = trainer->windows.steps, row = first * steps;
	const struct policy_batch batch = {
		.batch = end - first,
		.steps = steps,
		.states = trainer->states + row * trainer->dataset->features,
		.returns = trainer->returns + row,
		.actions = trainer->actions + row,
		.timesteps = trainer->timesteps + row};
	struct run_state *state = &trainer->state;
	const uint64_t ranks = (uint64_t)(trainer->options.ranks.count > 1
						  ? trainer->options.ranks.count : 1);
	struct rng dropout = rng_split(&state->dropout_rng,
				       state->batches * ranks +
					       (uint64_t)trainer->options.ranks.rank);
	double mean = 0;
	int status = 0;

	trainer->learner.share = (double)(end - first) / (double)windows;
	if (first < end)
		status = learner_accumulate(&trainer->learner, &batch, trainer->labels + row,
					    trainer->weights + row, &dropout,
					    trainer->logits + row * POOL_ACTIONS, &mean, error);
	*loss = mean * (double)(end - first);
	return status;
}

static int run_batch(struct trainer *trainer, struct error *error)
{
	struct run_state *state = &trainer->state;
	const size_t left = trainer->order_count - state->position;
	const int64_t windows =
		(int64_t)left < trainer->options.batch ? (int64_t)left : trainer->options.batch;
	int64_t first, end;
	double loss;
	int status;

	for (int64_t w = 0; w < windows; w++)
		fill_window(trainer, &trainer->order[state->position + (size_t)w],
			    (size_t)(w * trainer->windows.steps));
	spread_windows(&trainer->spread, trainer->options.ranks.rank, windows, &first, &end);
	status = run_windows(trainer, first, end, windows, &loss, error);
	status = spread_results(&trainer->spread, status, windows, trainer->logits,
				trainer->windows.steps * POOL_ACTIONS, &loss, error);
	if (status)
		return status;
	count_batch(trainer, windows);
	state->loss_sum += loss;
	state->loss_windows += (double)windows;
	state->position += (uint64_t)windows;
	state->batches++;
	return 0;
}

/* ---- the end of an epoch ---- */

/* Puts ln w into (sign -1) or takes it back out of the head's bias, bit for bit. */
static void bias_unweight(struct trainer *trainer, float keep[POOL_ACTIONS])
{
	float *bias = trainer->net->head.bias->value;

	for (int c = 0; c < POOL_ACTIONS; c++) {
		keep[c] = bias[c];
		bias[c] -= (float)log_weight(trainer, c);
	}
}

static void bias_restore(struct trainer *trainer, const float keep[POOL_ACTIONS])
{
	memcpy(trainer->net->head.bias->value, keep, POOL_ACTIONS * sizeof(float));
}

static int measure(struct trainer *trainer, struct trainer_epoch *epoch, struct error *error)
{
	const struct run_state *state = &trainer->state;
	const struct metrics_summary train = metrics_summarise(&state->metrics);
	struct metrics metrics = {0};
	struct metrics_summary held;
	int status = 0;

	epoch->epoch = (double)(state->epoch + 1);
	epoch->steps = (double)trainer->learner.adamw.steps;
	epoch->learning_rate = state->rate;
	epoch->gradient_norm = state->norm_sum / (double)state->epoch_steps;
	epoch->train_loss = state->loss_sum / state->loss_windows;
	epoch->train_log_loss = train.log_loss;
	epoch->train_accuracy = train.accuracy;
	epoch->train_majority_rate = train.majority_rate;
	epoch->train_balanced_accuracy = train.balanced_accuracy;
	epoch->train_macro_f1 = train.macro_f1;
	if (trainer->cut < trainer->dataset->rows)
		status = predictor_run(trainer->net, trainer->dataset, trainer->cut,
				       trainer->dataset->rows, &trainer->options.held_out, &metrics,
				       NULL, NULL, error);
	held = metrics_summarise(&metrics);
	epoch->held_out_log_loss = held.rows ? held.log_loss : NAN;
	epoch->held_out_accuracy = held.rows ? held.accuracy : NAN;
	epoch->held_out_majority_rate = held.rows ? held.majority_rate : NAN;
	epoch->held_out_balanced_accuracy = held.rows ? held.balanced_accuracy : NAN;
	epoch->held_out_macro_f1 = held.rows ? held.macro_f1 : NAN;
	epoch->held_out_ece = held.rows ? held.ece : NAN;
	return status;
}

/* Whether this epoch's policy is the best so far. */
static void judge(struct trainer *trainer, struct trainer_epoch *epoch)
{
	struct run_state *state = &trainer->state;
	const bool measured = !isnan(epoch->held_out_log_loss);

	epoch->best = !measured || epoch->held_out_log_loss < state->best_loss;
	state->stale = epoch->best != 0 ? 0 : state->stale + 1;
	if (measured && epoch->best != 0)
		state->best_loss = epoch->held_out_log_loss;
}

/* Keeps this epoch's policy if it is the best, or the last is wanted. */
static int keep_policy(struct trainer *trainer, const struct trainer_epoch *epoch,
		       struct error *error)
{
	if (!trainer->directory[0] || !leads(trainer) ||
	    (epoch->best == 0 && !trainer->options.keep_last))
		return 0;
	return policy_store_save(trainer->net, trainer->config, trainer->directory, error);
}

/* Rank 0 scores the held-out rows and tells the others. */
static int score(struct trainer *trainer, struct trainer_epoch *epoch, struct error *error)
{
	float keep[POOL_ACTIONS];
	int status = 0;

	arena_free(&trainer->learner.arena); /* scoring takes its own */
	learner_apply(&trainer->learner);
	bias_unweight(trainer, keep);
	if (leads(trainer))
		status = measure(trainer, epoch, error);
	status = spread_agree(&trainer->spread, status, error);
	if (!status)
		status = spread_record(&trainer->spread, epoch, sizeof(*epoch), error);
	if (!status) {
		judge(trainer, epoch);
		status = keep_policy(trainer, epoch, error);
	}
	bias_restore(trainer, keep);
	learner_undo(&trainer->learner);
	return status;
}

static void begin_epoch(struct trainer *trainer)
{
	struct run_state *state = &trainer->state;

	dataset_windows_draw(&trainer->windows, &state->order_rng, trainer->order_count,
			     trainer->options.event_share, trainer->order);
	memset(&state->metrics, 0, sizeof(state->metrics));
	state->loss_sum = 0;
	state->loss_windows = 0;
	state->norm_sum = 0;
	state->epoch_steps = 0;
	state->reward_sum = 0;
	state->reward_rows = 0;
	state->seconds = 0;
	state->cpu_s = 0;
	state->joules = 0;
}

static void usage_start(struct trainer *trainer)
{
	trainer->since = usage_now();
	trainer->sampled_s = trainer->since.wall_s;
	trainer->joules_since = energy_sample(&trainer->energy);
}

/* Adds what was used since the last call to the epoch's figures. */
static void usage_add(struct trainer *trainer)
{
	const struct usage since = trainer->since;
	const double joules_since = trainer->joules_since;

	usage_start(trainer);
	trainer->state.seconds += trainer->since.wall_s - since.wall_s;
	trainer->state.cpu_s += trainer->since.cpu_s - since.cpu_s;
	trainer->state.joules += trainer->joules_since - joules_since;
}

static void report_usage(struct trainer *trainer, struct trainer_epoch *epoch)
{
	const struct run_state *state = &trainer->state;
	const double cores = parallel_cores();
	int64_t peak;

	usage_add(trainer);
	peak = trainer->since.peak_bytes;
	epoch->seconds = state->seconds;
	epoch->cpu_s = spread_sum(&trainer->spread, state->cpu_s);
	epoch->cpu_share = epoch->cpu_s / (state->seconds * spread_sum(&trainer->spread, cores));
	epoch->peak_mb = peak ? (double)peak / 1e6 : NAN;
	epoch->joules = state->joules;
	epoch->train_reward = state->reward_sum / state->reward_rows;
}

static int end_epoch(struct trainer *trainer, const struct trainer_observer *observer,
		     struct error *error)
{
	struct run_state *state = &trainer->state;
	struct trainer_epoch *epoch = &trainer->history[state->epoch];
	int status = score(trainer, epoch, error);

	status = spread_agree(&trainer->spread, status, error);
	if (status)
		return status;
	report_usage(trainer, epoch);
	state->epoch++;
	state->position = 0;
	if (state->epoch == trainer->options.epochs ||
	    (trainer->options.patience && state->stale >= trainer->options.patience))
		state->finished = 1;
	status = save_state(trainer, error);
	if (!status && observer->epoch && leads(trainer))
		status = observer->epoch(observer->context, trainer->history, state->epoch, error);
	return spread_agree(&trainer->spread, status, error);
}

/* ---- the run ---- */

static int run_step(struct trainer *trainer, const struct trainer_observer *observer,
		    struct error *error)
{
	struct run_state *state = &trainer->state;
	int status = 0;

	for (uint64_t i = 0; !status && i < trainer->options.learner.accumulate &&
			     state->position < trainer->order_count;
	     i++) {
		status = run_batch(trainer, error);
		if (!status && observer->progress)
			observer->progress(observer->context, state->epoch + 1, state->position,
					   trainer->order_count,
					   state->loss_sum / state->loss_windows);
	}
	if (status)
		return status;
	spread_gradients(&trainer->spread, trainer->net->params, trainer->net->count);
	state->rate = learner_step(&trainer->learner);
	state->norm_sum += trainer->learner.grad_norm;
	state->epoch_steps++;
	return 0;
}

/* Between two steps of an epoch: a checkpoint when it is time or the user wants to stop. */
static int pause_between(struct trainer *trainer, const struct trainer_observer *observer,
			 double *saved_s, struct error *error)
{
	const double now = clock_s();
	struct {
		bool stop, save;
	} rank0;
	int status;

	memset(&rank0, 0, sizeof(rank0));
	rank0.stop = observer->stop && observer->stop(observer->context);
	rank0.save = rank0.stop || now - *saved_s >= trainer->options.checkpoint_s;
	status = spread_record(&trainer->spread, &rank0, sizeof(rank0), error);
	if (now - trainer->sampled_s >= SAMPLE_S)
		usage_add(trainer);
	if (status || !rank0.save)
		return status;
	usage_add(trainer);
	status = save_state(trainer, error);
	*saved_s = clock_s();
	if (!status && rank0.stop)
		status = error_set(
			error, ERR_INTERRUPTED,
			"stopped in epoch %llu after a checkpoint",
			(unsigned long long)trainer->state.epoch + 1);
	return spread_agree(&trainer->spread, status, error);
}

int trainer_run(struct trainer *trainer, const struct trainer_observer *observer,
		struct error *error)
{
	struct run_state *state = &trainer->state;
	double saved_s = clock_s();
	int status = 0;

	while (!status && !state->finished) {
		usage_start(trainer);
		if (state->position == 0)
			begin_epoch(trainer);
		while (!status && state->position < trainer->order_count) {
			status = run_step(trainer, observer, error);
			if (!status)
				status = pause_between(trainer, observer, &saved_s, error);
		}
		if (!status)
			status = end_epoch(trainer, observer, error);
		saved_s = clock_s();
	}
	return status;
}
