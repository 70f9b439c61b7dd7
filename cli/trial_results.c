/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows in the order of the trial: scenarios, arms, seeds, metrics.
 */
#include "cli/trial_results.h"

#include <math.h>
#include <stdlib.h>

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
	if (code == 0)
		code = results_index(results);
	return code ? error_set(error, code, "out of memory for results") : 0;
}

struct interval trial_suite_interval(const struct trial *trial, const struct results *results,
				     size_t arm, enum trial_metric metric, bool paired)
{
	double *means = calloc(trial->scenario_count + 1, sizeof(*means));
	struct interval interval;

	for (size_t s = 0; means && s < trial->scenario_count; s++) {
		const char *scenario = trial->scenarios[s].name, *name = trial->arms[arm].name;
		const char *what = trial_metric_name(metric);
		const struct interval one =
			paired ? results_paired(results, scenario, name, trial->arms[0].name, what)
			       : results_interval(results, scenario, name, what);

		means[s] = one.mean;
	}
	interval = statistics_finite_interval(means, means ? trial->scenario_count : 0);
	free(means);
	return interval;
}
