/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a trial will take.
 */
#ifndef CLI_TRIAL_ESTIMATE_H
#define CLI_TRIAL_ESTIMATE_H

#include "cli/trial.h"

/* How far a trial has come, and what is left. */
struct trial_estimate {
	size_t runs, kept;  /* kept: in the trial's folder already */
	double processor_s; /* of the others */
};

/*
 * Runs one run of each arm that has any left, of median cost, whose result is
 * not kept, and takes the arm's others to cost as much by trial_cost().
 */
int trial_estimate(struct trial *trial, struct trial_estimate *estimate, struct error *error);

#endif
