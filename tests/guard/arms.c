/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/guard/arms.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/adversary.h"
#include "policy/aqm_policy.h"
#include "tests/guard/supervised.h"

static double goodput_of(const struct sim_result *result)
{
	double sum = 0;

	for (uint64_t i = 0; i < result->flow_count; i++)
		sum += result->flows[i].goodput_mbps;
	return sum;
}

static void read_figures(struct arm_figures *figures, const struct sim_result *result)
{
	double bytes[2] = {0};

	for (int q = 0; q < 3; q++) {
		const struct sim_queue_result *queue = &result->queues[q];

		figures->p99_ms[q] = queue->qdelay_ns.count
					     ? histogram_quantile(&queue->qdelay_ns, 0.99) / 1e6
					     : NAN;
		if (q < 2)
			bytes[q] = (double)queue->packets;
	}
	figures->goodput_mbps = goodput_of(result);
	figures->share_c = bytes[AQM_QUEUE_C] / (bytes[0] + bytes[1]);
}

/* A law on its defaults, even where the scenario has settings for it. */
static int find_law(const struct scenario *scenario, const char *name, const struct aqm_ops **law,
		    void **params, struct error *error)
{
	const struct law_settings limit = {.limit_packets = scenario->limit_packets};

	*law = aqm_find(name);
	return sim_law_params(scenario, *law, &limit, params, error);
}

static int run(const struct scenario *scenario, const struct sim_options *options,
	       struct arm_figures *figures, struct error *error)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	int code = result ? sim_run(scenario, options, result, error) : ERR_NO_MEMORY;

	if (code == 0) {
		read_figures(figures, result);
		sim_result_free(result);
	}
	free(result);
	return code;
}

static int run_adversary(const struct scenario *scenario, const char *name, bool unguarded,
			 struct sim_options *options, struct arm_figures *figures,
			 struct error *error)
{
	struct aqm_policy_config config = {.law = options->law,
					   .law_params = options->params,
					   .interval = 1,
					   .guarded = !unguarded};
	struct aqm_policy *wrapped = NULL;
	int code = adversary_open(&config.policy, name, error);

	if (code == 0)
		code = aqm_policy_new(&wrapped, &config, error);
	if (code == 0) {
		options->law = aqm_policy_ops(wrapped);
		options->params = aqm_policy_params(wrapped);
		code = run(scenario, options, figures, error);
		figures->asked = (double)aqm_policy_counts(wrapped).applied;
		figures->overridden = (double)aqm_policy_counts(wrapped).overridden;
	}
	aqm_policy_free(wrapped);
	policy_destroy(config.policy);
	return code;
}

static int run_settings(const struct scenario *scenario, const char *settings, bool unguarded,
			struct sim_options *options, struct arm_figures *figures,
			struct error *error)
{
	struct supervised supervised;
	struct aqm_student_params *params = NULL;
	void *made = NULL;
	int code = find_law(scenario, "student", &options->law, &made, error);

	params = made;
	if (code == 0)
		code = supervised_set(&supervised, params, settings, error);
	if (code == 0) {
		params->guarded = !unguarded;
		options->params = params;
		code = run(scenario, options, figures, error);
		figures->asked = (double)supervised.stats.packets;
		figures->overridden = (double)supervised.stats.overridden;
	}
	free(made);
	return code;
}

static bool is_settings(const char *name)
{
	return strncmp(name, ARM_SETTINGS, strlen(ARM_SETTINGS)) == 0;
}

int arm_run(const struct scenario *scenario, uint64_t seed, const char *name,
		   bool unguarded, struct arm_figures *figures)
{
	struct sim_options options = {.seed = seed};
	struct error error = {0};
	void *params = NULL;
	int code = find_law(scenario, "dualpi2", &options.law, &params, &error);

	if (code == 0)
		code = aqm_params_set(options.law, params, "min_qlen_step=1", &error);
	options.params = params;
	if (code == 0 && name && strcmp(name, ARM_NUDGED) == 0) {
		code = aqm_params_set(options.law, params, "target_ms=15.015", &error);
		name = NULL;
	}
	if (code == 0 && name == NULL)
		code = run(scenario, &options, figures, &error);
	else if (code == 0 && is_settings(name))
		code = run_settings(scenario, strchr(name, ':') + 1, unguarded, &options, figures,
				    &error);
	else if (code == 0)
		code = run_adversary(scenario, name, unguarded, &options, figures, &error);
	if (code)
		fprintf(stderr, "%s\n", error.text);
	free(params);
	return code;
}

struct arm_ratios arm_compare(const struct arm_figures *arm, const struct arm_figures *law)
{
	return (struct arm_ratios){
		.delay = arm->p99_ms[SIM_ALL] / law->p99_ms[SIM_ALL],
		.goodput = arm->goodput_mbps / law->goodput_mbps,
	};
}
