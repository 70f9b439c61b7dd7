/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of runs, shared by threads.
 */
#include "cli/trial_runner.h"

#include <stdlib.h>

int trial_runner_open(struct trial_runner *runner, struct trial *trial, struct error *error)
{
	int code;

	*runner = (struct trial_runner){
		.trial = trial,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.failed_index = SIZE_MAX,
	};
	trial->outcomes = calloc(trial_runs(trial) + 1, sizeof(*trial->outcomes));
	if (trial->outcomes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	code = trial_store_open(&runner->store, trial, error);
	runner->total = trial_wanted_runs(trial);
	if (code == 0)
		runner->done = trial->kept = trial_store_kept(runner->store);
	return code;
}

int trial_runner_close(struct trial_runner *runner, struct error *error)
{
	trial_store_close(runner->store);
	if (runner->code && error)
		*error = runner->failure;
	if (runner->code)
		return runner->code;
	if (runner->stopped)
		return error_set(error, ERR_INTERRUPTED,
				 "interrupted after %zu of %zu runs; the same command goes on",
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

	while (runner->next < runs && (trial_store_has(runner->store, runner->next) ||
				       !trial_is_wanted(runner->trial, runner->next)))
		runner->next++;
	return runner->next < runs;
}

bool trial_runner_next(struct trial_runner *runner, size_t *index)
{
	bool there;

	pthread_mutex_lock(&runner->lock);
	there = runner->code == 0 && !ask_to_stop(runner) && find_next(runner);
	if (there)
		*index = runner->next++;
	pthread_mutex_unlock(&runner->lock);
	return there;
}

void trial_runner_failed(struct trial_runner *runner, size_t index, int code,
			 const struct error *error)
{
	pthread_mutex_lock(&runner->lock);
	if (code == ERR_INTERRUPTED) {
		runner->stopped = true;
	} else if (index < runner->failed_index) {
		runner->failed_index = index;
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
