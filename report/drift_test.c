/* SPDX-License-Identifier: BSD-2-Clause */
/* Drifts whose sign and size are known. */
#include "report/drift.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"

#define RUNS 4
#define SAMPLES 20000
#define TARGET 10.0

/* x' = target + pull (x - target) + noise. */
static void make(double values[RUNS][SAMPLES], const double *series[RUNS], double pull,
		 double noise)
{
	struct rng rng;

	rng_seed(&rng, 3);
	for (size_t r = 0; r < RUNS; r++) {
		double x = TARGET;

		for (size_t i = 0; i < SAMPLES; i++) {
			values[r][i] = x;
			x = TARGET + pull * (x - TARGET) + noise * rng_normal(&rng);
		}
		series[r] = values[r];
	}
}

/* For that process E[V'] - V = (pull^2 - 1)(x - target)^2 + noise^2, so the sign is known. */
static void a_pull_is_negative_outside_and_positive_at_the_target(void **state)
{
	static double values[RUNS][SAMPLES];
	const double *series[RUNS];
	const struct drift_options options = {TARGET, 1, 500};
	const double pull = 0.8, noise = 2;
	struct drift drift;

	(void)state;
	make(values, series, pull, noise);
	assert_int_equal(drift_measure(&drift, &options, series, RUNS, SAMPLES), 0);
	assert_true(fabs(drift.mean_v / (noise * noise / (1 - pull * pull)) - 1) < 0.05);
	for (size_t b = 0; b < DRIFT_BINS; b++) {
		const struct drift_bin *bin = &drift.bins[b];

		if (bin->count < 50)
			continue;
		assert_true(bin->bounds.low <= bin->drift && bin->drift <= bin->bounds.high);
		if (bin->low == 0.25 * TARGET || bin->low == 1.5 * TARGET)
			assert_int_equal(bin->sign, -1);
		if (bin->low == 0.75 * TARGET || bin->low == TARGET)
			assert_int_equal(bin->sign, 1);
	}
}

static void what_runs_away_is_positive(void **state)
{
	static double values[RUNS][SAMPLES];
	const double *series[RUNS] = {values[0], values[1], values[2], values[3]};
	const struct drift_options options = {TARGET, 10, 50};
	struct drift drift;
	size_t told = 0;

	(void)state;
	for (size_t r = 0; r < RUNS; r++)
		for (size_t i = 0; i < SAMPLES; i++)
			values[r][i] = TARGET + 0.01 * (double)(i % 2000);
	assert_int_equal(drift_measure(&drift, &options, series, RUNS, 2000), 0);
	for (size_t b = 0; b < DRIFT_BINS; b++) {
		assert_true(drift.bins[b].count == 0 || drift.bins[b].sign == 1);
		told += drift.bins[b].count;
	}
	assert_int_equal(told, RUNS * (2000 - 10));
}

static void a_step_of_known_size_is_measured(void **state)
{
	/* 10, 12, 10, 12 ...: V goes 0, 4, 0, 4. */
	double values[1001];
	const double *series[] = {values};
	const struct drift_options options = {TARGET, 1, 10};
	struct drift drift;

	(void)state;
	for (int i = 0; i < 1001; i++)
		values[i] = i % 2 ? 12.5 : 10;
	assert_int_equal(drift_measure(&drift, &options, series, 1, 1001), 0);
	assert_true(fabs(drift.bins[4].drift - 6.25) < 1e-9 && drift.bins[4].count == 500);
	assert_true(fabs(drift.bins[5].drift + 6.25) < 1e-9 && drift.bins[5].count == 500);
	assert_true(isnan(drift.bins[0].drift) && drift.bins[0].sign == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pull_is_negative_outside_and_positive_at_the_target),
		cmocka_unit_test(what_runs_away_is_positive),
		cmocka_unit_test(a_step_of_known_size_is_measured),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
