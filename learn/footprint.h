/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much memory a training run will need, told before it starts.
 */
#ifndef LEARN_FOOTPRINT_H
#define LEARN_FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "learn/learner.h"

/* Bytes; all of them this process's alone. */
struct footprint {
	size_t weights;	    /* of the backbone, with tables, gradients and adapters */
	size_t optimizer;   /* moments */
	size_t activations; /* of one micro-batch, forward and backward */
	size_t held_out;    /* of the largest pass over held-out windows */
	size_t peak;	    /* most that will ever be resident, program and data included */
};

/*
 * For micro-batches of `batch` windows of `steps` steps, and held-out passes
 * of `held_out_batch` windows (0: none).  Call it when everything is loaded
 * and nothing is trained yet: it adds what is still to come to what is
 * resident.  Afterwards gradients are zero, and the learner makes room for
 * its activations in one piece, so that nothing is lost between pieces.
 *
 * Activations are counted, not estimated: passes over one and two short
 * windows allocate what their shapes ask for, and every array grows with
 * batch x steps, with steps, or (attention) with batch x steps^2.
 */
int footprint_predict(struct footprint *footprint, struct learner *learner, int64_t batch,
		      int64_t steps, int64_t held_out_batch, struct error *error);

#endif
