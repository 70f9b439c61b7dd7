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
 * Runs a few runs whose results are not kept, and takes others to cost as much by
 * trial_cost(): of laws, eight that stand for an eighth of all cost each; of a
 * policy the cheapest one, as others may take hours.
 */
int trial_estimate(struct trial *trial, struct trial_estimate *estimate, struct error *error);

#endif
