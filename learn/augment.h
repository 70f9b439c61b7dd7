/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paper's measures against overfitting, on windows as they are drawn.
 *
 * Only rows before the cut are ever read, whatever the options; held-out rows
 * are measured as they are.  The generator is the caller's: the same generator
 * gives the same windows.  Series are the features that the paper convolves
 * (policy/encoder.h): queue delay, length, drops and packet length.
 */
#ifndef LEARN_AUGMENT_H
#define LEARN_AUGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "learn/dataset.h"

/* All zero: windows stay as they are, and nothing is drawn. */
struct augment_options {
	double offset;	/* random offset: deviation of one a window and series, scaled units */
	double noise;	/* noise: deviation of what every step of a series gets, scaled units */
	double mask;	/* temporal dropout: probability that a step's features are hidden */
	double queue;	/* queue perturbation: deviation of the logarithm of a window's factor on
			 * queue delay and length, before scaling */
	uint64_t shift; /* temporal shift: a window begins up to so many rows earlier or later */
};

/*
 * First row of `window` after a shift: within rows [0, cut) and, unless `cross`,
 * within the window's episode.
 */
uint32_t augment_first(const struct augment_options *options, const struct dataset *dataset,
		       const struct dataset_window *window, int64_t steps, bool cross, size_t cut,
		       struct rng *rng);

/*
 * Changes what trainers read of a window: states (steps, features), scaled; weights
 * (steps) of the loss.  A hidden step's features are 0 and it has no loss, for nobody
 * could know its action; the other steps weigh 1 / (1 - mask), so the expected loss stays.
 */
void augment_window(const struct augment_options *options, const struct dataset *dataset,
		    const struct dataset_window *window, int64_t steps, struct rng *rng,
		    float *states, float *weights);

#endif
