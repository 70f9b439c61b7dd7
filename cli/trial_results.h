/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial's runs as rows of results.
 */
#ifndef CLI_TRIAL_RESULTS_H
#define CLI_TRIAL_RESULTS_H

#include "cli/trial.h"
#include "report/results.h"

/* Every metric of every run. */
int trial_results(const struct trial *trial, struct results *results, struct error *error);

#endif
