/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotary position embedding, rotate-half convention.
 */
#ifndef TENSOR_ROPE_H
#define TENSOR_ROPE_H

#include <stdint.h>

/* table (positions, width): cos of width/2 angles, then their sin; angle j of position p is
 * p x theta^(-2j / width).  `width` is even. */
void rope_table_fill(float *table, int64_t positions, int64_t width, double theta);

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
