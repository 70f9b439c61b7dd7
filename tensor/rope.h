/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotary position embedding, rotate-half convention.
 */
#ifndef TENSOR_ROPE_H
#define TENSOR_ROPE_H

#include <stdint.h>

/* How a model that was trained on short sequences stretches its positions over longer ones. */
enum rope_scaling_kind {
	ROPE_SCALING_NONE,
	ROPE_SCALING_LINEAR, /* every angle over `factor` (Chen et al. 2023) */
	ROPE_SCALING_LLAMA3, /* slow angles over `factor`, fast ones as they are (Llama 3.1) */
};

struct rope_scaling {
	enum rope_scaling_kind kind;
	double factor;
	/* Llama 3: turns within original_positions below which an angle is slow, above which
	 * fast; low_turns < high_turns. */
	double low_turns, high_turns, original_positions;
};

/*
 * frequency (width / 2): radians a position turns pair j, theta^(-2j / width) and then as
 * `scaling` (NULL: none) says.  `width` is even.
 */
void rope_frequencies(double *frequency, int64_t width, double theta,
		      const struct rope_scaling *scaling);

/* table (positions, width): cos of the width/2 angles p x frequency, then their sin. */
void rope_table_fill(float *table, int64_t positions, int64_t width, const double *frequency);

/* x: (batch, tokens) rows, `row_stride` floats apart, of `heads` heads of `width` side by side. */
struct rope_shape {
	int64_t batch, tokens, heads, width, row_stride;
	int64_t first_position; /* of token 0 in every sequence */
};

/* Rotates in place: (x_j, x_{j + width/2}) by its angle. */
void rope_forward(float *x, const float *table, const struct rope_shape *shape);

/* Gradient in place: the opposite rotation. */
void rope_backward(float *d_x, const float *table, const struct rope_shape *shape);

#endif
