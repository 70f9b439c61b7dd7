/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws with delay targets and flow queues in closed loop, beside published and
 * measured figures: shares of flows, mean queue delay, isolation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

/* Two Cubic flows, one with ECN and one without, at 40 Mbit/s and 5 ms. */
static const char ecn_and_none[] =
	"name: ecn_and_none\nduration_s: 40\nwarmup_s: 13\n"
	"bottleneck: {rate_mbps: 40, delay_ms: 2.5}\n"
	"flows:\n  - {cc: cubic, ecn: classic}\n  - {cc: cubic, ecn: none}\n";

/* The paper's mix, without its router. */
static const char mix[] = "name: mix\nduration_s: 60\nwarmup_s: 5\n"
			  "bottleneck: {rate_mbps: 8, delay_ms: 10}\n"
			  "flows:\n  - {cc: cubic, count: 2}\n  - {cc: newreno, count: 2}\n"
			  "  - {cc: dctcp}\n";

/* A flow that does not respond, at twice the rate, against one that does. */
static const char flood[] = "name: flood\nduration_s: 30\nwarmup_s: 10\n"
			    "bottleneck: {rate_mbps: 8, delay_ms: 10}\n"
			    "flows:\n  - {cc: udp, rate_mbps: 16}\n  - {cc: cubic}\n";

static void run(const char *text, const char *law, uint64_t seed, struct sim_result *result)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct sim_options options = {.seed = seed};
	struct error error = {0};
	void *params;

	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error) ||
	    sim_law_named(scenario, law, &options.law, &params, &error))
		fail_msg("%s", error.text);
	options.params = params;
	if (sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	free(params);
	scenario_free(scenario);
	free(scenario);
}

static double mean_ms(const struct sim_result *result)
{
	return histogram_mean(&result->queues[SIM_ALL].qdelay_ns) / 1e6;
}

static void within(double value, double low, double high, const char *what)
{
	if (!(value >= low && value <= high))
		fail_msg("%s: %g is not in [%g, %g]", what, value, low, high);
}

/* Published for FQ-CoDel on a testbed: ratio 1.00, mean 5.7 ms. */
static void ecn_is_no_advantage_between_flow_queues(void **state)
{
	static const char *const laws[] = {"fq_codel", "fq_pie"};

	(void)state;
	for (size_t i = 0; i < sizeof(laws) / sizeof(laws[0]); i++) {
		for (uint64_t seed = 1; seed <= 3; seed++) {
			struct sim_result result;

			run(ecn_and_none, laws[i], seed, &result);
			within(result.flows[0].goodput_mbps / result.flows[1].goodput_mbps, 0.98,
			       1.02, laws[i]);
			within(result.utilisation, 0.99, 1.0001, laws[i]);
			if (strcmp(laws[i], "fq_codel") == 0)
				within(mean_ms(&result), 5.7 / 1.15, 5.7 * 1.15, "mean ms");
			sim_result_free(&result);
		}
	}
}

/* ns-3.37 on the paper's mix: CoDel 16.8 ms, FQ-CoDel 22.2 ms, both near full utilisation. */
static void delays_on_the_mix_are_those_of_a_peer(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 3; seed++) {
		struct sim_result result;

		run(mix, "codel", seed, &result);
		within(mean_ms(&result), 16.8 * 0.8, 16.8 * 1.2, "codel, mean ms");
		within(result.utilisation, 0.98, 1.0001, "codel");
		sim_result_free(&result);
		run(mix, "fq_codel", seed, &result);
		within(mean_ms(&result), 22.2 * 0.8, 22.2 * 1.2, "fq_codel, mean ms");
		/* Who halves leaves some of the share unused, which goes to the others. */
		for (int i = 1; i < 5; i++)
			within(result.flows[i].goodput_mbps / result.flows[0].goodput_mbps,
			       strcmp(result.flows[i].cc, "cubic") == 0 ? 0.97 : 0.85, 1.03,
			       "fq_codel, share");
		within(result.flows[3].goodput_mbps / result.flows[2].goodput_mbps, 0.97, 1.03,
		       "fq_codel, NewReno's share");
		sim_result_free(&result);
	}
}

static void a_flood_is_contained_by_flow_queues_only(void **state)
{
	static const struct {
		const char *law;
		double low, high; /* the responsive flow's goodput, Mbit/s */
	} cases[] = {
		{"fq_codel", 3.7, 4},
		{"fq_pie", 3.6, 4},
		{"cake", 3.6, 4},
		{"codel", 0, 0.5},
		{"cobalt", 0, 0.5},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_result result;

		run(flood, cases[i].law, 1, &result);
		within(result.flows[1].goodput_mbps, cases[i].low, cases[i].high, cases[i].law);
		sim_result_free(&result);
	}
}

/*
 * One host with one flow, one with four: halves for hosts, or fifths for flows.  Not exactly: a
 * flow of the four that is sparse for a moment goes first and does not count among its host's.
 */
static const char hosts[] = "name: hosts\nduration_s: 40\nwarmup_s: 10\n"
			    "bottleneck: {rate_mbps: 20, delay_ms: 10}\n"
			    "flows:\n  - {cc: udp, rate_mbps: 20, source_host: 5}\n"
			    "  - {cc: cubic, count: 4, source_host: 6}\n";

static void cake_shares_between_hosts(void **state)
{
	static const struct {
		const char *setting;
		double udp_mbps;
	} cases[] = {{"isolation=dual-srchost", 9.73}, {"isolation=flows", 3.9},
		     {"isolation=triple-isolate", 3.9}};
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sim_options options = {.seed = 1, .law = aqm_find("cake")};
		void *params = malloc(options.law->params_size);
		struct sim_result result;

		options.params = params;
		assert_int_equal(scenario_parse(scenario, hosts, strlen(hosts), "test", NULL), 0);
		assert_int_equal(aqm_params_default(options.law, params, NULL), 0);
		assert_int_equal(aqm_params_set(options.law, params, cases[i].setting, NULL), 0);
		assert_int_equal(sim_run(scenario, &options, &result, NULL), 0);
		within(result.flows[0].goodput_mbps, 0.9 * cases[i].udp_mbps,
		       1.1 * cases[i].udp_mbps, cases[i].setting);
		sim_result_free(&result);
		scenario_free(scenario);
		free(params);
	}
	free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ecn_is_no_advantage_between_flow_queues),
		cmocka_unit_test(delays_on_the_mix_are_those_of_a_peer),
		cmocka_unit_test(a_flood_is_contained_by_flow_queues_only),
		cmocka_unit_test(cake_shares_between_hosts),
	};

	return cmocka_run_group_tests_name("flow laws", tests, NULL, NULL);
}
