/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pruning of a policy: attribution is the slope of the measured loss, what is
 * silenced to measure comes back, rates follow what was measured, and a policy
 * without silent units decides as before.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "learn/prune.h"
#include "policy/store.h"

#define ROWS 120
#define WINDOWS 6

/* A gpt2 over two features, one of them a series with kernels of its own. */
#define MODEL                                                                                      \
	"{\"model_type\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 16, \"n_head\": 4, "               \
	"\"vocab_size\": 5, \"n_positions\": 90, \"n_inner\": 24, \"initializer_range\": 0.4}"

struct fixture {
	struct pool pool;
	struct policy_config config;
	struct policy_net net;
	struct dataset dataset;
	struct calibration calibration;
	struct prune prune;
};

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

		assert_int_equal(pool_append(pool, state, x > 700 ? POOL_DROP : POOL_ENQUEUE,
					     x / 1000, row == 70), 0);
	}
}

static void set_up(struct fixture *f)
{
	const struct backbone_options options = {.trainable = true};
	const struct dataset_fit fit = {.scaling = -1, .gamma = -1};
	struct policy_net_shape shape;
	struct error error = {0};
	struct rng rng;

	memset(f, 0, sizeof(*f));
	rng_seed(&rng, 9);
	pool_make(&f->pool);
	assert_int_equal(dataset_fit_config(&f->config, &f->pool, ROWS,
					    &fit, &error), 0);
	f->config.encoder = POLICY_ENCODER_multiscale;
	f->config.feature_dim = 6;
	f->config.window = 6;
	f->config.keep = 3;
	f->config.backbone.full = true;
	strcpy(f->config.backbone.reference, "builtin");
	shape = policy_config_shape(&f->config);
	assert_int_equal(policy_net_new(&f->net, &shape, test_model(MODEL, &options, 3), &error),
			 0);
	policy_net_init(&f->net, &rng);
	assert_int_equal(dataset_new(&f->dataset, &f->pool, 0, &f->config, &error), 0);
	assert_int_equal(calibration_new(&f->calibration, &f->dataset, 0, ROWS, 6, WINDOWS, 0.7, 1,
					 &error), 0);
	assert_int_equal(prune_new(&f->prune, &f->net, &error), 0);
}

static void tear_down(struct fixture *f)
{
	prune_free(&f->prune);
	calibration_free(&f->calibration);
	dataset_free(&f->dataset);
	policy_net_free(&f->net);
	pool_free(&f->pool);
}

static void unit_scale(const struct prune_part *part, int64_t unit, float factor)
{
	for (int64_t i = unit * part->unit_inputs; i < (unit + 1) * part->unit_inputs; i++)
		for (int64_t o = 0; o < part->out; o++)
			part->weight[part->layout == LINEAR_OUT_IN ? o * part->in + i
								   : i * part->out + o] *= factor;
}

static double loss_of(const struct fixture *f, int64_t window)
{
	double loss;

	assert_int_equal(calibration_loss(&f->calibration, &f->net, window, window + 1, &loss,
					  NULL), 0);
	return loss;
}

static void attribution_is_the_slope_of_the_loss(void **state)
{
	const float share = 0.02f;
	double sum = 0;
	struct fixture f;

	(void)state;
	set_up(&f);
	assert_int_equal(f.prune.count, 6); /* two layers twice, two features */
	assert_int_equal(calibration_slope(&f.calibration, &f.net, 2, NULL), 0);
	for (size_t p = 0; p < f.prune.count; p++)
		for (int64_t u = 0; u < f.prune.part[p].units; u++) {
			const struct prune_part *part = &f.prune.part[p];
			const double expected = prune_slope(part, u);
			double above, below;

			unit_scale(part, u, 1 - share);
			above = loss_of(&f, 2);
			unit_scale(part, u, (1 + share) / (1 - share));
			below = loss_of(&f, 2);
			unit_scale(part, u, 1 / (1 + share));
			sum += fabs(expected);
			if (!(fabs((above - below) / (2 * (double)share) - expected) <=
			      0.02 * fabs(expected) + 2e-4))
				fail_msg("part %d unit %d: %g, expected %g", (int)p, (int)u,
					 (above - below) / (2 * (double)share), expected);
		}
	assert_true(sum > 0.05); /* the tolerance is far below what was compared */
	tear_down(&f);
}

static void measuring_leaves_the_weights_alone(void **state)
{
	struct fixture f;
	double before, after;

	(void)state;
	set_up(&f);
	assert_int_equal(prune_attribute(&f.prune, &f.calibration, NULL), 0);
	before = loss_of(&f, 0);
	assert_int_equal(prune_measure(&f.prune, &f.calibration, WINDOWS, NULL, NULL, NULL), 0);
	after = loss_of(&f, 0);
	assert_true(before == after);
	for (size_t p = 0; p < f.prune.count; p++)
		assert_true(f.prune.part[p].loss[PRUNE_POINTS - 1] != 0);
	tear_down(&f);
}

/* Of two feed-forwards, the one whose loss does not mind gives nearly all. */
static void rates_follow_what_was_measured(void **state)
{
	struct fixture f;
	struct prune_part *first, *second;

	(void)state;
	set_up(&f);
	first = &f.prune.part[1];
	second = &f.prune.part[3];
	for (int64_t u = 0; u < 24; u++)
		first->score[u] = second->score[u] = (double)(u * 7 % 24);
	for (int i = 0; i < PRUNE_POINTS; i++) {
		first->loss[i] = 0.5 * (i + 1);
		second->loss[i] = i < 2 ? 0 : 0.01;
	}
	prune_choose(&f.prune, PRUNE_ffn, 0.375);
	assert_true(first->rate == 0);
	assert_true(fabs(second->rate - 0.75) < 1e-9);
	for (int64_t u = 0; u < 24; u++)
		assert_int_equal(second->keep[u], u * 7 % 24 >= 18);
	prune_choose(&f.prune, PRUNE_ffn, 1); /* as far as parts may go */
	assert_true(first->rate > 0.85 && first->rate <= 0.9);
	assert_true(second->rate > 0.85 && second->rate <= 0.9);
	tear_down(&f);
}

/* Silences what is not kept, so that the policy without it is the same function. */
static void some_silenced(struct fixture *f)
{
	for (size_t p = 0; p < f->prune.count; p++)
		for (int64_t u = 0; u < f->prune.part[p].units; u++) {
			f->prune.part[p].keep[u] = u % 3 != 1 && (p != 5 || u > 6);
			if (!f->prune.part[p].keep[u])
				unit_scale(&f->prune.part[p], u, 0);
		}
}

static void a_policy_without_silent_units_decides_as_before(void **state)
{
	struct policy_config config;
	struct policy_net net;
	struct error error = {0};
	char path[TEST_PATH_BYTES];
	struct fixture f;
	double before, after;

	(void)state;
	set_up(&f);
	some_silenced(&f);
	test_path(path, "smaller");
	if (prune_save(&f.prune, &f.config, path, &error) ||
	    policy_store_open(&net, &config, path, &error))
		fail_msg("%s %s %s", error.file, error.field, error.text);
	assert_int_equal(config.layout[1].banks, 2); /* the bank of 3 taps is gone altogether */
	assert_int_equal(config.layout[1].bank[0].taps, 5);
	assert_true(backbone_shape(net.backbone)->parameters <
		    backbone_shape(f.net.backbone)->parameters);
	assert_int_equal(calibration_loss(&f.calibration, &f.net, 0, WINDOWS, &before, NULL), 0);
	assert_int_equal(calibration_loss(&f.calibration, &net, 0, WINDOWS, &after, NULL), 0);
	if (!(fabs(before - after) < 1e-6))
		fail_msg("loss %.9g became %.9g", before, after);
	policy_net_free(&net);
	assert_int_equal(policy_store_open_to_train(&net, &config, path, &error), 0);
	assert_true(net.params[0].gradient != NULL && !net.params[0].is_adapter);
	policy_net_free(&net);
	tear_down(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attribution_is_the_slope_of_the_loss),
		cmocka_unit_test(measuring_leaves_the_weights_alone),
		cmocka_unit_test(rates_follow_what_was_measured),
		cmocka_unit_test(a_policy_without_silent_units_decides_as_before),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
