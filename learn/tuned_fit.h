/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A supervising student that begins with what hindsight knows: networks with the
 * settings that suit them, and a regression from what a student sees there to
 * those settings.
 *
 * In every network the student's law runs twice, under those settings and under
 * its own; what it saw at its decisions is asked for the settings.  Inputs that
 * are the student's own last outputs would give the answer away: their weights
 * are 0 here, and are there for later learning.
 */
#ifndef LEARN_TUNED_FIT_H
#define LEARN_TUNED_FIT_H

#include "learn/rollout.h"

/* A network and the outputs (log2 of factors on the law's settings) that suit it. */
struct tuned_label {
	const struct scenario *scenario;
	float output[AQM_STUDENT_SETTING_COUNT];
};

struct tuned_fit {
	size_t rows;		     /* that were collected */
	double spread, error;	     /* root mean square of labels around their mean; of the rest */
};

/*
 * Moves `theta` (of a net without cells or attention that supervises) by regression on
 * `count` labels, > 0; runs are those of `law` with `seed` and on `threads`
 * threads (0: one a core), which do not change the result.  ERR_UNSUPPORTED,
 * ERR_INTERRUPTED when `stop`, which may be NULL, says so.
 */
int tuned_fit(const struct aqm_student_model *shape, float *theta,
		  const struct tuned_label *labels, size_t count, const struct rollout_law *law,
		  uint64_t seed, const struct rollout_crew *crew, struct tuned_fit *fit,
		  struct error *error);

#endif
