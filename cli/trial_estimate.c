/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time a packet differs from network to network, so several are tried; dear ones
 * matter most, so they are tried more often.
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

#define LAW_PARTS 8

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

/* Runs of one arm with a policy, or of all laws. */
struct portion {
	const struct trial_runner *runner;
	const struct trial_arm *arm; /* NULL: all that are laws alone */
};

static bool is_of(const struct portion *portion, size_t index)
{
	const struct trial_job job = trial_job_at(portion->runner->trial, index);
	const bool meant = portion->arm ? job.arm == portion->arm : job.arm->policy == NULL;

	return meant && trial_runner_is_due(portion->runner, index);
}

static double cost_of(const struct trial *trial, size_t index)
{
	const struct trial_job job = trial_job_at(trial, index);

	return trial_cost(&job);
}

/*
 * The portion's runs by cost, cut into `parts` of the same cost; of each part the run in its
 * middle, or where `cheapest` the last run of all.
 */
static int estimate_portion(const struct portion *portion, int parts, bool cheapest,
			    double *seconds, struct error *error)
{
	const struct trial *trial = portion->runner->trial;
	double all = 0, before = 0;
	int part = 0, code = 0;

	for (size_t i = 0; i < trial_runs(trial); i++)
		all += is_of(portion, i) ? cost_of(trial, i) : 0;
	for (size_t i = 0; code == 0 && i < trial_runs(trial); i++) {
		const size_t index = portion->runner->order[i];
		double one_s = 0;

		if (!is_of(portion, index))
			continue;
		before += cost_of(trial, index);
		/* A run may be dearer than a part: it stands for all whose middle it covers. */
		for (int first = part; part < parts && code == 0; part++) {
			const double middle = cheapest ? all : all * (part + 0.5) / parts;

			if (before < middle * (1 - 1e-9))
				break;
			if (part == first)
				code = rehearse(trial, index, &one_s, error);
			*seconds += one_s / cost_of(trial, index) * all / parts;
		}
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
	code = estimate_portion(&(struct portion){&runner, NULL}, LAW_PARTS, false,
				&estimate->processor_s, error);
	for (size_t arm = 0; code == 0 && arm < trial->arm_count; arm++)
		if (trial->arms[arm].policy)
			code = estimate_portion(&(struct portion){&runner, &trial->arms[arm]}, 1,
						true, &estimate->processor_s, error);
	trial_runner_close(&runner, NULL);
	return code;
}
