/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/histogram against sorted values: the nearest-rank quantile is
 * within 1/256 over the whole 64-bit range, and merging equals adding.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/histogram.h"
#include "base/rng.h"

#define VALUES 20000

static int compare_u64(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void quantiles_are_within_their_bound(void **state)
{
	static const double quantiles[] = { 0, 0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1 };
	static struct histogram histogram;
	static uint64_t values[VALUES];
	struct rng rng;
	double sum = 0;

	(void)state;
	rng_seed(&rng, 3);
	histogram_init(&histogram);
	for (size_t i = 0; i < VALUES; i++) {
		values[i] = rng_u64(&rng) >> rng_below(&rng, 64);
		sum += (double)values[i];
		histogram_add(&histogram, values[i]);
	}
	qsort(values, VALUES, sizeof(values[0]), compare_u64);
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		const double rank = fmax(1, ceil(quantiles[i] * VALUES));
		const double exact = (double)values[(size_t)rank - 1];
		const double got = histogram_quantile(&histogram, quantiles[i]);

		assert_true(fabs(got - exact) <= exact / 256);
	}
	assert_true(fabs(histogram_mean(&histogram) - sum / VALUES) <= 1e-12 * sum / VALUES);
	assert_int_equal(histogram.max, values[VALUES - 1]);
}

static void small_values_are_exact(void **state)
{
	static struct histogram histogram;

	(void)state;
	histogram_init(&histogram);
	assert_true(histogram_quantile(&histogram, 0.5) == 0);
	assert_true(histogram_mean(&histogram) == 0);
	for (uint64_t value = 0; value < 256; value++)
		histogram_add(&histogram, value);
	for (int rank = 1; rank <= 256; rank++)
		assert_true(histogram_quantile(&histogram, rank / 256.0) == rank - 1);
	histogram_init(&histogram);
	histogram_add(&histogram, UINT64_MAX);
	assert_true(histogram_quantile(&histogram, 1) >= (double)UINT64_MAX * (1 - 1.0 / 256));
}

static void merging_equals_adding(void **state)
{
	static struct histogram both, first, second;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	histogram_init(&both);
	histogram_init(&first);
	histogram_init(&second);
	for (int i = 0; i < 1000; i++) {
		const uint64_t value = rng_below(&rng, 1 << 20);

		histogram_add(&both, value);
		histogram_add(i % 3 ? &first : &second, value);
	}
	histogram_merge(&first, &second);
	assert_memory_equal(&first, &both, sizeof(both));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_within_their_bound),
		cmocka_unit_test(small_values_are_exact),
		cmocka_unit_test(merging_equals_adding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
