/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AdamW over a list of named parameters, and the gradient clipping before it.
 *
 * Parameters are `struct backbone_param`, whoever owns them: adapters, whole
 * backbones, encoders and heads go through the same list.  An entry whose
 * `gradient` is NULL is frozen and left alone altogether (no decay either);
 * one whose gradient is zero still decays.
 */
#ifndef LEARN_ADAMW_H
#define LEARN_ADAMW_H

#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"
#include "base/error.h"

struct adamw_options {
	double weight_decay; /* decoupled; 1e-4 */
	double beta1;	     /* 0.9 */
	double beta2;	     /* 0.999 */
	double epsilon;	     /* 1e-8 */
};

/* The released code's options; also sensible defaults. */
extern const struct adamw_options adamw_defaults;

struct adamw {
	struct adamw_options options;
	uint64_t steps;	 /* done so far */
	size_t elements; /* of all trainable parameters together */
	float *moment1;	 /* (elements), in the order of the list */
	float *moment2;	 /* (elements) */
};

/* Zero moments for `params`; the list must stay the same afterwards.  ERR_NO_MEMORY. */
int adamw_init(struct adamw *adamw, const struct adamw_options *options,
	       const struct backbone_param *params, size_t count, struct error *error);
void adamw_free(struct adamw *adamw);

/*
 * One update with learning rate `rate` from the gradients times `scale` (1, or
 * gradients_clip_scale()), which are zero afterwards: one pass over memory.
 */
void adamw_step(struct adamw *adamw, const struct backbone_param *params, size_t count, double rate,
		float scale);

/* Elements of all entries that have a gradient. */
size_t gradients_elements(const struct backbone_param *params, size_t count);

void gradients_zero(const struct backbone_param *params, size_t count);

/* L2 norm over every gradient (sums in double; threads do not change it). */
double gradients_norm(const struct backbone_param *params, size_t count);

/* min(1, max_norm / (norm + 1e-6)); 1 when max_norm <= 0. */
float gradients_clip_scale(double norm, double max_norm);

/* Scales every gradient by that.  Returns the norm before clipping. */
double gradients_clip(const struct backbone_param *params, size_t count, double max_norm);

#endif
