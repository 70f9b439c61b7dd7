/* SPDX-License-Identifier: BSD-2-Clause */
/* Intervals against what they should hold: known answers, and how often they cover the truth. */
#include "report/bootstrap.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "report/statistics.h"

static void statistics_are_those_of_the_values(void **state)
{
	const double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 8}, below[] = {2, 2, 2};

	(void)state;
	assert_true(bootstrap_mean(odd, 3, 1).value == 3);
	assert_true(bootstrap_median(odd, 3, 1).value == 3);
	assert_true(bootstrap_median(even, 4, 1).value == 3.5);
	assert_true(bootstrap_ratio(odd, below, 3, 1).value == 1.5);
	assert_true(isnan(bootstrap_mean(odd, 0, 1).value));
	assert_true(bootstrap_mean(odd, 1, 1).value == 5 && isnan(bootstrap_mean(odd, 1, 1).low));
	/* Of two values nothing is known but that the mean is somewhere between. */
	assert_true(bootstrap_mean(odd, 2, 1).low == 1 && bootstrap_mean(odd, 2, 1).high == 5);
}

static void the_same_seed_gives_the_same_interval(void **state)
{
	const double values[] = {0.2, 1.7, 0.9, 2.2, 1.1, 0.4, 3.1};
	const struct estimate one = bootstrap_mean(values, 7, 9),
			      two = bootstrap_mean(values, 7, 9);
	const struct estimate other = bootstrap_mean(values, 7, 10);

	(void)state;
	assert_memory_equal(&one, &two, sizeof(one));
	assert_true(one.low != other.low || one.high != other.high);
	assert_true(one.low < one.value && one.value < one.high);
}

/* Of many normal values the interval of the mean is Student's. */
static void many_values_give_students_interval(void **state)
{
	double values[400];
	struct estimate estimate;
	struct interval student;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (int i = 0; i < 400; i++)
		values[i] = 10 + rng_normal(&rng);
	estimate = bootstrap_mean(values, 400, 1);
	student = statistics_interval(values, 400);
	assert_true(fabs((estimate.high - estimate.low) / (2 * student.half_width) - 1) < 0.05);
	assert_true(fabs(estimate.low + estimate.high - 2 * student.mean) < 0.02);
}

/* How often the interval of `count` normal values holds their true mean, or median. */
static double coverage(struct estimate (*of)(const double *, size_t, uint64_t), int count)
{
	enum { TRIALS = 400 };
	struct rng rng;
	int held = 0;

	rng_seed(&rng, (uint64_t)count);
	for (int trial = 0; trial < TRIALS; trial++) {
		struct estimate estimate;
		double values[40];

		for (int i = 0; i < count; i++)
			values[i] = rng_normal(&rng);
		estimate = of(values, (size_t)count, (uint64_t)trial);
		held += estimate.low <= 0 && 0 <= estimate.high;
	}
	return (double)held / TRIALS;
}

/* 95 % within what 400 trials tell; of five values less, as all lie on one side once in 16 times.
 */
static void intervals_cover_the_truth_as_often_as_they_say(void **state)
{
	(void)state;
	assert_in_range(1000 * coverage(bootstrap_mean, 5), 900, 975);
	assert_in_range(1000 * coverage(bootstrap_mean, 10), 920, 980);
	assert_in_range(1000 * coverage(bootstrap_mean, 40), 925, 975);
	assert_in_range(1000 * coverage(bootstrap_median, 40), 920, 985);
}

/* Pairs that move together leave nothing open, however far apart they lie. */
static void pairs_are_drawn_together(void **state)
{
	const double a[] = {1, 10, 100, 1000, 5}, b[] = {2, 20, 200, 2000, 10};
	const struct estimate ratio = bootstrap_ratio(a, b, 5, 4);

	(void)state;
	assert_true(ratio.value == 0.5 && ratio.low == 0.5 && ratio.high == 0.5);
}

static double mean(const void *context, const size_t *chosen, size_t units)
{
	const double *values = context;
	double sum = 0;

	for (size_t i = 0; i < units; i++)
		sum += values[chosen[i]];
	return sum / (double)units;
}

static double undefined(const void *context, const size_t *chosen, size_t units)
{
	(void)context;
	return chosen[0] * 10 < units ? NAN : 1;
}

static double infinite(const void *context, const size_t *chosen, size_t units)
{
	(void)context;
	return chosen[0] * 2 < units ? INFINITY : 1;
}

static void any_statistic_has_bounds(void **state)
{
	enum { COUNT = 400 };
	double values[COUNT];
	struct bounds bounds;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int i = 0; i < COUNT; i++)
		values[i] = 3 + rng_normal(&rng);
	bounds = bootstrap_bounds(COUNT, 1, mean, values);
	assert_true(fabs((bounds.high - bounds.low) / (2 * 1.96 / sqrt(COUNT)) - 1) < 0.15);
	assert_true(bounds.low < 3 && 3 < bounds.high);
	assert_true(isnan(bootstrap_bounds(1, 1, mean, values).low));
	assert_true(isnan(bootstrap_bounds(100, 1, undefined, NULL).low));
	bounds = bootstrap_bounds(100, 1, infinite, NULL);
	assert_true(bounds.low == 1 && isinf(bounds.high));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statistics_are_those_of_the_values),
		cmocka_unit_test(the_same_seed_gives_the_same_interval),
		cmocka_unit_test(many_values_give_students_interval),
		cmocka_unit_test(intervals_cover_the_truth_as_often_as_they_say),
		cmocka_unit_test(pairs_are_drawn_together),
		cmocka_unit_test(any_statistic_has_bounds),
	};

	return cmocka_run_group_tests_name("bootstrap", tests, NULL, NULL);
}
