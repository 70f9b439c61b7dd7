/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finished runs of a trial, one file each, under the trial's folder.
 *
 * A file's name and its first bytes are its run's key: the digest of all that
 * the run is a function of, which is the program, the scenario with the files
 * it reads, the law, the policy's files and how it is asked, and the seed.  A
 * run of another recipe has another key, so it is never taken for this one;
 * more seeds, laws or scenarios only add runs.
 */
#ifndef CLI_TRIAL_STORE_H
#define CLI_TRIAL_STORE_H

#include "cli/trial.h"

struct trial_store;

/*
 * Makes the folder, and reads into trial->outcomes what it holds; the trial has
 * its keys and outlives the store.  Damaged files count as absent.
 */
int trial_store_open(struct trial_store **store, struct trial *trial, struct error *error);
void trial_store_close(struct trial_store *store);

/* Runs that were there. */
size_t trial_store_kept(const struct trial_store *store);
bool trial_store_has(const struct trial_store *store, size_t index);

/* Keeps a finished run.  Threads may call it at once for different runs. */
int trial_store_put(const struct trial_store *store, size_t index,
		    const struct trial_outcome *outcome, struct error *error);

#endif
