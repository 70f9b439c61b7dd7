/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs of a trial will cost, before they run, and which go first.
 */
#ifndef CLI_TRIAL_COST_H
#define CLI_TRIAL_COST_H

#include "cli/trial.h"

/*
 * Of one run, to compare with others: packets that its link could send, and what
 * a policy's decisions weigh beside them.  Processor time is between 0.4 and
 * 1.3 us a packet (docs/learned.md), less where the link is not filled.
 */
double trial_cost(const struct trial_job *job);

/*
 * Fills order (runs) with all runs, the dearest first and alike ones as they come:
 * cores end together then, since what is left for the end is short.
 */
void trial_order(const struct trial *trial, size_t *order);

#endif
