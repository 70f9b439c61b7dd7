/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulator as a whole: scenario files, repeatability, conservation (which
 * sim_run() checks itself), and short envelopes of the two scenarios of the
 * paper.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "sim/run.h"

static const char dumbbell[] =
	"name: test\nduration_s: 20\nwarmup_s: 5\nbottleneck:\n  rate_mbps: 8\n  delay_ms: 10\n"
	"  aqm: dualpi2\n  params: [\"profile=rfc9332\", \"min_qlen_step=1\"]\n"
	"flows:\n  - {cc: cubic, count: 2}\n  - {cc: newreno, count: 2}\n"
	"  - {cc: dctcp, count: 1}\n  - {cc: udp, rate_mbps: 0.2}\n";

static struct scenario *parse(const char *text)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error))
		fail_msg("%s", error.text);
	return scenario;
}

static struct sim_result *run(const char *text, const char *law, uint64_t seed)
{
	struct scenario *scenario = parse(text);
	struct sim_result *result = calloc(1, sizeof(*result));
	struct sim_options options = {.seed = seed, .bin_s = 0.5};
	struct error error = {0};
	void *params;

	assert_int_equal(sim_law_named(scenario, law, &options.law, &params, NULL), 0);
	options.params = params;
	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
	scenario_free(scenario);
	free(scenario);
	return result;
}

static void drop(struct sim_result *result)
{
	sim_result_free(result);
	free(result);
}

/* Everything but wall time. */
static bool same(const struct sim_result *a, const struct sim_result *b)
{
	return a->data_packets == b->data_packets && a->utilisation == b->utilisation &&
	       memcmp(a->queues, b->queues, sizeof(a->queues)) == 0 &&
	       memcmp(a->bins, b->bins, a->bin_count * sizeof(*a->bins)) == 0 &&
	       a->flows[0].goodput_mbps == b->flows[0].goodput_mbps;
}

static void runs_repeat_bit_for_bit(void **state)
{
	static const char *const laws[] = {"fifo", "pie", "dualpi2", "l4s-freebsd"};

	(void)state;
	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
		struct sim_result *a = run(dumbbell, laws[i], 7), *b = run(dumbbell, laws[i], 7);
		struct sim_result *c = run(dumbbell, laws[i], 8);

		assert_true(same(a, b));
		assert_false(same(a, c));
		drop(a);
		drop(b);
		drop(c);
	}
}

struct crowd {
	struct sim_result *results[6];
};

static int run_one(void *context, size_t index)
{
	struct crowd *crowd = context;

	crowd->results[index] = run(dumbbell, NULL, 1 + index / 2);
	return 0;
}

static void threads_do_not_matter(void **state)
{
	struct crowd one = {{NULL}}, many = {{NULL}};

	(void)state;
	assert_int_equal(parallel_for(6, 1, run_one, &one), 0);
	assert_int_equal(parallel_for(6, 3, run_one, &many), 0);
	for (size_t i = 0; i < 6; i++) {
		assert_true(same(one.results[i], many.results[i]));
		drop(one.results[i]);
		drop(many.results[i]);
	}
}

/* Targets of the scenario as the paper describes it; the full run is bench/paper_as_run.sh. */
static void the_paper_stays_in_its_envelope(void **state)
{
	struct sim_result *result = run(dumbbell, NULL, 1);
	const struct histogram *c = &result->queues[AQM_QUEUE_C].qdelay_ns;
	const struct histogram *l = &result->queues[AQM_QUEUE_L].qdelay_ns;

	(void)state;
	assert_true(result->utilisation >= 0.98 && result->utilisation <= 1.0001);
	assert_true(histogram_mean(c) > 12e6 && histogram_mean(c) < 18e6);
	assert_true(histogram_mean(l) < 2.5e6 && histogram_quantile(l, 0.99) < 7e6);
	assert_true(result->flows[4].goodput_mbps > 0.5);
	drop(result);
}

static void a_fifo_fills_its_buffer_and_dualpi2_does_not(void **state)
{
	static const char deep[] = "name: deep\nduration_s: 20\nwarmup_s: 5\nbottleneck:\n"
				   "  rate_mbps: 8\n  delay_ms: 10\n  aqm: fifo\n"
				   "  limit_packets: 200\nflows:\n  - {cc: cubic, count: 2}\n";
	struct sim_result *fifo = run(deep, NULL, 1), *dualpi2 = run(deep, "dualpi2", 1);
	const double full_ns = 200 * 1500 * 8 / 8e6 * 1e9;

	(void)state;
	assert_true((double)fifo->queues[SIM_ALL].qdelay_ns.max > 0.9 * full_ns);
	assert_true((double)fifo->queues[SIM_ALL].qdelay_ns.max < 1.1 * full_ns);
	assert_true(fifo->queues[SIM_ALL].drops > 0);
	assert_true(histogram_mean(&dualpi2->queues[SIM_ALL].qdelay_ns) <
		    histogram_mean(&fifo->queues[SIM_ALL].qdelay_ns) / 3);
	drop(fifo);
	drop(dualpi2);
}

static void rate_steps_are_obeyed(void **state)
{
	static const char steps[] =
		"name: steps\nduration_s: 20\nwarmup_s: 0\nbottleneck:\n  rate_mbps: 8\n"
		"  delay_ms: 5\n  aqm: pie\n  rate_steps: [{at_s: 10, rate_mbps: 2}]\n"
		"flows:\n  - {cc: udp, rate_mbps: 20}\n";
	struct sim_result *result = run(steps, NULL, 1);

	(void)state;
	/* 8 Mbit/s x 10 s + 2 Mbit/s x 10 s, in packets of 1500 bytes. */
	assert_in_range(result->queues[SIM_ALL].packets, 8200, 8340);
	assert_true(result->utilisation > 0.98 && result->utilisation <= 1.001);
	drop(result);
}

static void bad_scenarios_name_line_and_key(void **state)
{
	static const struct {
		const char *text;
		long line;
		const char *field;
	} rows[] = {
		{"name: x\nbottlneck:\n  rate_mbps: 1\n", 2, "bottlneck"},
		{"name: x\nbottleneck:\n  rate_mbps: -1\nflows: []\n", 3, "rate_mbps"},
		{"name: x\nbottleneck:\n  rate_mbps: many\nflows: []\n", 3, "rate_mbps"},
		{"name: x\nbottleneck:\n  rate_mbps: .nan\nflows: []\n", 3, "rate_mbps"},
		{"name: x\nbottleneck: {rate_mbps: 1}\nflows:\n  - {cc: cubic, rtt: 5}\n", 4,
		 "rtt"},
		{"name: x\nname: y\n", 2, "name"},
		{"name: [\n", 2, ""},
		{"", 0, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scenario *scenario = calloc(1, sizeof(*scenario));
		struct error error = {0};

		assert_int_equal(error_exit_status(scenario_parse(scenario, rows[i].text,
								  strlen(rows[i].text), "bad.yaml",
								  &error)),
				 2);
		assert_string_equal(error.file, "bad.yaml");
		if (rows[i].field[0]) {
			assert_string_equal(error.field, rows[i].field);
			assert_int_equal(error.line, rows[i].line);
		}
		scenario_free(scenario);
		free(scenario);
	}
}

static void scenarios_read_back_as_written(void **state)
{
	struct scenario *scenario = parse(dumbbell), *back = calloc(1, sizeof(*back));

	(void)state;
	assert_int_equal(scenario_write(scenario, "sim_test.yaml", NULL), 0);
	assert_int_equal(scenario_read(back, "sim_test.yaml", NULL), 0);
	remove("sim_test.yaml");
	assert_string_equal(back->name, scenario->name);
	assert_memory_equal(back->groups, scenario->groups, sizeof(back->groups));
	assert_memory_equal(back->params, scenario->params, sizeof(back->params));
	assert_true(back->rate_mbps == scenario->rate_mbps);
	scenario_free(scenario);
	scenario_free(back);
	free(scenario);
	free(back);
}

/* Sparse datagrams and a link that stands still for two seconds: they wait in the queue, all. */
static void packets_wait_in_the_queue_while_the_link_stands_still(void **state)
{
	static const char outage[] =
		"name: outage\nduration_s: 12\nwarmup_s: 1\n"
		"bottleneck: {rate_mbps: 10, delay_ms: 5, "
		"handover: {every_s: 7, outage_ms: 2000}}\n"
		"flows:\n  - {cc: udp, rate_mbps: 0.12}\n";
	struct sim_result *result = run(outage, "fifo", 1);
	const struct histogram *waits = &result->queues[AQM_QUEUE_C].qdelay_ns;

	(void)state;
	/* A packet each 100 ms: the first of the outage waits for nearly all of it. */
	assert_true(histogram_quantile(waits, 1) >= 1890000000 &&
		    histogram_quantile(waits, 1) <= 2010000000);
	assert_true(histogram_quantile(waits, 0.5) < 1000000);
	drop(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_repeat_bit_for_bit),
		cmocka_unit_test(threads_do_not_matter),
		cmocka_unit_test(the_paper_stays_in_its_envelope),
		cmocka_unit_test(a_fifo_fills_its_buffer_and_dualpi2_does_not),
		cmocka_unit_test(rate_steps_are_obeyed),
		cmocka_unit_test(packets_wait_in_the_queue_while_the_link_stands_still),
		cmocka_unit_test(bad_scenarios_name_line_and_key),
		cmocka_unit_test(scenarios_read_back_as_written),
	};

	return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
