/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Networks beyond the bottleneck, from a file, into the run, and back into a file.
 */
#include <unistd.h>

#include "base/test_folder.h"
#include "sim/test_support.h"

#define HEAD "duration_s: 20\nwarmup_s: 5\nbottleneck: {rate_mbps: 8, delay_ms: 10, aqm: pie}\n"

static struct sim_result *run(const char *text, uint64_t seed)
{
	return test_run(text, &(struct sim_options){.seed = seed});
}

static void files_keep_impairments(void **state)
{
	static const char text[] = HEAD
		"impairments: {loss_percent: 0.25}\n"
		"ack_path: {rate_mbps: 0.5, keep_every: 2}\nflows:\n"
		"  - {cc: cubic, impairments: {loss_burst: {enter_percent: 0.1, "
		"leave_percent: 20}}}\n"
		"  - {cc: cubic, return_impairments: {reorder_percent: 3, reorder_ms: 1.5, "
		"jitter_ms: 2, jitter_order: free, stall: {every_ms: 80, for_ms: 3}}}\n";
	char path[TEST_PATH_BYTES];
	struct scenario *scenario = test_parse(text), again;
	struct error error = {0};

	(void)state;
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "network.yaml");
	assert_true(scenario->impairments.loss_percent == 0.25);
	assert_true(scenario->groups[0].impairments.burst.loss_percent == 100);
	assert_true(scenario->groups[1].return_impairments.may_overtake);
	assert_int_equal(scenario_write(scenario, path, &error), 0);
	assert_int_equal(scenario_read(&again, path, &error), 0);
	assert_memory_equal(&again.impairments, &scenario->impairments,
			    sizeof(again.impairments));
	assert_memory_equal(&again.ack_path, &scenario->ack_path, sizeof(again.ack_path));
	assert_memory_equal(again.groups, scenario->groups, sizeof(again.groups));
	scenario_free(&again);
	test_forget(scenario);
	assert_int_equal(test_folder_remove(), 0);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *text, *field;
		long line;
	} rows[] = {
		{HEAD "impairments:\n  loss: 1\nflows: [{cc: cubic}]\n", "loss", 5},
		{HEAD "impairments:\n  loss_percent: 101\nflows: [{cc: cubic}]\n", "loss_percent",
		 5},
		{HEAD "impairments: {reorder_ms: 1}\nflows: [{cc: cubic}]\n", "reorder_ms", 4},
		{HEAD "impairments: {jitter_order: none}\nflows: [{cc: cubic}]\n", "jitter_order",
		 4},
		{HEAD "flows:\n  - {cc: cubic, return_impairments: {loss_burst: {}}}\n",
		 "loss_burst", 5},
		{HEAD "impairments: {stall: {for_ms: 3}}\nflows: [{cc: cubic}]\n", "stall", 4},
		{HEAD "impairments: {stall: {every_ms: 1e-9, for_ms: 3}}\nflows: [{cc: cubic}]\n",
		 "every_ms", 4},
		{HEAD "ack_path: {rate: 1}\nflows: [{cc: cubic}]\n", "rate", 4},
		{HEAD "ack_path: {keep_every: 1.5}\nflows: [{cc: cubic}]\n", "keep_every", 4},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario scenario;
		struct error error = {0};

		assert_int_equal(error_exit_status(scenario_parse(&scenario, rows[i].text,
								  strlen(rows[i].text),
								  "test.yaml", &error)),
				 2);
		assert_string_equal(error.field, rows[i].field);
		assert_int_equal(error.line, rows[i].line);
	}
}

/* A router on a clock of its own serves both ways by one pipe: nothing is behind it. */
static void a_router_with_a_clock_takes_none(void **state)
{
	struct scenario *scenario =
		test_parse("bottleneck: {aqm: l4s-freebsd}\nimpairments: {loss_percent: 1}\n"
		      "flows: [{cc: cubic}]\n");
	struct sim_result result;
	struct error error = {0};

	(void)state;
	assert_int_equal(sim_run(scenario, &(struct sim_options){.seed = 1}, &result, &error),
			 ERR_UNSUPPORTED);
	assert_string_equal(error.field, "impairments");
	test_forget(scenario);
}

/* Datagrams at 1 Mbit/s: 1250 in the 15 s after warm-up. */
static void a_group_alone_is_impaired(void **state)
{
	static const char text[] = HEAD
		"flows:\n  - {cc: udp, rate_mbps: 1, impairments: {loss_percent: 10}}\n"
		"  - {cc: udp, rate_mbps: 1}\n"
		"  - {cc: udp, rate_mbps: 1, impairments: {jitter_ms: 3, jitter_order: free}}\n";
	struct sim_result *result = run(text, 1);

	(void)state;
	assert_true(result->network.told);
	assert_in_range(result->flows[0].app->datagrams.lost, 85, 165);
	assert_int_equal(result->flows[1].app->datagrams.lost, 0);
	assert_in_range(result->network.lost, result->flows[0].app->datagrams.lost,
			result->flows[0].app->datagrams.lost + 2);
	assert_true(result->flows[1].app->datagrams.jitter_ns < 1e6);
	assert_true(result->flows[2].app->datagrams.jitter_ns > 2e6);
	test_drop(result);
}

/* What is impaired costs what it must; acknowledgements are cumulative and cost little. */
static void tcp_lives_with_them(void **state)
{
	static const char *const impairments[] = {
		"", ", impairments: {loss_percent: 2}", ", return_impairments: {loss_percent: 20}",
		", impairments: {reorder_percent: 5, reorder_ms: 4}",
		", return_impairments: {jitter_ms: 3}"};
	double mbps[5];

	(void)state;
	for (int i = 0; i < 5; i++) {
		char text[512];
		struct sim_result *result;

		snprintf(text, sizeof(text), HEAD "flows:\n  - {cc: cubic, rtt_ms: 40%s}\n",
			 impairments[i]);
		result = run(text, 3);
		mbps[i] = result->flows[0].goodput_mbps;
		assert_true(result->network.told == (i > 0));
		test_drop(result);
	}
	assert_true(mbps[0] > 7);
	assert_true(mbps[1] > 0.5 && mbps[1] < 0.6 * mbps[0]);
	assert_true(mbps[2] > 0.85 * mbps[0]);
	assert_true(mbps[3] > 0.8 * mbps[0]);
	assert_true(mbps[4] > 0.9 * mbps[0]);
}

static void runs_repeat(void **state)
{
	static const char text[] = HEAD
		"impairments: {loss_percent: 1, loss_burst: {enter_percent: 0.1, leave_percent: "
		"30}, jitter_ms: 1, reorder_percent: 1, reorder_ms: 2}\n"
		"flows:\n  - {cc: cubic, return_impairments: {loss_percent: 5}}\n";
	struct sim_result *a = run(text, 5), *b = run(text, 5), *c = run(text, 6);

	(void)state;
	assert_memory_equal(&a->network, &b->network, sizeof(a->network));
	assert_memory_equal(a->queues, b->queues, sizeof(a->queues));
	assert_true(a->flows[0].goodput_mbps == b->flows[0].goodput_mbps);
	assert_true(a->network.lost > 0 && a->network.reordered > 0 && a->network.return_lost > 0);
	assert_true(a->flows[0].goodput_mbps != c->flows[0].goodput_mbps);
	test_drop(a);
	test_drop(b);
	test_drop(c);
}

/* 20 Mbit/s of data need 0.35 Mbit/s of acknowledgements, one for two packets. */
static void narrow_ways_back_slow_flows_and_thinning_helps(void **state)
{
	static const char *const paths[] = {"rate_mbps: 0.1, limit_packets: 50",
					    "rate_mbps: 0.1, limit_packets: 50, keep_every: 8",
					    "keep_every: 4"};
	struct sim_result *result[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		char text[512];

		snprintf(text, sizeof(text),
			 "duration_s: 20\nwarmup_s: 5\nbottleneck: {rate_mbps: 20, delay_ms: 10, "
			 "aqm: pie}\nack_path: {%s}\nflows: [{cc: cubic}, {cc: newreno}]\n",
			 paths[i]);
		result[i] = run(text, 1);
		assert_non_null(result[i]->ack_path);
	}
	assert_true(result[0]->ack_path->link.utilisation > 0.95);
	assert_true(result[0]->ack_path->link.queues[SIM_ALL].drops > 1000);
	assert_int_equal(result[0]->ack_path->thinned, 0);
	assert_true(result[1]->ack_path->link.utilisation < 0.7);
	assert_true(result[1]->ack_path->thinned >
		    5 * result[1]->ack_path->link.queues[SIM_ALL].packets);
	assert_true(result[1]->utilisation > 0.95);
	assert_true(result[2]->ack_path->link.name[0] == '\0' && result[2]->utilisation > 0.95);
	for (int i = 0; i < 3; i++)
		test_drop(result[i]);
}

/* Datagrams there, so nothing to lose; acknowledgements back: a share of them is lost. */
static void ways_back_lose(void **state)
{
	static const char text[] = HEAD "ack_path: {loss_percent: 10}\nflows: [{cc: cubic}]\n";
	struct sim_result *result = run(text, 1);

	(void)state;
	assert_in_range(result->ack_path->lost, 300, 700); /* of 5000 */
	assert_true(result->utilisation > 0.95);
	test_drop(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_keep_impairments),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(a_router_with_a_clock_takes_none),
		cmocka_unit_test(a_group_alone_is_impaired),
		cmocka_unit_test(tcp_lives_with_them),
		cmocka_unit_test(runs_repeat),
		cmocka_unit_test(narrow_ways_back_slow_flows_and_thinning_helps),
		cmocka_unit_test(ways_back_lose),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
