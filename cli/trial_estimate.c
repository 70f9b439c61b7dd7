/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An arm's time a packet is that of one of its runs.
 */
#include "cli/trial_estimate.h"

#include <time.h>

#include "cli/trial_cost.h"
#include "cli/trial_runner.h"

static double processor_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Seconds of one run of the trial. */
static int rehearse(const struct trial *trial, size_t index, double *seconds, struct error *error)
{
	const struct trial_job job = trial_job_at(trial, index);
	struct trial_outcome outcome = {0};
	const double begun_s = processor_s();
	const int code = trial_run(&job, trial->bin_s, NULL, NULL, &outcome, error);

	*seconds = processor_s() - begun_s;
	trial_outcome_free(&outcome);
	return code;
}

static int estimate_arm(struct trial_runner *runner, size_t arm, double *seconds,
			struct error *error)
{
	const struct trial *trial = runner->trial;
	double all = 0, before = 0, one_s = 0;
	int code = 0;

	*seconds = 0;
	for (size_t i = 0; i < trial_runs(trial); i++) {
		const struct trial_job job = trial_job_at(trial, i);

		if (job.arm == &trial->arms[arm] && trial_runner_is_due(runner, i))
			all += trial_cost(&job);
	}
	/* The dearest ones are half of all cost; the run in the middle of that. */
	for (size_t i = 0; all > 0 && i < trial_runs(trial); i++) {
		const size_t index = runner->order[i];
		const struct trial_job job = trial_job_at(trial, index);

		if (job.arm != &trial->arms[arm] || !trial_runner_is_due(runner, index))
			continue;
		before += trial_cost(&job);
		if (before < all / 2)
			continue;
		code = rehearse(trial, index, &one_s, error);
		*seconds = one_s / trial_cost(&job) * all;
		break;
	}
	return code;
}

int trial_estimate(struct trial *trial, struct trial_estimate *estimate, struct error *error)
{
	struct trial_runner runner;
	int code = trial_runner_open(&runner, trial, error);

	if (code)
		return code;
	*estimate = (struct trial_estimate){.runs = runner.total, .kept = trial->kept};
	for (size_t arm = 0; code == 0 && arm < trial->arm_count; arm++) {
		double seconds;

		code = estimate_arm(&runner, arm, &seconds, error);
		estimate->processor_s += seconds;
	}
	trial_runner_close(&runner, NULL);
	return code;
}
