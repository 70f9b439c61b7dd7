/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of results made by hand, with known answers; and of classes in queues that mix them. */
#include "cli/trial_metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct aqm_policy_counts none;

static void take(double *values, struct sim_flow_result *flows, uint64_t count)
{
	struct sim_result *result = calloc(1, sizeof(*result));

	assert_non_null(result);
	result->flows = flows;
	result->flow_count = count;
	result->warmup_s = 10;
	result->duration_s = 22;
	trial_metrics_take(values, result, &none);
	free(result);
}

static void imbalance_is_between_means_of_long_lived_flows(void **state)
{
	struct sim_flow_result flows[] = {
		{.l4s = true, .long_lived = true, .goodput_mbps = 6},
		{.l4s = true, .long_lived = true, .goodput_mbps = 2},
		{.l4s = true, .goodput_mbps = 100}, /* an application, or it came late */
		{.long_lived = true, .goodput_mbps = 8},
		{.goodput_mbps = 1},
	};
	double values[TRIAL_METRICS];

	(void)state;
	take(values, flows, 5);
	assert_true(fabs(values[TRIAL_imbalance] - log(2)) < 1e-12);
	assert_true(values[TRIAL_l4s_goodput_mbps] == 108);
	assert_true(values[TRIAL_classic_goodput_mbps] == 9);
	assert_true(values[TRIAL_goodput_mbps] == 117);
	/* The other way round it is as large. */
	flows[3].goodput_mbps = 2;
	take(values, flows, 5);
	assert_true(fabs(values[TRIAL_imbalance] - log(2)) < 1e-12);
}

static void one_class_alone_has_no_imbalance_and_a_starved_one_a_large_one(void **state)
{
	struct sim_flow_result flows[] = {
		{.l4s = true, .long_lived = true, .goodput_mbps = 6},
		{.long_lived = true, .goodput_mbps = 0},
	};
	double values[TRIAL_METRICS];

	(void)state;
	take(values, flows, 1);
	assert_true(isnan(values[TRIAL_imbalance]));
	assert_true(isnan(values[TRIAL_classic_goodput_mbps]));
	/* 12,000 bits in 12 s are 1 kbit/s. */
	take(values, flows, 2);
	assert_true(fabs(values[TRIAL_imbalance] - log(6000)) < 1e-9);
}

/* One Prague and one Cubic flow without ECN under a law; and a Cubic flow that comes late. */
static void run(struct sim_result *result, const char *aqm)
{
	static const char text[] =
		"name: mix\nduration_s: 12\nwarmup_s: 2\n"
		"bottleneck: {rate_mbps: 20, delay_ms: 5, aqm: %s}\n"
		"flows: [{cc: prague}, {cc: cubic, ecn: none}, {cc: cubic, ecn: classic, "
		"start_s: 3}]\n";
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	const struct sim_options options = {.seed = 1};
	struct error error = {0};
	char yaml[400];

	assert_non_null(scenario);
	snprintf(yaml, sizeof(yaml), text, aqm);
	if (scenario_parse(scenario, yaml, strlen(yaml), "test.yaml", &error) ||
	    sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	scenario_free(scenario);
	free(scenario);
}

static void classes_are_those_of_packets_in_one_queue_or_two(void **state)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	double values[TRIAL_METRICS];

	(void)state;
	assert_non_null(result);
	run(result, "dualpi2");
	trial_metrics_take(values, result, &none);
	assert_true(values[TRIAL_l4s_delay_ms_p99] == values[TRIAL_l_qdelay_ms_p99]);
	assert_true(values[TRIAL_classic_delay_ms_p99] == values[TRIAL_c_qdelay_ms_p99]);
	assert_true(values[TRIAL_l4s_delay_ms_p99] < values[TRIAL_classic_delay_ms_p99] / 4);
	assert_true(result->flows[0].l4s && result->flows[0].long_lived);
	assert_true(!result->flows[1].l4s && result->flows[1].long_lived);
	assert_true(!result->flows[2].l4s && !result->flows[2].long_lived);
	sim_result_free(result);

	/* One queue for all: no L queue, and both classes wait alike; nothing is counted twice. */
	memset(result, 0, sizeof(*result));
	run(result, "pie");
	trial_metrics_take(values, result, &none);
	assert_true(isnan(values[TRIAL_l_qdelay_ms_p99]));
	assert_true(fabs(values[TRIAL_l4s_delay_ms_mean] / values[TRIAL_qdelay_ms_mean] - 1) < 0.3);
	assert_int_equal(result->class_qdelay_ns[AQM_QUEUE_L].count +
				 result->class_qdelay_ns[AQM_QUEUE_C].count,
			 result->queues[SIM_ALL].packets);
	assert_true(result->class_qdelay_ns[AQM_QUEUE_L].count > 1000);
	sim_result_free(result);
	free(result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(imbalance_is_between_means_of_long_lived_flows),
		cmocka_unit_test(one_class_alone_has_no_imbalance_and_a_starved_one_a_large_one),
		cmocka_unit_test(classes_are_those_of_packets_in_one_queue_or_two),
	};

	return cmocka_run_group_tests_name("trial_metrics", tests, NULL, NULL);
}
