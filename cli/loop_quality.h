/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How good a closed loop is in one number: the paper's reward a second.
 */
#ifndef CLI_LOOP_QUALITY_H
#define CLI_LOOP_QUALITY_H

#include "cli/closed_loop.h"

/*
 * Runs `loop`, whose `record` is not used, and says in `quality` the sum, over packets that left
 * after warm-up, of bytes / (queue delay in ms + 1), by seconds.  Errors and `result` as of
 * closed_loop_run().
 */
int loop_quality_run(const struct closed_loop *loop, struct sim_result *result, double *quality,
		     struct error *error);

#endif
