/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/sketch against sorted values and against the full histogram:
 * quantiles within 1/128 over the whole range, counters that widen without
 * losing a count, and the memory it promises.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/histogram.h"
#include "base/rng.h"
#include "base/sketch.h"
#include "base/units.h"

#define VALUES 20000

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Adds the values, sorts them, and compares every quantile with its rank's value. */
static void check_against_sorting(uint64_t *values, size_t count)
{
	static const double quantiles[] = {0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
	struct sketch sketch = {0};
	double sum = 0;

	for (size_t i = 0; i < count; i++) {
		sum += (double)values[i];
		assert_int_equal(sketch_add(&sketch, values[i]), 0);
	}
	qsort(values, count, sizeof(values[0]), compare_u64);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const double rank = fmax(1, ceil(quantiles[i] * (double)count));
		const double exact = (double)values[(size_t)rank - 1];

		assert_true(fabs(sketch_quantile(&sketch, quantiles[i]) - exact) <= exact / 128);
	}
	assert_true(fabs(sketch_mean(&sketch) - sum / (double)count) <= 1e-12 * sum);
	assert_int_equal(sketch.max, values[count - 1]);
	assert_int_equal(sketch.count, count);
	sketch_free(&sketch);
}

static void quantiles_are_within_their_bound(void **state)
{
	static uint64_t values[VALUES];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	for (size_t i = 0; i < VALUES; i++)
		values[i] = rng_u64(&rng) >> rng_below(&rng, 64);
	check_against_sorting(values, VALUES);
	for (size_t i = 0; i < VALUES; i++)
		values[i] = (uint64_t)(20e6 + 5e6 * rng_exponential(&rng));
	check_against_sorting(values, VALUES);
	values[0] = UINT64_MAX;
	values[1] = 0;
	check_against_sorting(values, 2);
	check_against_sorting(values, 1);
}

static void an_empty_sketch_says_zero(void **state)
{
	struct sketch sketch = {0};

	(void)state;
	assert_true(sketch_quantile(&sketch, 0.5) == 0);
	assert_true(sketch_mean(&sketch) == 0);
	assert_int_equal(sketch_bytes(&sketch), 0);
	sketch_free(&sketch);
}

/* 255, 65535 and more in one bucket: all ranks stay where they are. */
static void counters_widen_without_loss(void **state)
{
	struct sketch sketch = {0};

	(void)state;
	for (uint64_t i = 1; i <= 70000; i++) {
		assert_int_equal(sketch_add(&sketch, 7), 0);
		if (i % 1000 == 0)
			assert_int_equal(sketch_add(&sketch, 9), 0);
	}
	assert_int_equal(sketch.width, 4);
	assert_int_equal(sketch.count, 70070);
	assert_true(sketch_quantile(&sketch, 70000.0 / 70070) == 7);
	assert_true(sketch_quantile(&sketch, 70001.0 / 70070) == 9);
	sketch_free(&sketch);
}

static void it_agrees_with_the_full_histogram_in_little_memory(void **state)
{
	static struct histogram histogram;
	struct sketch sketch = {0};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	histogram_init(&histogram);
	/* Round trips: 20 ms and a queue of 15 ms in the mean, 100,000 samples. */
	for (int i = 0; i < 100000; i++) {
		const uint64_t rtt_ns =
			20 * NS_PER_MS + (uint64_t)(15e6 * rng_exponential(&rng));

		histogram_add(&histogram, rtt_ns);
		sketch_add(&sketch, rtt_ns);
	}
	for (double q = 0.01; q < 1; q += 0.01) {
		const double full = histogram_quantile(&histogram, q);

		assert_true(fabs(sketch_quantile(&sketch, q) - full) <= 0.012 * full);
	}
	assert_true(sketch_mean(&sketch) == histogram_mean(&histogram));
	assert_true(sketch_bytes(&sketch) <= 600);
	sketch_free(&sketch);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_within_their_bound),
		cmocka_unit_test(an_empty_sketch_says_zero),
		cmocka_unit_test(counters_widen_without_loss),
		cmocka_unit_test(it_agrees_with_the_full_histogram_in_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
