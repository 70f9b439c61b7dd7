/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several bottlenecks in a row: who crosses which, what each tells, and files of them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/test_folder.h"
#include "sim/run.h"

#define LOT                                                                                        \
	"duration_s: 30\nwarmup_s: 10\n"                                                           \
	"bottleneck: {name: a, rate_mbps: 10, delay_ms: 5, aqm: pie}\n"                            \
	"hops:\n"                                                                                  \
	"  - {name: b, rate_mbps: 10, delay_ms: 5, aqm: dualpi2, params: [\"target_ms=5\"]}\n"     \
	"  - {name: c, rate_mbps: 10, delay_ms: 5, aqm: codel, limit_packets: 500}\n"

static struct sim_result *run(const char *text)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct sim_result *result = calloc(1, sizeof(*result));
	struct error error = {0};

	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error) ||
	    sim_run(scenario, &(struct sim_options){.seed = 1}, result, &error))
		fail_msg("%s: %s", error.field, error.text);
	scenario_free(scenario);
	free(scenario);
	return result;
}

static void drop(struct sim_result *result)
{
	sim_result_free(result);
	free(result);
}

static void the_long_way_gets_less(void **state)
{
	struct sim_result *result = run(LOT "flows:\n  - {cc: cubic, rtt_ms: 40}\n"
					    "  - {cc: cubic, rtt_ms: 40, path: [a]}\n"
					    "  - {cc: cubic, rtt_ms: 40, path: [b]}\n"
					    "  - {cc: cubic, rtt_ms: 40, path: [c]}\n");

	(void)state;
	assert_int_equal(result->hop_count, 2);
	assert_string_equal(result->hops[0].name, "b");
	assert_string_equal(result->hops[1].aqm, "codel");
	assert_true(result->utilisation > 0.9);
	for (int i = 0; i < 2; i++)
		assert_true(result->hops[i].utilisation > 0.9 &&
			    result->hops[i].queues[SIM_ALL].marks > 0);
	for (int i = 1; i < 4; i++) {
		assert_true(result->flows[0].goodput_mbps < 0.8 * result->flows[i].goodput_mbps);
		assert_true(result->flows[0].goodput_mbps + result->flows[i].goodput_mbps > 8.5);
	}
	drop(result);
}

/* Datagrams are counted where they pass and nowhere else: 1667 in 20 s at 1 Mbit/s. */
static void each_crosses_what_it_says(void **state)
{
	struct sim_result *result = run(LOT "flows:\n  - {cc: udp, rate_mbps: 1, path: [a, c]}\n"
					    "  - {cc: udp, rate_mbps: 2, path: [b]}\n"
					    "  - {cc: udp, rate_mbps: 4}\n");

	(void)state;
	assert_in_range(result->queues[SIM_ALL].packets, 8320, 8350);
	assert_in_range(result->hops[0].queues[SIM_ALL].packets, 9980, 10020);
	assert_in_range(result->hops[1].queues[SIM_ALL].packets, 8320, 8350);
	/* One way of an empty path: delays, and 1.2 ms on every link. */
	assert_true(fabs(sketch_quantile(&result->flows[1].app->datagrams.delay_ns, 0.01) - 6.2e6) <
		    0.1e6);
	assert_true(fabs(sketch_quantile(&result->flows[2].app->datagrams.delay_ns, 0.01) -
			 18.6e6) < 0.2e6);
	drop(result);
}

/* The same queue behind a link that never queues tells about the same. */
static void the_narrowest_hop_is_the_bottleneck(void **state)
{
	struct sim_result *one = run("duration_s: 30\nwarmup_s: 10\nbottleneck: {rate_mbps: 5, "
				     "delay_ms: 10, aqm: pie}\nflows: [{cc: cubic, count: 3}]\n");
	struct sim_result *two =
		run("duration_s: 30\nwarmup_s: 10\nbottleneck: {rate_mbps: 500, delay_ms: 5, aqm: "
		    "fifo}\nhops: [{name: far, rate_mbps: 5, delay_ms: 5, aqm: pie}]\n"
		    "flows: [{cc: cubic, count: 3}]\n");
	const double there_ms = histogram_mean(&one->queues[SIM_ALL].qdelay_ns) / 1e6;
	const double here_ms = histogram_mean(&two->hops[0].queues[SIM_ALL].qdelay_ns) / 1e6;

	(void)state;
	assert_true(histogram_mean(&two->queues[SIM_ALL].qdelay_ns) < 1e6);
	assert_true(fabs(here_ms / there_ms - 1) < 0.15);
	assert_true(fabs(two->hops[0].utilisation - one->utilisation) < 0.02);
	drop(one);
	drop(two);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *field;
	} rows[] = {
		{LOT "flows:\n  - {cc: cubic, path: [d]}\n", "path"},
		{LOT "flows:\n  - {cc: cubic, path: [b, a]}\n", "path"},
		{LOT "flows:\n  - {cc: cubic, path: [b, b]}\n", "path"},
		{LOT "flows:\n  - {cc: cubic, path: []}\n", "path"},
		{LOT "flows:\n  - {cc: cubic, rtt_ms: 29}\n", "rtt_ms"},
		{"hops: [{name: x}]\nflows: [{cc: cubic}]\n", "rate_mbps"},
		{"hops: [{rate_mbps: 1}]\nflows: [{cc: cubic}]\n", "name"},
		{"hops: [{name: bottleneck, rate_mbps: 1}]\nflows: [{cc: cubic}]\n", "hops"},
		{"hops: [{name: x, rate_mbps: 1, aqm: nothing}]\nflows: [{cc: cubic}]\n", "aqm"},
		{"hops: [{name: x, rate_mbps: 1, aqm: l4s-freebsd}]\nflows: [{cc: cubic}]\n",
		 "aqm"},
		{"hops: [{name: x, rate_mbps: 1, aqm: pie, params: [\"k=1\"]}]\n"
		 "flows: [{cc: cubic}]\n",
		 "k=1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario *scenario = calloc(1, sizeof(*scenario));
		struct sim_result result = {0};
		struct error error = {0};
		int code = scenario_parse(scenario, rows[i].text, strlen(rows[i].text), "test.yaml",
					  &error);

		if (code == 0)
			code = sim_run(scenario, &(struct sim_options){.seed = 1}, &result, &error);
		assert_int_equal(error_exit_status(code), 2);
		assert_string_equal(error.field, rows[i].field);
		scenario_free(scenario);
		free(scenario);
	}
}

static void files_keep_hops_and_paths(void **state)
{
	static const char text[] = LOT "flows:\n  - {cc: cubic, path: [a, c]}\n  - {cc: dctcp}\n";
	char path[TEST_PATH_BYTES];
	struct scenario *scenario = calloc(1, sizeof(*scenario)), *again;
	struct error error = {0};

	(void)state;
	again = calloc(1, sizeof(*again));
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "routes.yaml");
	assert_int_equal(scenario_parse(scenario, text, strlen(text), "test.yaml", &error), 0);
	assert_int_equal(scenario_write(scenario, path, &error), 0);
	assert_int_equal(scenario_read(again, path, &error), 0);
	assert_string_equal(again->place, "a");
	assert_int_equal(again->hop_count, 2);
	for (uint64_t i = 0; i < again->hop_count; i++) {
		struct hop_plan *hop = &again->hops[i];

		/* They may stand elsewhere in the file. */
		hop->line = scenario->hops[i].line;
		memcpy(hop->param_lines, scenario->hops[i].param_lines, sizeof(hop->param_lines));
		assert_memory_equal(hop, &scenario->hops[i], sizeof(*hop));
	}
	assert_memory_equal(again->groups, scenario->groups, sizeof(again->groups));
	scenario_free(again);
	scenario_free(scenario);
	free(again);
	free(scenario);
	assert_int_equal(test_folder_remove(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_long_way_gets_less),
		cmocka_unit_test(each_crosses_what_it_says),
		cmocka_unit_test(the_narrowest_hop_is_the_bottleneck),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(files_keep_hops_and_paths),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
