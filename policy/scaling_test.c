/* SPDX-License-Identifier: BSD-2-Clause */
/* Scalings: monotone, fitted as they say, zero far from almost zero, thresholds steep. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/rng.h"
#include "policy/scaling.h"

#define ROWS 1000

/* Like an accumulated probability: a third zeros, then many decades, crowded near 1.8e10. */
static void fill(double *values)
{
	struct rng rng;

	rng_seed(&rng, 7);
	for (int i = 0; i < ROWS; i++) {
		if (i % 3 == 0)
			values[i] = 0;
		else if (i % 3 == 1)
			values[i] = pow(10, 5 + 5.5 * rng_uniform(&rng));
		else
			values[i] = 1.8e10 * (1 + 0.02 * rng_normal(&rng));
	}
}

static void all_kinds_rise(void **state)
{
	double values[ROWS];

	(void)state;
	fill(values);
	for (int kind = 0; kind < SCALING_KINDS; kind++) {
		struct scaling s;

		assert_int_equal(scaling_fit(&s, (enum scaling_kind)kind, values, ROWS, 1, NULL),
				 0);
		for (double x = 1; x < 1e12; x *= 1.5) {
			assert_true(scaling_apply(&s, x) <= scaling_apply(&s, 1.5 * x));
			assert_true(scaling_apply(&s, -x) <= scaling_apply(&s, 0));
			assert_true(isfinite(scaling_apply(&s, x)));
		}
		assert_int_equal(scaling_kind_find(scaling_kind_name(s.kind)), kind);
	}
	assert_int_equal(scaling_kind_find("cubic"), -1);
}

static void moments_are_standard(void **state)
{
	double values[ROWS];

	(void)state;
	fill(values);
	for (int kind = SCALING_linear; kind <= SCALING_log; kind++) {
		double sum = 0, squares = 0;
		struct scaling s;

		assert_int_equal(scaling_fit(&s, (enum scaling_kind)kind, values, ROWS, 1, NULL),
				 0);
		for (int i = 0; i < ROWS; i++) {
			const double y = scaling_apply(&s, values[i]);

			sum += y;
			squares += y * y;
		}
		assert_true(fabs(sum / ROWS) < 1e-9);
		assert_true(fabs(squares / ROWS - 1) < 0.02);
	}
}

static void ranks_spread_and_zero_stands_apart(void **state)
{
	double values[ROWS];
	struct scaling s;

	(void)state;
	fill(values);
	assert_int_equal(scaling_fit(&s, SCALING_quantile, values, ROWS, 1, NULL), 0);
	assert_true(s.knots <= SCALING_MAX_KNOTS);
	/* a third of the rows are 0: rank 1/6; the smallest other value has rank 1/3 */
	assert_true(fabs(scaling_apply(&s, 0) - (2.0 / 6 - 1)) < 0.01);
	assert_true(scaling_apply(&s, 1e5) - scaling_apply(&s, 0) > 0.3);
	/* +-2 % around the crowded threshold is most of a third of the rows */
	assert_true(scaling_apply(&s, 1.836e10) - scaling_apply(&s, 1.764e10) > 0.3);
	for (int i = 0; i < ROWS; i++)
		assert_true(fabs(scaling_apply(&s, values[i])) <= 1);
	assert_true(scaling_apply(&s, 1e12) > 1 && scaling_apply(&s, 1e300) == SCALING_LIMIT);
}

static void degenerate_columns(void **state)
{
	const double same[4] = {15000, 15000, 15000, 15000};

	(void)state;
	for (int kind = SCALING_linear; kind < SCALING_KINDS; kind++) {
		struct scaling s;

		assert_int_equal(scaling_fit(&s, (enum scaling_kind)kind, same, 4, 1, NULL), 0);
		assert_true(fabs(scaling_apply(&s, 15000)) < 1e-9);
		assert_true(fabs(scaling_apply(&s, 30000)) < 2);
		assert_int_equal(scaling_fit(&s, (enum scaling_kind)kind, same, 0, 1, NULL), 0);
		assert_true(isfinite(scaling_apply(&s, 3)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_kinds_rise),
		cmocka_unit_test(moments_are_standard),
		cmocka_unit_test(ranks_spread_and_zero_stands_apart),
		cmocka_unit_test(degenerate_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
