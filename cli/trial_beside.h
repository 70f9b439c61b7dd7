/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulator and reality side by side: the same scenarios, laws and policies.
 */
#ifndef CLI_TRIAL_BESIDE_H
#define CLI_TRIAL_BESIDE_H

#include <stdio.h>

#include "cli/trial_report.h"

#define TRIAL_BESIDE_BOUND 0.2 /* a simulated figure off by more is told */

/* Of every scenario and arm: figures of both, how they relate, and what is off by more. */
void trial_beside_print(FILE *out, const struct trial *simulated, const struct trial *real);

/*
 * Writes what the real runs' own report is to `folder`/real, and to `folder`/beside the page that
 * lays both side by side; `report` is the simulated runs' own, whose title and command it has.
 */
int trial_beside_write(const struct trial_report *report, const struct trial *simulated,
		       const struct trial *real, struct error *error);

#endif
