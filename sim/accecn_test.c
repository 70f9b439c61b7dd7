/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AccECN in closed loop, under the controls of TCP: half of the acknowledgements
 * get lost, the marks are heard of all the same.  Not DCTCP: unpaced, it sends bursts
 * for want of acknowledgements, which a 1 ms step marks whatever the feedback.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

static void run(const char *cc, const char *ecn, const char *aqm, double ack_loss_percent,
		struct sim_result *result)
{
	const struct sim_options options = {.seed = 1};
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	char text[512];

	snprintf(text, sizeof(text),
		 "duration_s: 40\nwarmup_s: 10\nbottleneck:\n  rate_mbps: 40\n  delay_ms: 10\n"
		 "  aqm: %s\nflows:\n  - {cc: %s, count: 2, ecn: %s,"
		 " return_impairments: {loss_percent: %g}}\n",
		 aqm, cc, ecn, ack_loss_percent);
	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error) ||
	    sim_run(scenario, &options, result, &error))
		fail_msg("%s", error.text);
	scenario_free(scenario);
	free(scenario);
}

static void marks_are_heard_of_with_half_of_the_acknowledgements(void **state)
{
	static const char *const names[] = {"newreno", "cubic", "bbr", "prague"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct sim_result result;
		const struct sim_queue_result *l = &result.queues[AQM_QUEUE_L];
		const struct sim_queue_result *c = &result.queues[AQM_QUEUE_C];
		const bool scalable = i >= 3;
		double mean_ms;

		run(names[i], "accecn", "dualpi2", 50, &result);
		/* ECT(1) for the scalable alone; and marks instead of losses. */
		assert_true(scalable ? l->packets > 9 * c->packets : l->packets == 0);
		assert_true((scalable ? l : c)->marks > 20);
		assert_int_equal(result.queues[SIM_ALL].drops, 0);
		assert_true(result.utilisation > (scalable ? 0.8 : 0.95));
		/* The queue is held as it is with every acknowledgement: nobody is deaf. */
		mean_ms = histogram_mean(&(scalable ? l : c)->qdelay_ns) / 1e6;
		assert_true(mean_ms < (scalable ? 1.5 : 20));
		sim_result_free(&result);
	}
}

/* Without losses a Reno that is told exactly does what one that is echoed to does. */
static void classic_controls_answer_as_to_echoes(void **state)
{
	static const char *const names[] = {"newreno", "cubic"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct sim_result exact, echo;

		run(names[i], "accecn", "pie", 0, &exact);
		run(names[i], "classic", "pie", 0, &echo);
		assert_true(fabs((double)exact.queues[SIM_ALL].marks /
					 (double)echo.queues[SIM_ALL].marks - 1) < 0.25);
		assert_true(fabs(exact.utilisation - echo.utilisation) < 0.02);
		sim_result_free(&exact);
		sim_result_free(&echo);
	}
}

static void datagrams_have_no_feedback(void **state)
{
	static const char text[] = "duration_s: 8\nbottleneck: {rate_mbps: 20, delay_ms: 10,"
				   " aqm: pie}\nflows:\n  - {cc: udp, rate_mbps: 1, ecn: accecn}\n";
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	(void)state;
	assert_int_not_equal(scenario_parse(scenario, text, strlen(text), "t.yaml", &error), 0);
	assert_non_null(strstr(error.text, "accecn"));
	scenario_free(scenario);
	free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marks_are_heard_of_with_half_of_the_acknowledgements),
		cmocka_unit_test(classic_controls_answer_as_to_echoes),
		cmocka_unit_test(datagrams_have_no_feedback),
	};

	return cmocka_run_group_tests_name("AccECN in closed loop", tests, NULL, NULL);
}
