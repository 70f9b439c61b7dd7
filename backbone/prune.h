/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structured pruning: which parts of a backbone consist of units that can be
 * taken out whole, and the smaller backbone that is left without some.
 *
 * A unit of an attention is one group of heads that share keys and values
 * (gpt2, opt: one head); of a feed-forward, one number between its two maps.
 * Either is read by exactly one projection, so that zeroing the unit's inputs
 * there is the function without it, and the sum of weight x gradient over them
 * is, to first order, what the loss falls by.
 */
#ifndef BACKBONE_PRUNE_H
#define BACKBONE_PRUNE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backbone/backbone.h"

enum backbone_part_kind {
	PART_HEADS,
	PART_FFN,
};

struct backbone_part {
	enum backbone_part_kind kind;
	int64_t layer, units;
	int64_t unit_inputs;     /* numbers that the reader reads of a unit, side by side */
	int64_t unit_parameters; /* weights and biases that go with a unit */
	float *weight;           /* of the reader: (outputs, inputs) or (inputs, outputs) */
	const float *gradient;   /* like it; NULL while frozen */
	int64_t in, out;
	enum linear_layout layout;
};

/*
 * The parts of the layers that are run, attention before feed-forward, layer
 * after layer; `parts` (2 for each layer) may be NULL.  0 for architectures
 * without (T5, whose heads share a table of distances over all layers), where
 * weights are not plain f32, and where there is an adapter: fold it in first.
 */
size_t backbone_parts(const struct backbone *backbone, struct backbone_part *parts);

/*
 * Writes the backbone without some units as a directory of its own:
 * keep[i][u] tells whether unit u of part i stays, as backbone_parts() counts
 * them; at least one of each part must.  The token embedding, which no policy
 * reads, is left out.  ERR_INVALID, ERR_UNSUPPORTED; those of files.
 */
int backbone_prune(const struct backbone *backbone, const bool *const *keep, const char *directory,
		   struct error *error);

/* A projection whose weight may be held in another storage than f32. */
struct backbone_matrix {
	const char *name; /* of the weight */
	int64_t layer;    /* -1: of none */
	float *value;     /* f32, plain; NULL where it is not */
	enum matrix_type type; /* that it is held in */
	int64_t in, out;
	enum linear_layout layout;
};

/* All projections that take part in the function, in order; `matrices` may be NULL. */
size_t backbone_matrices(const struct backbone *backbone, struct backbone_matrix *matrices);

#endif
