/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the function of a backbone takes: numbers that are counted, not timed.
 */
#ifndef BACKBONE_COST_H
#define BACKBONE_COST_H

#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"

struct backbone_cost {
	int64_t parameters; /* that take part in the function: not words, nor layers that stop */
	size_t bytes;       /* that these are held in */
	double operations;  /* multiplications with additions, of one call */
};

/*
 * Of a call that adds `tokens` tokens to sequences of `keys` (the new ones
 * included).  Operations are those of projections and of attention's two
 * products; norms, activations and positions are left out.  For gpt2, opt and
 * llama; of T5 the projections alone.
 */
struct backbone_cost backbone_cost(const struct backbone *backbone, int64_t tokens, int64_t keys);

#endif
