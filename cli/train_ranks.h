/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm train under mpirun: what ranks settle before they train together.
 */
#ifndef CLI_TRAIN_RANKS_H
#define CLI_TRAIN_RANKS_H

#include <stdint.h>

#include "cluster/ranks.h"

/*
 * Called by every rank when it is prepared, or could not be (`code`, `error`).
 * `run` is the text of train.json: all must have the same.  The code of the
 * lowest rank that failed, on all ranks.
 */
int train_ranks_meet(const struct ranks *ranks, const char *run, int code, struct error *error);

/* ERR_INVALID unless as many ranks run as the run was begun with. */
int train_ranks_check(const struct ranks *ranks, uint64_t begun, struct error *error);

#endif
