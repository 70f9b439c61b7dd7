/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of runs, shared by threads.
 */
#include "cli/trial_runner.h"

#include <stdlib.h>

#include "cli/trial_cost.h"

bool trial_runner_is_due(const struct trial_runner *runner, size_t index)
{
	return trial_is_wanted(runner->trial, index) && !trial_store_has(runner->store, index);
}

static double cost_of(const struct trial *trial, size_t index)
{
	const struct trial_job job = trial_job_at(trial, index);

	return trial_cost(&job);
}

int trial_runner_open(struct trial_runner *runner, struct trial *trial, struct error *error)
{
	const size_t runs = trial_runs(trial);
	int code;

	*runner = (struct trial_runner){
		.trial = trial,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.failed_at = SIZE_MAX,
	};
	trial->outcomes = calloc(runs + 1, sizeof(*trial->outcomes));
	runner->order = calloc(runs + 1, sizeof(*runner->order));
	code = trial->outcomes && runner->order
		       ? trial_store_open(&runner->store, trial, error)
		       : error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	if (code) {
		free(runner->order);
		runner->order = NULL;
		return code;
	}
	runner->total = trial_wanted_runs(trial);
	trial_order(trial, runner->order);
	runner->done = trial->kept = trial_store_kept(runner->store);
	for (size_t i = 0; i < runs; i++)
		runner->cost += trial_runner_is_due(runner, i) ? cost_of(trial, i) : 0;
	return 0;
}

int trial_runner_close(struct trial_runner *runner, struct error *error)
{
	trial_store_close(runner->store);
	free(runner->order);
	if (runner->code && error)
		*error = runner->failure;
	if (runner->code)
		return runner->code;
	if (runner->stopped)
		return error_set(error, ERR_INTERRUPTED,
				 "interrupted after %zu of %zu runs",
				 runner->done, runner->total);
	return 0;
}

/* With the lock held. */
static bool ask_to_stop(struct trial_runner *runner)
{
	const struct trial *trial = runner->trial;

	if (trial->stop && trial->stop(trial->context))
		runner->stopped = true;
	return runner->stopped;
}

bool trial_runner_stopped(void *context, double done)
{
	struct trial_runner *runner = context;
	bool stopped;

	(void)done;
	pthread_mutex_lock(&runner->lock);
	stopped = ask_to_stop(runner);
	pthread_mutex_unlock(&runner->lock);
	return stopped;
}

/* With the lock held: the first run wanted, not given out and not kept from before, if any. */
static bool find_next(struct trial_runner *runner)
{
	const size_t runs = trial_runs(runner->trial);

	while (runner->next < runs && !trial_runner_is_due(runner, runner->order[runner->next]))
		runner->next++;
	return runner->next < runs;
}

bool trial_runner_next(struct trial_runner *runner, size_t *index)
{
	bool there;

	pthread_mutex_lock(&runner->lock);
	there = runner->code == 0 && !ask_to_stop(runner) && find_next(runner);
	if (there)
		*index = runner->order[runner->next++];
	pthread_mutex_unlock(&runner->lock);
	return there;
}

/* Where in the order a run that was given out stands. */
static size_t position_of(const struct trial_runner *runner, size_t index)
{
	size_t at = 0;

	while (runner->order[at] != index)
		at++;
	return at;
}

void trial_runner_failed(struct trial_runner *runner, size_t index, int code,
			 const struct error *error)
{
	pthread_mutex_lock(&runner->lock);
	if (code == ERR_INTERRUPTED) {
		runner->stopped = true;
	} else if (position_of(runner, index) < runner->failed_at) {
		runner->failed_at = position_of(runner, index);
		runner->code = code;
		runner->failure = *error;
	}
	pthread_mutex_unlock(&runner->lock);
}

void trial_runner_done(struct trial_runner *runner, size_t index)
{
	struct trial *trial = runner->trial;
	struct error error = {0};
	const int code = trial_store_put(runner->store, index, &trial->outcomes[index], &error);

	if (code) {
		trial_runner_failed(runner, index, code, &error);
		return;
	}
	pthread_mutex_lock(&runner->lock);
	runner->done++;
	runner->paid += cost_of(trial, index);
	trial->share = runner->paid / runner->cost;
	if (trial->progress)
		trial->progress(trial->context, runner->done, runner->total);
	pthread_mutex_unlock(&runner->lock);
}

void trial_runner_work(struct trial_runner *runner)
{
	struct trial *trial = runner->trial;
	size_t index;

	while (trial_runner_next(runner, &index)) {
		const struct trial_job job = trial_job_at(trial, index);
		struct error error = {0};
		const int code = trial_run(&job, trial->bin_s, runner, trial_runner_stopped,
					   &trial->outcomes[index], &error);

		if (code)
			trial_runner_failed(runner, index, code, &error);
		else
			trial_runner_done(runner, index);
	}
}
