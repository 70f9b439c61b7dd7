/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Equal flows in one queue of the simulator: 40 Mbit/s, 20 ms, PIE for the controls
 * that answer classic signals, DualPI2 for those that answer L4S ones.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run.h"
#include "tests/cc_laws/laws.h"

struct control {
	const char *cc, *aqm, *params;
	double share_in_s; /* that a newcomer may take to an even share */
	bool quick;
};

static const struct control controls[] = {
	{"newreno", "pie", "target_ms=15", 20, true},
	{"cubic", "pie", "target_ms=15", 20, false},
	{"dctcp", "dualpi2", "min_qlen_step=1", 10, false},
	{"prague", "dualpi2", "min_qlen_step=1", 10, true},
	{"udp_prague", "dualpi2", "min_qlen_step=1", 10, false},
	{"bbr", "pie", "target_ms=15", 20, false},
};

static bool simulate(const struct control *control, const char *flows, double duration_s,
		     double bin_s, struct sim_result *result)
{
	char text[512];
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};
	const struct sim_options options = {.seed = 1, .bin_s = bin_s};
	bool good;

	if (scenario == NULL)
		return false;
	snprintf(text, sizeof(text),
		 "duration_s: %g\nwarmup_s: 20\nbottleneck:\n  rate_mbps: 40\n  delay_ms: 10\n"
		 "  aqm: %s\n  params: [\"%s\"]\nflows:\n%s",
		 duration_s, control->aqm, control->params, flows);
	good = scenario_parse(scenario, text, strlen(text), "cc_laws", &error) == 0 &&
	       sim_run(scenario, &options, result, &error) == 0;
	if (!good)
		fprintf(stderr, "%s: %s\n", control->cc, error.text);
	scenario_free(scenario);
	free(scenario);
	return good;
}

/* Jain's index: 1 when all have the same, 1/n when one has all. */
static double jain(const struct sim_result *result)
{
	double sum = 0, squares = 0;

	for (uint64_t i = 0; i < result->flow_count; i++) {
		const double rate = result->flows[i].goodput_mbps;

		sum += rate;
		squares += rate * rate;
	}
	return sum * sum / ((double)result->flow_count * squares);
}

static void five_equal(const struct control *control)
{
	char flows[128];
	struct sim_result result;

	snprintf(flows, sizeof(flows), "  - {cc: %s, count: 5}\n", control->cc);
	if (!simulate(control, flows, 120, 0, &result))
		return;
	law_report(&(struct law_row){control->cc, "Jain's index of five equal flows", 1,
				     jain(&result), 0.98, 1});
	sim_result_free(&result);
}

/* Seconds from bin `start` on until, over 5 s, the newcomer (flow 1) has 0.8 of flow 0's rate. */
static double seconds_to_share(const struct sim_result *result, uint64_t start)
{
	const uint64_t bins = (uint64_t)(5 / result->bin_s);

	for (uint64_t b = start; b + bins <= result->bin_count; b++) {
		double old = 0, new = 0;

		for (uint64_t i = b; i < b + bins; i++) {
			old += result->flow_goodput_mbps[2 * i];
			new += result->flow_goodput_mbps[2 * i + 1];
		}
		if (new >= 0.8 * old)
			return (double)(b + bins - start) * result->bin_s;
	}
	return INFINITY;
}

static void newcomer(const struct control *control)
{
	char flows[128];
	struct sim_result result;

	snprintf(flows, sizeof(flows), "  - {cc: %s}\n  - {cc: %s, start_s: 20}\n", control->cc,
		 control->cc);
	if (!simulate(control, flows, 120, 0.5, &result))
		return;
	law_report(&(struct law_row){control->cc,
				     "s till a newcomer has 0.8 of the other's, at most",
				     control->share_in_s, seconds_to_share(&result, 40), 0,
				     control->share_in_s});
	sim_result_free(&result);
}

void laws_shared(bool quick)
{
	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		if (!controls[i].quick && quick)
			continue;
		five_equal(&controls[i]);
		newcomer(&controls[i]);
	}
}
