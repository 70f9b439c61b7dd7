/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial's runs as rows of results.
 */
#ifndef CLI_TRIAL_RESULTS_H
#define CLI_TRIAL_RESULTS_H

#include "cli/trial.h"
#include "report/results.h"

/* Every metric of every run, indexed. */
int trial_results(const struct trial *trial, struct results *results, struct error *error);

/*
 * A metric over the scenarios of a suite, each by its mean over seeds; `paired`:
 * less the first arm's on the same seeds.  The interval is over scenarios, which
 * is what a sampled suite allows to speak of networks not in it.
 */
struct interval trial_suite_interval(const struct trial *trial, const struct results *results,
				     size_t arm, enum trial_metric metric, bool paired);

#endif
