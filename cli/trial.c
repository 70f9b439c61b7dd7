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

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "cli/trial_store.h"

/* A trial while it runs. */
struct runner {
	struct trial *trial;
	struct trial_store *store;
	pthread_mutex_t lock; /* of what follows */
	size_t done;
	bool stopped;
	struct error *error;
	size_t failed_index; /* lowest so far */
};

size_t trial_runs(const struct trial *trial)
{
	return trial->scenario_count * trial->arm_count * trial->seeds;
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

/* Which error is told does not depend on timing: that of the first run in order. */
static void keep_error(struct runner *runner, size_t index, const struct error *error)
{
	pthread_mutex_lock(&runner->lock);
	if (index < runner->failed_index) {
		runner->failed_index = index;
		if (runner->error)
			*runner->error = *error;
	}
	pthread_mutex_unlock(&runner->lock);
}

/* True: stop. */
static bool count_run(struct runner *runner)
{
	struct trial *trial = runner->trial;

	pthread_mutex_lock(&runner->lock);
	runner->done++;
	if (trial->progress && trial->progress(trial->context, runner->done, trial_runs(trial)))
		runner->stopped = true;
	pthread_mutex_unlock(&runner->lock);
	return runner->stopped;
}

static bool is_stopped(void *context, double done)
{
	struct runner *runner = context;
	bool stopped;

	(void)done;
	pthread_mutex_lock(&runner->lock);
	if (runner->trial->stop && runner->trial->stop(runner->trial->context))
		runner->stopped = true;
	stopped = runner->stopped;
	pthread_mutex_unlock(&runner->lock);
	return stopped;
}

static int run_loop(struct closed_loop *loop, const struct trial_arm *arm,
		    struct trial_outcome *outcome, struct error *error)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct aqm_policy_counts counts = {0};
	struct policy_cost cost = {0};
	int code = result ? 0 : ERR_NO_MEMORY;

	if (code == 0 && arm->policy)
		code = policy_open(&loop->policy, arm->policy, error);
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
	void *params = NULL;
	int code = sim_law_named(job->scenario, job->arm->law, &loop.law, &params, error);

	loop.params = params;
	if (code == 0)
		code = run_loop(&loop, job->arm, outcome, error);
	free(params);
	return code;
}

static int run_job(void *context, size_t index)
{
	struct runner *runner = context;
	struct trial *trial = runner->trial;
	const struct trial_job job = trial_job_at(trial, index);
	struct trial_outcome *outcome = &trial->outcomes[index];
	struct error error = {0};
	int code;

	if (trial_store_has(runner->store, index))
		return 0;
	if (is_stopped(runner, 0))
		return ERR_INTERRUPTED;
	code = trial_run(&job, trial->bin_s, runner, is_stopped, outcome, &error);
	if (code == 0)
		code = trial_store_put(runner->store, index, outcome, &error);
	if (code) {
		keep_error(runner, index, &error);
		return code;
	}
	return count_run(runner) ? ERR_INTERRUPTED : 0;
}

int trial_run_all(struct trial *trial, unsigned threads, struct error *error)
{
	struct runner runner = {
		.trial = trial,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.error = error,
		.failed_index = SIZE_MAX,
	};
	int code;

	trial->outcomes = calloc(trial_runs(trial) + 1, sizeof(*trial->outcomes));
	if (trial->outcomes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	code = trial_store_open(&runner.store, trial, error);
	if (code)
		return code;
	runner.done = trial->kept = trial_store_kept(runner.store);
	code = parallel_for(trial_runs(trial), threads, run_job, &runner);
	trial_store_close(runner.store);
	if (runner.stopped)
		return error_set(error, ERR_INTERRUPTED,
				 "interrupted after %zu of %zu runs; the same command goes on",
				 runner.done, trial_runs(trial));
	return code;
}

void trial_free(struct trial *trial)
{
	const size_t runs = trial->outcomes ? trial_runs(trial) : 0;

	for (size_t i = 0; i < runs; i++)
		trial_outcome_free(&trial->outcomes[i]);
	for (size_t i = 0; i < trial->scenario_count; i++)
		scenario_free(&trial->scenarios[i]);
	free(trial->outcomes);
	free(trial->scenarios);
}
