/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial while it runs: which run is next, what became of each.
 *
 * Runs are given out the dearest first (cli/trial_cost.h) and every thread, or
 * rank, takes the next when it is free.  After a failure no more are given out;
 * since all runs before the failed one were given out earlier, the error that is
 * told in the end, that of the first run in this order, does not depend on timing.
 */
#ifndef CLI_TRIAL_RUNNER_H
#define CLI_TRIAL_RUNNER_H

#include <pthread.h>

#include "cli/trial.h"
#include "cli/trial_store.h"

struct trial_runner {
	struct trial *trial;
	struct trial_store *store;
	size_t *order;	      /* (runs): in which they are given out; owned */
	double cost;	      /* of all runs that are to be run */
	pthread_mutex_t lock; /* of what follows */
	size_t next;	      /* position in the order */
	size_t done, total;
	double paid; /* cost of those that ended here */
	bool stopped;
	int code;	  /* of the first run in order that failed */
	size_t failed_at; /* its position */
	struct error failure;
};

/* Opens the trial's store, which makes its folder. */
int trial_runner_open(struct trial_runner *runner, struct trial *trial, struct error *error);

/* Closes; the code and error of the whole trial. */
int trial_runner_close(struct trial_runner *runner, struct error *error);

/* It is wanted, and the folder did not hold it. */
bool trial_runner_is_due(const struct trial_runner *runner, size_t index);

/* The next run; false when none is to be started any more. */
bool trial_runner_next(struct trial_runner *runner, size_t *index);

/* Keeps a run that ended well; its outcome stands in the trial. */
void trial_runner_done(struct trial_runner *runner, size_t index);
void trial_runner_failed(struct trial_runner *runner, size_t index, int code,
			 const struct error *error);

/* Shaped for trial_run(): the runner as context. */
bool trial_runner_stopped(void *runner, double done);

/* Takes runs and runs them until none is left; for a thread of its own. */
void trial_runner_work(struct trial_runner *runner);

#endif
