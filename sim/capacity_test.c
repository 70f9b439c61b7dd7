/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates in steps, Mahimahi's traces by its rules, and traces that are made up.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/units.h"
#include "net/capacity.h"
#include "sim/rate_model.h"

#define MS NS_PER_MS

/*
 * Mahimahi's link (linkshell): each line is a moment at which 1500 bytes may leave; a line twice
 * is 3000 bytes; an opportunity with nothing to send is lost; short packets share one, long ones
 * take several; behind the last line the trace begins again, as much later as that line says.
 */
static void traces_follow_mahimahi(void **state)
{
	const uint64_t trace_ms[] = {1, 1, 3, 10};
	const struct rate_plan plan = {.trace_ms = trace_ms, .trace_count = 4};
	struct capacity capacity;

	(void)state;
	capacity_init(&capacity, &plan);
	assert_int_equal(capacity_finish_ns(&capacity, 0, 1500), 1 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 1 * MS, 500), 1 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 1 * MS, 1000), 1 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 4 * MS, 40), 10 * MS); /* 3 is lost */
	assert_int_equal(capacity_finish_ns(&capacity, 10 * MS, 1500), 11 * MS); /* its rest, too */
	assert_int_equal(capacity_finish_ns(&capacity, 12 * MS, 3000), 20 * MS); /* 13 and 20 */
	assert_int_equal(capacity_finish_ns(&capacity, 100 * MS, 1500), 100 * MS);
	assert_true(capacity_bytes(&plan, 0, 0.02) == 7 * 1500.0); /* 20 itself is outside */
	assert_true(capacity_bytes(&plan, 1.001, 1.011) == 4 * 1500.0);
}

static void links_that_stand_still_go_on(void **state)
{
	const struct rate_step steps[] = {{1, 0}, {1.5, 4}, {3, 8}};
	const struct rate_plan plan = {.rate_mbps = 8, .steps = steps, .step_count = 3};
	struct capacity capacity;

	(void)state;
	capacity_init(&capacity, &plan);
	assert_int_equal(capacity_finish_ns(&capacity, 0, 1000), 1 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 1200 * MS, 1000), 1502 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 1600 * MS, 1000), 1602 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 4000 * MS, 1000), 4001 * MS);
	assert_true(fabs(capacity_bytes(&plan, 0.5, 2) - (0.5e6 + 0.25e6)) < 1);
}

/* Nothing is taken before it can go, and asking takes nothing. */
static void links_say_when_they_begin(void **state)
{
	const uint64_t trace_ms[] = {1, 10};
	const struct rate_plan trace = {.trace_ms = trace_ms, .trace_count = 2};
	const struct rate_step steps[] = {{1, 0}, {2, 0}, {3, 8}};
	const struct rate_plan plan = {.rate_mbps = 8, .steps = steps, .step_count = 3};
	struct capacity capacity;

	(void)state;
	capacity_init(&capacity, &trace);
	assert_int_equal(capacity_begin_ns(&capacity, 2 * MS), 10 * MS);
	assert_int_equal(capacity_begin_ns(&capacity, 2 * MS), 10 * MS);
	assert_int_equal(capacity_finish_ns(&capacity, 10 * MS, 500), 10 * MS);
	assert_int_equal(capacity_begin_ns(&capacity, 10 * MS), 10 * MS); /* its rest */
	capacity_init(&capacity, &plan);
	assert_int_equal(capacity_begin_ns(&capacity, 500 * MS), 500 * MS);
	assert_int_equal(capacity_begin_ns(&capacity, 1500 * MS), 3000 * MS);
	assert_int_equal(capacity_begin_ns(&capacity, 1600 * MS), 3000 * MS);
	assert_int_equal(capacity_begin_ns(&capacity, 3100 * MS), 3100 * MS);
}

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
		cmocka_unit_test(traces_follow_mahimahi),
		cmocka_unit_test(links_that_stand_still_go_on),
		cmocka_unit_test(links_say_when_they_begin),
		cmocka_unit_test(generated_traces_have_their_mean_and_shape),
		cmocka_unit_test(slow_and_short_traces_work),
		cmocka_unit_test(kinds_have_names),
	};

	return cmocka_run_group_tests_name("capacity", tests, NULL, NULL);
}
