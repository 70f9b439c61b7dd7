/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small students that learn the probabilities of a law's verdicts from what
 * they see, packet by packet: quick enough to try many shapes.
 */
#ifndef LEARN_STUDENT_IMITATION_H
#define LEARN_STUDENT_IMITATION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "policy/student_model.h"

/* Consecutive packets of one router. */
struct imitation_steps {
	int16_t (*seen)[AQM_STUDENT_FEATURE_COUNT]; /* (count) */
	float (*target)[3]; /* (count): probability of each enum aqm_verdict; sums to 1 */
	size_t count, cut;  /* steps [0, cut) train, the rest is held out */
};

#define IMITATION_SEGMENT 32 /* steps that a recurrent student is unrolled over */

struct imitation_options {
	uint64_t epochs, segments; /* drawn in an epoch */
	uint64_t batch;            /* segments of an optimizer step */
	double rate;               /* highest, falls along a cosine */
	uint64_t seed;
};

/*
 * Trains a student of the shape of `model` (mode verdict) and leaves the
 * integer student there.  ERR_NO_MEMORY; ERR_RANGE: too few steps, or numbers
 * that are not finite.
 */
int student_imitate(struct aqm_student_model *model, const struct imitation_steps *steps,
		    const struct imitation_options *options, struct error *error);

/*
 * Mean cross-entropy of the integer student with the targets over steps
 * [first, end), nats; it remembers from the first of them on.
 */
double student_imitation_loss(const struct aqm_student_model *model,
			      const struct imitation_steps *steps, size_t first, size_t end);

/* The targets' own mean entropy: what no student falls below. */
double student_imitation_entropy(const struct imitation_steps *steps, size_t first, size_t end);

/* Multiplications of one decision. */
double student_operations(const struct aqm_student_model *model);

/* Median time of a decision from features that are there, ns. */
double student_decision_ns(const struct aqm_student_model *model,
			   const struct imitation_steps *steps, size_t decisions);

#endif
