/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Learning rate over a run: linear warm-up, then constant or a cosine to a
 * tenth.  Pure functions of the step, so that a resumed run needs no state.
 */
#ifndef LEARN_SCHEDULE_H
#define LEARN_SCHEDULE_H

#include <stdint.h>

enum schedule_decay {
	SCHEDULE_CONSTANT, /* the released code */
	SCHEDULE_COSINE,   /* from the end of the warm-up to a tenth at the last step */
};

struct schedule {
	double peak_rate;
	uint64_t warmup_steps; /* 0: none */
	uint64_t total_steps;  /* of the whole run; used by the cosine only */
	enum schedule_decay decay;
};

/* Rate of optimizer step `step`, counted from 0: peak * min((step + 1) / warmup, 1) * decay. */
double schedule_rate(const struct schedule *schedule, uint64_t step);

#endif
