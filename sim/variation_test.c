/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that change during a run, links that send aggregates, and the extremes of what runs.
 */
#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/test_folder.h"
#include "sim/test_support.h"

static struct sim_result *run(const char *text, uint64_t seed)
{
	return test_run(text, &(struct sim_options){.seed = seed, .bin_s = 1});
}

/* Another seed, another trace; the same seed, the same bytes. */
static void generated_rates_are_the_seeds(void **state)
{
	static const char text[] =
		"duration_s: 10\nwarmup_s: 2\nbottleneck: {rate_generated: {kind: lte, mean_mbps: "
		"12}, delay_ms: 10, aqm: codel}\nflows: [{cc: cubic, count: 2}]\n";
	struct sim_result *a = run(text, 1), *b = run(text, 1), *c = run(text, 2);

	(void)state;
	assert_memory_equal(a->queues, b->queues, sizeof(a->queues));
	assert_true(a->data_packets == b->data_packets && a->data_packets != c->data_packets);
	assert_true(a->utilisation > 0.7 && a->utilisation <= 1.001);
	test_drop(a);
	test_drop(b);
	test_drop(c);
}

/* One way of datagrams: 5 ms, then 25, then 10, and 1.2 ms on the wire. */
static void delays_move_in_steps(void **state)
{
	struct sim_result *result =
		run("duration_s: 30\nwarmup_s: 0\nbottleneck: {rate_mbps: 10, delay_ms: 5, aqm: "
		    "fifo, delay_steps: [{at_s: 10, delay_ms: 25}, {at_s: 18, delay_ms: 10}]}\n"
		    "flows: [{cc: udp, rate_mbps: 1}]\n",
		    1);
	const struct sketch *delay = &result->flows[0].app->datagrams.delay_ns;

	(void)state;
	assert_true(fabs(sketch_quantile(delay, 0.2) / 6.2e6 - 1) < 0.02);
	assert_true(fabs(sketch_quantile(delay, 0.5) / 11.2e6 - 1) < 0.02);
	assert_true(fabs(sketch_quantile(delay, 0.9) / 26.2e6 - 1) < 0.02);
	assert_int_equal(result->flows[0].app->datagrams.lost, 0);
	test_drop(result);
}

/* The link stands still for half a second every 5 s: in the worst case a packet waits that long. */
static void handovers_stop_and_change_the_link(void **state)
{
	static const char text[] =
		"duration_s: 40\nwarmup_s: 0\nbottleneck: {rate_mbps: 10, delay_ms: 5, aqm: fifo, "
		"handover: {every_s: 5, outage_ms: 500, rate_spread_percent: 50, delay_spread_ms: "
		"20}}\nflows: [{cc: udp, rate_mbps: 1}, {cc: udp, rate_mbps: 40, start_s: 30}]\n";
	struct sim_result *result = run(text, 3);
	const struct sketch *delay = &result->flows[0].app->datagrams.delay_ns;

	(void)state;
	assert_true(sketch_quantile(delay, 0.02) > 6e6 && sketch_quantile(delay, 0.02) < 8e6);
	assert_true(sketch_quantile(delay, 0.6) > 7e6);
	assert_true((double)result->queues[SIM_ALL].qdelay_ns.max > 499e6);
	/* In the last 10 s it is full: what passes is what the utilisation counts. */
	assert_true(fabs(result->bins[33].utilisation - 1) < 0.01);
	assert_true(result->bins[35].utilisation > 0.97 && result->bins[35].utilisation < 1.03);
	test_drop(result);
}

/* An exponential gap of 1 ms on average, then up to 16 packets of 0.12 ms. */
static void aggregates_share_their_gaps(void **state)
{
	static const char *const plans[] = {"packets: 1, gap_ms: 1", "packets: 16, gap_ms: 1",
					    "packets: 64, txop_ms: 0.5, gap_ms: 1"};
	static const double share[] = {0.12 / 1.12, 1.92 / 2.92, 0.6 / 1.6};

	(void)state;
	for (int i = 0; i < 3; i++) {
		char text[512];
		struct sim_result *result;

		snprintf(text, sizeof(text),
			 "duration_s: 10\nwarmup_s: 1\nbottleneck: {rate_mbps: 100, delay_ms: 5, "
			 "aqm: fifo, aggregation: {%s}}\nflows: [{cc: udp, rate_mbps: 200}]\n",
			 plans[i]);
		result = run(text, 1);
		assert_true(fabs(result->utilisation / share[i] - 1) < 0.05);
		test_drop(result);
	}
}

/* While it stands still packets stay in the queue: the longest wait there shows all of it. */
static void aggregates_wait_for_a_link_that_stands_still(void **state)
{
	struct sim_result *result =
		run("duration_s: 10\nwarmup_s: 1\nbottleneck: {rate_mbps: 100, delay_ms: 5, aqm: "
		    "fifo, aggregation: {}, handover: {every_s: 3, outage_ms: 400}}\n"
		    "flows: [{cc: udp, rate_mbps: 5}]\n",
		    1);

	(void)state;
	assert_true((double)result->queues[SIM_ALL].qdelay_ns.max > 395e6);
	assert_true((double)result->queues[SIM_ALL].qdelay_ns.max < 450e6);
	assert_int_equal(result->flows[0].app->datagrams.lost, 0);
	test_drop(result);
}

static void files_keep_what_changes(void **state)
{
	static const char *const texts[] = {
		"bottleneck: {rate_generated: {kind: wifi, mean_mbps: 30}, aggregation: {packets: "
		"8}, delay_steps: [{at_s: 1, delay_ms: 3}]}\nflows: [{cc: cubic}]\n",
		"bottleneck: {handover: {outage_ms: 20, delay_spread_ms: 7}}\n"
		"flows: [{cc: cubic}]\n",
	};

	(void)state;
	for (int i = 0; i < 2; i++) {
		char path[TEST_PATH_BYTES];
		struct scenario *scenario = test_parse(texts[i]);
		struct scenario *again = calloc(1, sizeof(*again));

		assert_int_equal(test_folder_make(), 0);
		test_path(path, "variation.yaml");
		assert_int_equal(scenario_write(scenario, path, NULL), 0);
		assert_int_equal(scenario_read(again, path, NULL), 0);
		assert_int_equal(again->rate_kind, scenario->rate_kind);
		assert_true(again->rate_mean_mbps == scenario->rate_mean_mbps);
		assert_memory_equal(&again->handover, &scenario->handover,
				    sizeof(again->handover));
		assert_memory_equal(&again->aggregation, &scenario->aggregation,
				    sizeof(again->aggregation));
		assert_memory_equal(again->delay_steps, scenario->delay_steps,
				    sizeof(again->delay_steps));
		test_forget(scenario);
		test_forget(again);
		assert_int_equal(test_folder_remove(), 0);
	}
}

static void files_keep_traces(void **state)
{
	char trace[TEST_PATH_BYTES], path[TEST_PATH_BYTES], text[TEST_PATH_BYTES + 100];
	struct scenario *scenario, *again = calloc(1, sizeof(*again));

	(void)state;
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "variation.yaml");
	assert_int_equal(file_write_all(test_path(trace, "trace"), "1\n2\n5\n", 6, NULL), 0);
	snprintf(text, sizeof(text), "bottleneck: {rate_trace: %s}\nflows: [{cc: cubic}]\n",
		 trace);
	scenario = test_parse(text);
	assert_int_equal(scenario_write(scenario, path, NULL), 0);
	assert_int_equal(scenario_read(again, path, NULL), 0);
	assert_int_equal(again->trace_count, 3);
	assert_int_equal(again->trace_ms[2], 5);
	test_forget(scenario);
	test_forget(again);
	assert_int_equal(test_folder_remove(), 0);
}

static void mistakes_are_named(void **state)
{
	static const struct {
		const char *bottleneck, *field;
	} rows[] = {
		{"rate_generated: {kind: dsl, mean_mbps: 1}", "kind"},
		{"rate_generated: {kind: lte}", "rate_generated"},
		{"rate_generated: {kind: lte, mean_mbps: 1}, rate_steps: [{at_s: 1, rate_mbps: 1}]",
		 "rate_generated"},
		{"handover: {every_s: 1, outage_ms: 1000}", "outage_ms"},
		{"handover: {outage_ms: 9}, rate_steps: [{at_s: 1, rate_mbps: 1}]", "handover"},
		{"handover: {delay_spread_ms: 9}, delay_steps: [{at_s: 1, delay_ms: 1}]",
		 "handover"},
		{"delay_steps: [{at_s: 1}]", "delay_ms"},
		{"delay_steps: [{at_s: 2, delay_ms: 1}, {at_s: 2, delay_ms: 2}]", "at_s"},
		{"aggregation: {packets: 0}", "packets"},
		{"aqm: l4s-freebsd, aggregation: {}", "aggregation"},
		{"aqm: l4s-freebsd, handover: {}", "handover"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario *scenario = calloc(1, sizeof(*scenario));
		struct sim_result result = {0};
		struct error error = {0};
		char text[256];
		int code;

		snprintf(text, sizeof(text), "bottleneck: {%s}\nflows: [{cc: cubic}]\n",
			 rows[i].bottleneck);
		code = scenario_parse(scenario, text, strlen(text), "test.yaml", &error);
		if (code == 0)
			code = sim_run(scenario, &(struct sim_options){.seed = 1}, &result, &error);
		assert_int_equal(error_exit_status(code), 2);
		assert_string_equal(error.field, rows[i].field);
		test_forget(scenario);
	}
}

/* A packet lasts 12 s at 1 kbit/s, and 0.12 us at 100 Gbit/s. */
static void from_a_kilobit_to_a_hundred_gigabits(void **state)
{
	struct sim_result *slow = run("duration_s: 2000\nwarmup_s: 500\nbottleneck: {rate_mbps: "
				      "0.001, delay_ms: 10, aqm: fifo, limit_packets: 10}\n"
				      "flows: [{cc: newreno}]\n",
				      1);
	struct sim_result *fast =
		run("duration_s: 0.12\nwarmup_s: 0.11\nbottleneck: {rate_mbps: 100000, delay_ms: "
		    "0.05, aqm: dualpi2}\nflows: [{cc: prague, count: 10}, {cc: cubic, count: "
		    "10}]\n",
		    1);

	(void)state;
	assert_true(slow->utilisation > 0.95 && slow->utilisation < 1.01);
	assert_true(slow->flows[0].goodput_mbps > 0.0008);
	assert_true(fast->utilisation > 0.9 && fast->utilisation < 1.001);
	test_drop(slow);
	test_drop(fast);
}

static void ten_thousand_flows_share_a_link(void **state)
{
	struct sim_result *result =
		run("duration_s: 2\nwarmup_s: 1\nbottleneck: {rate_mbps: 1000, delay_ms: 10, aqm: "
		    "pie}\nimpairments: {loss_percent: 0.1}\nack_path: {keep_every: 2}\n"
		    "flows: [{cc: cubic, count: 5000, rtt_ms: 40}, {cc: newreno, count: 5000}]\n",
		    1);
	uint64_t served = 0;

	(void)state;
	for (uint64_t i = 0; i < result->flow_count; i++)
		served += result->flows[i].goodput_mbps > 0;
	assert_int_equal(result->flow_count, 10000);
	assert_true(served > 6000);
	assert_true(result->utilisation > 0.95);
	test_drop(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generated_rates_are_the_seeds),
		cmocka_unit_test(delays_move_in_steps),
		cmocka_unit_test(handovers_stop_and_change_the_link),
		cmocka_unit_test(aggregates_share_their_gaps),
		cmocka_unit_test(aggregates_wait_for_a_link_that_stands_still),
		cmocka_unit_test(files_keep_what_changes),
		cmocka_unit_test(files_keep_traces),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(from_a_kilobit_to_a_hundred_gigabits),
		cmocka_unit_test(ten_thousand_flows_share_a_link),
	};

	return cmocka_run_group_tests_name("variation", tests, NULL, NULL);
}
