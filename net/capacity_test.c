/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rates in steps, and Mahimahi's traces by its rules.
 */
#include "net/capacity.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/units.h"

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

/* Opportunities of the trace in [from, to), one by one. */
static double count_bytes(const struct rate_plan *plan, double from_s, double to_s)
{
	const uint64_t period_ms = plan->trace_ms[plan->trace_count - 1];
	double bytes = 0;

	for (uint64_t i = 0;; i++) {
		const uint64_t at_ms = i / plan->trace_count * period_ms +
				       plan->trace_ms[i % plan->trace_count];

		if (seconds_from_ns(at_ms * MS) >= to_s)
			return bytes;
		if (seconds_from_ns(at_ms * MS) >= from_s)
			bytes += 1500;
	}
}

static void what_traces_carry_is_counted(void **state)
{
	static const uint64_t traces[][6] = {{1, 1, 3, 10, 10, 17}, {0, 0, 0, 4, 4, 4},
					     {0, 1, 2, 3, 4, 5}, {9, 9, 9, 9, 9, 9}};
	struct rng random;

	(void)state;
	rng_seed(&random, 1);
	for (size_t i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		const struct rate_plan plan = {.trace_ms = traces[i], .trace_count = 6};

		for (int round = 0; round < 2000; round++) {
			const double from_s = (double)rng_below(&random, 100) / 1e3;
			const double to_s = from_s + (double)rng_below(&random, 200) / 2e3;

			assert_true(capacity_bytes(&plan, from_s, to_s) ==
				    count_bytes(&plan, from_s, to_s));
		}
		/* However far the end is: a router asks ten times a second, for years. */
		assert_true(capacity_bytes(&plan, 0, 1e9) > 1e9 * 1500 / 17e-3);
	}
}

static void files_that_are_no_traces_are_refused(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		long line;
	} wrong[] = {{"", 0, 1}, {"1\n2\nx\n", 6, 3}, {"1\n-2\n", 5, 2}, {"3\n2\n", 4, 2},
		     {"0\n0\n", 4, 1}, {"1\n2\n\0\n3\n", 8, 1}, {"1.5\n", 4, 1}};
	struct error error;
	uint64_t *trace_ms, count;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error = (struct error){0};
		assert_int_equal(rate_trace_parse(wrong[i].text, wrong[i].size, "file", &trace_ms,
						  &count, &error),
				 ERR_INVALID);
		assert_int_equal(error.line, wrong[i].line);
		free(trace_ms);
	}
	assert_int_equal(rate_trace_parse("0\r\n1\n1\n7", 8, "file", &trace_ms, &count, NULL), 0);
	assert_int_equal(count, 4);
	assert_int_equal(trace_ms[3], 7);
	free(trace_ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(traces_follow_mahimahi),
		cmocka_unit_test(links_that_stand_still_go_on),
		cmocka_unit_test(links_say_when_they_begin),
		cmocka_unit_test(what_traces_carry_is_counted),
		cmocka_unit_test(files_that_are_no_traces_are_refused),
	};

	return cmocka_run_group_tests_name("capacity", tests, NULL, NULL);
}
