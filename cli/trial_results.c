/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows in the order of the trial: scenarios, arms, seeds, metrics.
 */
#include "cli/trial_results.h"

static int add_run(struct results *results, const struct trial *trial, size_t scenario, size_t arm,
		   size_t seed)
{
	const double *values = trial_outcome_of(trial, scenario, arm, seed)->values;
	int code = 0;

	for (int m = 0; code == 0 && m < TRIAL_METRICS; m++)
		code = results_add(results, trial->scenarios[scenario].name,
				   trial->first_seed + seed, trial->arms[arm].name,
				   trial_metric_name((enum trial_metric)m), values[m]);
	return code;
}

int trial_results(const struct trial *trial, struct results *results, struct error *error)
{
	int code = 0;

	for (size_t scenario = 0; scenario < trial->scenario_count; scenario++)
		for (size_t arm = 0; arm < trial->arm_count; arm++)
			for (size_t seed = 0; code == 0 && seed < trial->seeds; seed++)
				code = add_run(results, trial, scenario, arm, seed);
	return code ? error_set(error, code, "out of memory for results") : 0;
}
