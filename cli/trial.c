/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of a trial, one job each.
 *
 * A policy remembers, so every run opens its own; for the networks that fit a
 * router this takes a few milliseconds.  A finished run is kept in the trial's
 * folder at once, so that nothing but the runs under way is lost when the
 * program ends, however it ends.
 */
#include "cli/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "cli/student_law.h"
#include "cli/trial_runner.h"

int trial_longest_name(const struct trial *trial)
{
	size_t longest = 0;

	for (size_t arm = 0; arm < trial->arm_count; arm++)
		if (strlen(trial->arms[arm].name) > longest)
			longest = strlen(trial->arms[arm].name);
	return (int)longest;
}

size_t trial_runs(const struct trial *trial)
{
	return trial->scenario_count * trial->arm_count * trial->seeds;
}

bool trial_is_wanted(const struct trial *trial, size_t index)
{
	return trial->wanted == NULL || trial->wanted[index];
}

size_t trial_wanted_runs(const struct trial *trial)
{
	size_t count = 0;

	for (size_t i = 0; i < trial_runs(trial); i++)
		count += trial_is_wanted(trial, i);
	return count;
}

const struct trial_outcome *trial_outcome_of(const struct trial *trial, size_t scenario, size_t arm,
					     size_t seed)
{
	return &trial->outcomes[(scenario * trial->arm_count + arm) * trial->seeds + seed];
}

struct trial_job trial_job_at(const struct trial *trial, size_t index)
{
	const size_t pair = index / trial->seeds;

	return (struct trial_job){
		.scenario = &trial->scenarios[pair / trial->arm_count],
		.arm = &trial->arms[pair % trial->arm_count],
		.seed = trial->first_seed + index % trial->seeds,
	};
}

static int run_loop(struct closed_loop *loop, const struct trial_arm *arm,
		    struct trial_outcome *outcome, struct error *error)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct aqm_policy_counts counts = {0};
	struct policy_cost cost = {0};
	int code = result ? 0 : ERR_NO_MEMORY;

	if (code == 0 && arm->policy && !arm->student)
		code = policy_open_as(&loop->policy, arm->policy, &arm->manner, error);
	if (code == 0)
		code = closed_loop_run(loop, result, &counts, error);
	if (code == 0) {
		if (loop->policy)
			loop->policy->ops->cost(loop->policy, &cost);
		code = trial_outcome_keep(outcome, result, &counts, &cost);
		sim_result_free(result);
	}
	policy_destroy(loop->policy);
	free(result);
	return code == ERR_NO_MEMORY ? error_set(error, code, "out of memory for a run") : code;
}

/* A law of an arm that is no student, before the arm's own settings. */
static int law_of(const struct trial_job *job, const struct aqm_ops **law, void **params,
		  struct error *error)
{
	const struct law_settings settings = {.limit_packets = job->scenario->limit_packets};

	if (!job->arm->plain)
		return sim_law_named(job->scenario, job->arm->law, law, params, error);
	*law = aqm_find(job->arm->law);
	return sim_law_params(job->scenario, *law, &settings, params, error);
}

int trial_law(const struct trial_job *job, struct aqm_student_model *model,
	      const struct aqm_ops **law, void **params, struct error *error)
{
	const int code = job->arm->student
				 ? student_law_open(model, job->scenario, job->arm->policy,
						    job->arm->unguarded, law, params, error)
				 : law_of(job, law, params, error);

	return code ? code : trial_arm_set(job->arm, *law, *params, error);
}

int trial_run(const struct trial_job *job, double bin_s, void *context,
	      bool (*stop)(void *context, double done), struct trial_outcome *outcome,
	      struct error *error)
{
	struct closed_loop loop = {
		.scenario = job->scenario,
		.seed = job->seed,
		.bin_s = bin_s,
		.interval = job->arm->interval,
		.latency_ms = job->arm->latency_ms,
		.choice = job->arm->choice,
		.unguarded = job->arm->unguarded,
		.context = context,
		.progress = stop,
	};
	struct aqm_student_model model;
	void *params = NULL;
	int code = trial_law(job, &model, &loop.law, &params, error);

	loop.params = params;
	if (code == 0)
		code = run_loop(&loop, job->arm, outcome, error);
	free(params);
	return code;
}

static int work(void *context, size_t index)
{
	(void)index;
	trial_runner_work(context);
	return 0;
}

int trial_run_all(struct trial *trial, unsigned threads, struct error *error)
{
	const size_t workers = threads ? threads : parallel_cores();
	struct trial_runner runner;
	int code = trial_runner_open(&runner, trial, error);

	if (code == 0)
		code = parallel_for(workers, (unsigned)workers, work, &runner);
	else
		return code;
	return code ? error_set(error, code, "out of memory for threads")
		    : trial_runner_close(&runner, error);
}

void trial_forget(struct trial *trial)
{
	const size_t runs = trial->outcomes ? trial_runs(trial) : 0;

	for (size_t i = 0; i < runs; i++)
		trial_outcome_free(&trial->outcomes[i]);
	free(trial->outcomes);
	trial->outcomes = NULL;
}

void trial_free(struct trial *trial)
{
	trial_forget(trial);
	for (size_t i = 0; i < trial->scenario_count; i++)
		scenario_free(&trial->scenarios[i]);
	free(trial->keys);
	free(trial->scenarios);
	while (trial->texts) {
		struct trial_text *text = trial->texts;

		trial->texts = text->next;
		free(text);
	}
}
