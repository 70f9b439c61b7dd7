/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A trial whose runs were real: aqmllm route --run wrote them.
 *
 * A folder holds SCENARIO/ARM/SEED.run: names as the trial has them, of an arm without the time
 * that its decisions take (NAME/10 of `NAME/10 @3ms`), seeds in place of the number of a run.
 */
#ifndef CLI_TRIAL_REAL_H
#define CLI_TRIAL_REAL_H

#include "cli/trial.h"

/* A run of a router as a file.  ERR_NO_MEMORY, ERR_IO. */
int trial_real_write(const struct trial_outcome *outcome, const char *path, struct error *error);

/*
 * Fills `real`, which shares all but its outcomes with `simulated`, from the folder.  ERR_NOT_FOUND
 * names the run that is not there; ERR_INVALID one that is none.
 */
int trial_real_read(struct trial *real, const struct trial *simulated, const char *folder,
		    struct error *error);

/* Outcomes alone. */
void trial_real_free(struct trial *real);

#endif
