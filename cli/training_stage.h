/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Training runs as stages that are not run twice: NAME.json beside the policy's folder NAME holds
 * the command with its pool's checksum, and what it took once it has finished.
 */
#ifndef CLI_TRAINING_STAGE_H
#define CLI_TRAINING_STAGE_H

#include "cli/stages.h"

/*
 * As stages_run(), for an `aqmllm train` of `pool` into `folder`.  The same command that finished
 * there is taken over with its figures, and one that was cut short is resumed: it then took the sum
 * of its epochs.
 */
int training_stage_run(struct stages *stages, const char *title, const char *pool,
		       const char *folder, struct error *error);

#endif
