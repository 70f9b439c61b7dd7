/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One step of learning: micro-batches of windows into gradients, gradients
 * into an update.
 */
#ifndef LEARN_LEARNER_H
#define LEARN_LEARNER_H

#include <stdbool.h>
#include <stdint.h>

#include "learn/adamw.h"
#include "learn/schedule.h"
#include "policy/net.h"

struct learner_options {
	struct adamw_options adamw;
	struct schedule schedule;
	uint64_t accumulate; /* micro-batches of a step; each counts 1 / accumulate */
	double clip;	     /* largest gradient norm; <= 0: any */
	bool clip_each;	     /* released code: clip what has accumulated after every micro-batch */
};

struct learner {
	struct learner_options options;
	struct policy_net *net; /* not owned */
	struct adamw adamw;
	struct arena arena;
	size_t arena_bytes; /* room made in the arena when it is empty; 0: it grows as it goes */
	double share;	  /* which part of a micro-batch is given here: 1, less over ranks */
	double grad_norm; /* before clipping, at the last step */
};

int learner_init(struct learner *learner, const struct learner_options *options,
		 struct policy_net *net, struct error *error);
void learner_free(struct learner *learner);

/*
 * Adds the gradient of one micro-batch.  labels, weights (batch x steps);
 * weights may be NULL; logits (batch, steps, 3) receives what was predicted;
 * `loss` the mean weighted cross-entropy.  `dropout` as in backbone_forward().
 * ERR_FAILED when the loss is not a number.
 */
int learner_accumulate(struct learner *learner, const struct policy_batch *batch,
		       const int32_t *labels, const float *weights, struct rng *dropout,
		       float *logits, double *loss, struct error *error);

/* Clips, updates, zeroes the gradients.  Returns the learning rate that was used. */
double learner_step(struct learner *learner);

#endif
