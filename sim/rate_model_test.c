/* SPDX-License-Identifier: BSD-2-Clause */
/* Traces that are made up. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/rate_model.h"

/* Longest time without an opportunity, and the coefficient of variation over 100 ms. */
struct shape {
	uint64_t longest_ms;
	double variation;
};

static struct shape shape_of(const uint64_t *trace_ms, uint64_t count, uint64_t duration_ms)
{
	double *bins = calloc(duration_ms / 100 + 1, sizeof(*bins)), sum = 0, squares = 0;
	const double n = (double)duration_ms / 100;
	struct shape shape = {0};

	for (uint64_t i = 0; i < count; i++) {
		bins[trace_ms[i] / 100]++;
		if (i > 0 && trace_ms[i] - trace_ms[i - 1] > shape.longest_ms)
			shape.longest_ms = trace_ms[i] - trace_ms[i - 1];
	}
	for (uint64_t i = 0; i < duration_ms / 100; i++) {
		sum += bins[i];
		squares += bins[i] * bins[i];
	}
	free(bins);
	shape.variation = sqrt(squares / n - sum * sum / n / n) / (sum / n);
	return shape;
}

static void generated_traces_have_their_mean_and_shape(void **state)
{
	static const struct {
		enum rate_kind kind;
		double variation_least, variation_most;
		uint64_t longest_least, longest_most;
	} rows[] = {
		{RATE_LTE, 0.4, 1.0, 100, 6000},
		{RATE_WIFI, 0.4, 0.9, 8, 60},
		{RATE_SATELLITE, 0.15, 0.5, 15, 110},
	};

	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct rng random;
			uint64_t count;
			uint64_t *trace_ms;
			struct shape shape;

			rng_seed(&random, seed);
			trace_ms = rate_model_trace(rows[i].kind, 24, 120000, random, &count);
			shape = shape_of(trace_ms, count, 120000);
			assert_true(fabs((double)count / 240000 - 1) < 0.02);
			assert_int_equal(trace_ms[count - 1], 120000);
			assert_true(shape.variation > rows[i].variation_least);
			assert_true(shape.variation < rows[i].variation_most);
			assert_in_range(shape.longest_ms, rows[i].longest_least,
					rows[i].longest_most);
			for (uint64_t j = 1; j < count; j++)
				assert_true(trace_ms[j] >= trace_ms[j - 1]);
			free(trace_ms);
		}
	}
}

static void slow_and_short_traces_work(void **state)
{
	struct rng random;
	uint64_t count, *trace_ms;

	(void)state;
	rng_seed(&random, 1);
	trace_ms = rate_model_trace(RATE_LTE, 0.1, 1, random, &count);
	assert_int_equal(trace_ms[count - 1], 1);
	free(trace_ms);
	trace_ms = rate_model_trace(RATE_SATELLITE, 0.1, 10000, random, &count);
	assert_in_range(count, 82, 86);
	free(trace_ms);
}

static void kinds_have_names(void **state)
{
	(void)state;
	assert_int_equal(rate_kind_find("wifi"), RATE_WIFI);
	assert_int_equal(rate_kind_find("none"), RATE_NONE);
	assert_int_equal(rate_kind_find("5g"), RATE_NONE);
	assert_string_equal(rate_kind_name(RATE_SATELLITE), "satellite");
	assert_null(rate_kind_name((enum rate_kind)(RATE_SATELLITE + 1)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generated_traces_have_their_mean_and_shape),
		cmocka_unit_test(slow_and_short_traces_work),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests_name("rate model", tests, NULL, NULL);
}
