/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keys: what a run is a function of, as one digest.
 */
#ifndef CLI_TRIAL_KEY_H
#define CLI_TRIAL_KEY_H

#include "cli/trial.h"

struct trial_key {
	unsigned char bytes[DIGEST_BYTES];
};

/* Keys of all runs of a trial, (trial_runs(trial)), malloc'd; the caller frees. */
int trial_keys(struct trial_key **keys, const struct trial *trial, struct error *error);

#endif
