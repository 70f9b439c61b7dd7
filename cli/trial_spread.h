/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial over ranks: rank 0 gives out runs and keeps what comes back; all
 * ranks, rank 0 included, run one at a time.
 *
 * Every rank reads the same suite and policies from its own disk.  Before the
 * first run they compare what they have, by the keys of all runs, so a machine
 * with other files or another build cannot take part unnoticed.
 */
#ifndef CLI_TRIAL_SPREAD_H
#define CLI_TRIAL_SPREAD_H

#include "cli/trial.h"
#include "cluster/ranks.h"

/*
 * Called by every rank when it is prepared, or could not be (`code`, `error`).
 * On rank 0: the code of the first rank that failed or has another trial.  On
 * others: 0 when runs will follow.
 */
int trial_spread_meet(const struct ranks *ranks, const struct trial *trial, int code,
		      struct error *error);

/* On rank 0, in place of trial_run_all(): to the same end, and the same bytes. */
int trial_spread_lead(const struct ranks *ranks, struct trial *trial, struct error *error);

/* On the others: runs what rank 0 says until it says stop. */
void trial_spread_follow(const struct trial *trial);

#endif
