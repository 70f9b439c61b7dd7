/* SPDX-License-Identifier: BSD-2-Clause */
/* Autocorrelation times that are known: of AR(1) processes, of white noise. */
#include "report/autocorrelation.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/rng.h"

#define RUNS 20
#define SAMPLES 6000

/* x' = a x + noise, from its stationary state. */
static struct autocorrelation_time time_of_ar1(double a, double offset)
{
	static double values[RUNS][SAMPLES];
	const double *series[RUNS];
	struct rng rng;

	rng_seed(&rng, 7);
	for (size_t r = 0; r < RUNS; r++) {
		double x = rng_normal(&rng) / sqrt(1 - a * a);

		for (size_t i = 0; i < SAMPLES; i++) {
			values[r][i] = offset + x;
			x = a * x + rng_normal(&rng);
		}
		series[r] = values[r];
	}
	return autocorrelation_time_of(series, RUNS, SAMPLES);
}

static void ar1_has_its_time(void **state)
{
	static const double a[] = {0, 0.5, 0.9, 0.98};

	(void)state;
	for (size_t i = 0; i < sizeof(a) / sizeof(a[0]); i++) {
		const double expected = (1 + a[i]) / (1 - a[i]);
		const struct autocorrelation_time time = time_of_ar1(a[i], 40);

		assert_true(fabs(time.samples / expected - 1) < 0.1);
		assert_true(time.bounds.low < expected && expected < time.bounds.high);
		assert_true(time.bounds.high - time.bounds.low < 0.4 * expected);
		assert_true(time.window > 0 && 2 * (double)time.window >= 5 * time.samples);
	}
}

static void the_mean_does_not_matter(void **state)
{
	(void)state;
	assert_true(fabs(time_of_ar1(0.8, 0).samples - time_of_ar1(0.8, 1e3).samples) < 1e-6);
}

static void what_never_moves_has_none(void **state)
{
	static const double flat[100];
	const double *series[] = {flat, flat};

	(void)state;
	assert_true(isnan(autocorrelation_time_of(series, 2, 100).samples));
}

/* A series that rises from end to end forgets nothing: no window closes. */
static void a_ramp_has_no_window(void **state)
{
	double ramp[200];
	const double *series[] = {ramp};
	struct autocorrelation_time time;

	(void)state;
	for (int i = 0; i < 200; i++)
		ramp[i] = i;
	time = autocorrelation_time_of(series, 1, 200);
	assert_true(time.samples > 50);
	assert_true(time.window == 0 && isnan(time.bounds.low));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ar1_has_its_time),
		cmocka_unit_test(the_mean_does_not_matter),
		cmocka_unit_test(what_never_moves_has_none),
		cmocka_unit_test(a_ramp_has_no_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
