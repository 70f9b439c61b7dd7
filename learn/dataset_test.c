/* SPDX-License-Identifier: BSD-2-Clause */
/* Returns, windows and sampling by hand; baselines; which rows a prediction sees. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "learn/baselines.h"
#include "learn/dataset.h"

/* Rows of {queue_type, drop_probability, accumulated_probability}; episodes end at 5 and at the
 * end. */
static void pool_make(struct pool *pool)
{
	static const char *const names[] = {"queue_type", "drop_probability",
					    "accumulated_probability"};
	static const double states[12][3] = {
		{0, 1e8, 5}, {0, 1e8, 0}, {1, 3e8, 0}, {0, 3e8, 2e10}, {0, 0, 0},    {0, 1e8, 2e10},
		{0, 1e8, 7}, {0, 1e8, 8}, {0, 1e8, 9}, {0, 1e8, 10},   {1, 1e8, 11}, {0, 1e8, 12},
	};
	static const int32_t actions[12] = {0, 2, 1, 1, 0, 2, 0, 0, 0, 0, 0, 0};

	pool_init(pool);
	pool->features = 3;
	for (int i = 0; i < 3; i++)
		strcpy(pool->columns[i].name, names[i]);
	for (int row = 0; row < 12; row++)
		assert_int_equal(pool_append(pool, states[row], actions[row], row + 1,
					     row == 5 || row == 11),
				 0);
}

static struct policy_config config_fit(const struct pool *pool, size_t cut, bool compat)
{
	const struct dataset_fit fit = {
		.scaling = -1, .gamma = compat ? -1 : 0.5, .compat = compat};
	struct policy_config config = {0};

	assert_int_equal(dataset_fit_config(&config, pool, cut, &fit, NULL), 0);
	return config;
}

static void returns_by_hand(void **state)
{
	struct policy_config config;
	struct dataset dataset;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	config = config_fit(&pool, 6, false);
	/* 6; 5 + 3 = 8; 4 + 4 = 8; 3 + 4; 2 + 3.5; 1 + 2.75 */
	assert_true(fabs(config.target_return - 8) < 1e-12);
	config.returns = (struct scaling){.kind = SCALING_identity};
	assert_int_equal(dataset_new(&dataset, &pool, 0, &config, NULL), 0);
	assert_true(fabsf(dataset.returns[0] - 3.75f) < 1e-6f);
	assert_true(dataset.returns[5] == 6 && dataset.returns[11] == 12);
	assert_int_equal(dataset.episode[5], 0);
	assert_int_equal(dataset.episode[6], 6);
	assert_int_equal(dataset_timestep(&dataset, 9, 1), 3);
	assert_int_equal(dataset_timestep(&dataset, 10, 2), 2);
	dataset_free(&dataset);
	pool_free(&pool);
}

/* The released code: rewards to [0, 1] over all rows, no discount, a thousandth; raw features. */
static void compat_returns(void **state)
{
	struct policy_config config;
	struct dataset dataset;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	config = config_fit(&pool, 6, true);
	assert_true(config.shared_last && config.timesteps == 6);
	assert_true(fabs(config.target_return - (6 + 7 + 8 + 9 + 10 + 11) / 11e3) < 1e-12);
	assert_int_equal(dataset_new(&dataset, &pool, 0, &config, NULL), 0);
	assert_true(fabs((double)dataset.returns[0] - (0 + 1 + 2 + 3 + 4 + 5) / 11e3) < 1e-9);
	assert_true(dataset.states[1] == 1e8f);
	dataset_free(&dataset);
	pool_free(&pool);
}

static void windows_stay_in_episodes(void **state)
{
	struct dataset_window_options options = {
		.steps = 3, .stride = 1, .intervals = {1, 2}, .interval_count = 2};
	struct dataset_windows windows;
	struct policy_config config;
	struct dataset dataset;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	config = config_fit(&pool, 12, false);
	assert_int_equal(dataset_new(&dataset, &pool, 0, &config, NULL), 0);
	assert_int_equal(dataset_windows_new(&windows, &dataset, 0, 12, &options, NULL), 0);
	assert_int_equal(windows.count, 4 + 4 + 2 + 2);
	assert_int_equal(windows.quiet, 4 + 2);
	for (size_t i = 0; i < windows.count; i++) {
		const struct dataset_window *w = &windows.all[i];

		assert_true(w->first < 6 ? w->first + 2 * w->interval < 6
					 : w->first + 2 * w->interval < 12);
		assert_true((w->first >= 6) == (i < windows.quiet));
	}
	dataset_windows_free(&windows);
	options.cross = true;
	assert_int_equal(dataset_windows_new(&windows, &dataset, 0, 12, &options, NULL), 0);
	assert_int_equal(windows.count, 10 + 8);
	dataset_windows_free(&windows);
	options.steps = 9;
	options.cross = false;
	assert_int_equal(dataset_windows_new(&windows, &dataset, 0, 12, &options, NULL),
			 ERR_INVALID);
	dataset_free(&dataset);
	pool_free(&pool);
}

/* Oversampling rare windows leaves every window's expected weight at 1. */
static void sampling_is_unbiased(void **state)
{
	enum { QUIET = 90, ALL = 100, COUNT = 20, ROUNDS = 4000 };
	struct dataset_window all[ALL], out[COUNT];
	struct dataset_windows windows = {.all = all,
					  .count = ALL,
					  .quiet = QUIET,
					  .stratum = {{0, ALL, QUIET}},
					  .strata = 1};
	double sum[ALL] = {0};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (uint32_t i = 0; i < ALL; i++)
		all[i] = (struct dataset_window){i, 1, 1};
	for (int round = 0; round < ROUNDS; round++) {
		int events = 0;

		dataset_windows_draw(&windows, &rng, COUNT, 0.5, out);
		for (int i = 0; i < COUNT; i++) {
			sum[out[i].first] += (double)out[i].weight;
			events += out[i].first >= QUIET;
		}
		assert_int_equal(events, COUNT / 2);
	}
	for (int i = 0; i < ALL; i++)
		assert_true(fabs(sum[i] / ROUNDS * ALL / COUNT - 1) < 0.25);
	dataset_windows_draw(&windows, &rng, COUNT, -1, out);
	for (int i = 0; i < COUNT; i++)
		assert_true(out[i].weight == 1);
}

static void an_epoch_of_all_takes_each_once(void **state)
{
	struct dataset_window all[50], out[50];
	struct dataset_windows windows = {
		.all = all, .count = 50, .quiet = 45, .stratum = {{0, 50, 45}}, .strata = 1};
	bool seen[50] = {false}, moved = false;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (uint32_t i = 0; i < 50; i++)
		all[i] = (struct dataset_window){i, 1, 1};
	dataset_windows_draw(&windows, &rng, 50, 0.5, out);
	for (uint32_t i = 0; i < 50; i++) {
		assert_false(seen[out[i].first]);
		seen[out[i].first] = true;
		moved |= out[i].first != i;
	}
	assert_true(moved);
}

static void baselines_by_hand(void **state)
{
	struct metrics metrics;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	assert_true(baseline_score(BASELINE_two_comparisons, &pool, 0, 12, NULL, &metrics));
	assert_true(metrics_summarise(&metrics).accuracy == 1);
	assert_int_equal(metrics.confusion[METRICS_L][POOL_DROP][POOL_DROP], 1);
	assert_true(baseline_score(BASELINE_majority, &pool, 3, 6, NULL, &metrics));
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_ENQUEUE][POOL_ENQUEUE], 1);
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_DROP][POOL_ENQUEUE], 1);
	assert_true(baseline_score(BASELINE_copy_previous, &pool, 0, 12, NULL, &metrics));
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_DROP][POOL_MARK], 1);
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_DROP][POOL_DROP], 1);
	/* row 6 follows the end of an episode: enqueue, not the mark before */
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_ENQUEUE][POOL_MARK], 0);
	strcpy(pool.columns[1].name, "other");
	assert_false(baseline_score(BASELINE_two_comparisons, &pool, 0, 12, NULL, &metrics));
	pool_free(&pool);
}

static void baselines_on_some_rows(void **state)
{
	static const bool wanted[12] = {[1] = true, [2] = true, [3] = true};
	struct metrics metrics;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	/* Most rows are enqueued, most of these are dropped: marked, dropped, dropped. */
	assert_true(baseline_score(BASELINE_majority, &pool, 0, 12, wanted, &metrics));
	assert_int_equal(metrics_summarise(&metrics).rows, 3);
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_DROP][POOL_DROP], 2);
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_MARK][POOL_DROP], 1);
	/* What is not wanted still is the row before one that is. */
	assert_true(baseline_score(BASELINE_copy_previous, &pool, 0, 12, wanted, &metrics));
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_MARK][POOL_ENQUEUE], 1);
	/* The rows before `first` say what is frequent, wanted or not. */
	assert_true(baseline_score(BASELINE_majority, &pool, 1, 12, wanted, &metrics));
	assert_int_equal(metrics.confusion[METRICS_ALL][POOL_DROP][POOL_ENQUEUE], 2);
	pool_free(&pool);
}

static void bad_pools_are_named(void **state)
{
	struct policy_config config;
	struct error error = {0};
	struct dataset dataset;
	struct pool pool;

	(void)state;
	pool_make(&pool);
	config = config_fit(&pool, 12, false);
	pool.state[7 * 3 + 1] = NAN;
	assert_int_equal(dataset_new(&dataset, &pool, 0, &config, &error), ERR_INVALID);
	assert_int_equal(error.line, 8);
	assert_string_equal(error.field, "drop_probability");
	pool.state[7 * 3 + 1] = 0;
	strcpy(pool.columns[0].name, "other");
	assert_int_equal(dataset_new(&dataset, &pool, 0, &config, &error), ERR_INVALID);
	assert_string_equal(error.field, "queue_type");
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(returns_by_hand),
		cmocka_unit_test(compat_returns),
		cmocka_unit_test(windows_stay_in_episodes),
		cmocka_unit_test(sampling_is_unbiased),
		cmocka_unit_test(an_epoch_of_all_takes_each_once),
		cmocka_unit_test(baselines_by_hand),
		cmocka_unit_test(baselines_on_some_rows),
		cmocka_unit_test(bad_pools_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
