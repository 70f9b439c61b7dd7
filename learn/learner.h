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

/*
 * Values that differ while the network computes from those that learn: `apply`
 * before a pass, `undo` after its backward.  Gradients are those of the values
 * applied, and move the others (straight through; Bengio et al. 2013).
 */
struct learner_disguise {
	void *context;
	void (*apply)(void *context);
	void (*undo)(void *context);
};

struct learner_options {
	struct adamw_options adamw;
	struct schedule schedule;
	uint64_t accumulate; /* micro-batches of a step; each counts 1 / accumulate */
	double clip;	     /* largest gradient norm; <= 0: any */
	const struct learner_disguise *disguise; /* NULL: none; must outlive the learner */
	/*
	 * Whose probabilities are learned in place of the labels; NULL: nobody's.  Its features
	 * and scalings are those of the network that learns.
	 */
	const struct policy_net *teacher;
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

/* Around anything else that looks at the network as it will be used; nothing without a disguise. */
void learner_apply(const struct learner *learner);
void learner_undo(const struct learner *learner);

/* Clips, updates, zeroes the gradients.  Returns the learning rate that was used. */
double learner_step(struct learner *learner);

#endif
