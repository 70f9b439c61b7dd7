/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR in closed loop: alone, beside CUBIC, and where it is told of congestion by marks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

static void run(double rtt_ms, const char *aqm, const char *param, const char *flows,
		struct sim_result *result)
{
	const struct sim_options options = {.seed = 1};
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	char text[512];

	snprintf(text, sizeof(text),
		 "duration_s: 50\nwarmup_s: 10\nbottleneck:\n  rate_mbps: 40\n  delay_ms: %g\n"
		 "  aqm: %s\n  params: [\"%s\"]\nflows:\n%s",
		 rtt_ms / 2, aqm, param, flows);
	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error) ||
	    sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	scenario_free(scenario);
	free(scenario);
}

static double mean_ms(const struct sim_result *result)
{
	return histogram_mean(&result->queues[SIM_ALL].qdelay_ns) / 1e6;
}

static void alone_it_fills_the_link_and_bounds_the_queue(void **state)
{
	static const double rtts_ms[] = {20, 50, 100};

	(void)state;
	for (size_t i = 0; i < sizeof(rtts_ms) / sizeof(rtts_ms[0]); i++) {
		struct sim_result result;

		run(rtts_ms[i], "fifo", "limit_packets=2000", "  - {cc: bbr, ecn: none}\n",
		    &result);
		assert_true(result.utilisation >= 0.95);
		assert_true(mean_ms(&result) < 0.25 * rtts_ms[i]);
		/* Not a third of the 600 ms that the buffer holds: what CUBIC would fill. */
		assert_true(histogram_quantile(&result.queues[SIM_ALL].qdelay_ns, 0.999) <
			    2e6 * rtts_ms[i]);
		assert_int_equal(result.flows[0].retransmits, 0);
		sim_result_free(&result);
	}
}

/* A buffer of a third of the product: losses stay under the 2 % that it tolerates. */
static void shallow_buffers_are_enough(void **state)
{
	struct sim_result result;

	(void)state;
	run(50, "fifo", "limit_packets=50", "  - {cc: bbr, ecn: none}\n", &result);
	assert_true(result.utilisation >= 0.95);
	assert_true((double)result.queues[SIM_ALL].drops <
		    0.005 * (double)result.queues[SIM_ALL].packets);
	sim_result_free(&result);
}

/* Deep and shallow buffers, PIE with marks: CUBIC keeps a share, and so does BBR. */
static void it_leaves_cubic_a_share(void **state)
{
	static const struct {
		double rtt_ms;
		const char *aqm, *param, *ecn;
		double low, high;
	} cases[] = {
		{50, "fifo", "limit_packets=170", "none", 1, 6},
		{50, "fifo", "limit_packets=680", "none", 0.5, 2},
		{20, "pie", "target_ms=15", "classic", 0.5, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_result result;
		char flows[128];
		double ratio;

		snprintf(flows, sizeof(flows), "  - {cc: bbr, ecn: %s}\n  - {cc: cubic, ecn: %s}\n",
			 cases[i].ecn, cases[i].ecn);
		run(cases[i].rtt_ms, cases[i].aqm, cases[i].param, flows, &result);
		ratio = result.flows[0].goodput_mbps / result.flows[1].goodput_mbps;
		if (ratio < cases[i].low || ratio > cases[i].high)
			fail_msg("case %zu: BBR : CUBIC is %g", i, ratio);
		assert_true(result.utilisation > 0.97);
		sim_result_free(&result);
	}
}

static void marks_are_answered(void **state)
{
	struct sim_result marked, unmarked;

	(void)state;
	run(20, "pie", "target_ms=15", "  - {cc: bbr, count: 5}\n", &marked);
	run(20, "fifo", "limit_packets=2000", "  - {cc: bbr, count: 5, ecn: none}\n", &unmarked);
	assert_true(marked.queues[SIM_ALL].marks > 100);
	assert_true(mean_ms(&marked) < 0.7 * mean_ms(&unmarked));
	assert_true(marked.utilisation > 0.97);
	sim_result_free(&marked);
	sim_result_free(&unmarked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone_it_fills_the_link_and_bounds_the_queue),
		cmocka_unit_test(shallow_buffers_are_enough),
		cmocka_unit_test(it_leaves_cubic_a_share),
		cmocka_unit_test(marks_are_answered),
	};

	return cmocka_run_group_tests_name("bbr in closed loop", tests, NULL, NULL);
}
