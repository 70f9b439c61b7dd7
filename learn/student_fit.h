/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A student's net held to its teacher's answers in visited states.
 *
 * Outputs of mode `verdict` are powers of two, so its logits are its outputs
 * times ln 2; the loss is learn/distill_loss.h over batches of segments.  Of
 * supervisors it is learn/output_loss.h over the outputs as they are.  AdamW
 * with a cosine.  Cells start a segment with an empty memory, and are held to
 * nothing in its first STUDENT_FIT_BURN_IN steps.  One thread; the same inputs
 * give the same bits.
 */
#ifndef LEARN_STUDENT_FIT_H
#define LEARN_STUDENT_FIT_H

#include <stdbool.h>

#include "learn/distill_loss.h"
#include "learn/student_float.h"
#include "learn/visits.h"

#define STUDENT_FIT_BURN_IN 8

struct student_fit_options {
	struct distill_loss loss;
	uint64_t updates; /* >= 1 */
	int64_t batch;	  /* segments, >= 1 */
	double rate;	  /* highest learning rate */
	/* (rows of the part): how much each row's gradient counts; NULL: all alike. */
	const float *weight;
	void *context;
	/* After every update; true stops with ERR_INTERRUPTED.  May be NULL. */
	bool (*progress)(void *context, uint64_t done, const struct distill_terms *terms);
};

/* True when the net remembers: its segments are read in order. */
bool student_fit_remembers(const struct aqm_student_model *shape);

/*
 * Fits `theta` (student_float_count() numbers, in place) to the part's targets; rows that the
 * teacher was not asked about are read and not learned.  `terms` receives the means over the last
 * tenth of the updates.  ERR_INVALID without segments, ERR_FAILED when the loss is no number any
 * more.
 */
int student_fit(const struct aqm_student_model *shape, float *theta, const struct visits *visits,
		const struct visits_part *part, const struct student_fit_options *options,
		struct rng *rng, struct distill_terms *terms, struct error *error);

#endif
