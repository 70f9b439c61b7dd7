/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Normalisation of rows: LayerNorm and RMSNorm.
 */
#ifndef TENSOR_NORM_H
#define TENSOR_NORM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One call.  in, out, d_out, d_in are (rows, width); weight, bias (width);
 * stats (rows, 2): mean and 1 / deviation of each row (RMSNorm: 0 and 1 / rms).
 */
struct norm_shape {
	int64_t rows, width;
	float epsilon;
};

/*
 * out = (in - mean) / sqrt(variance + epsilon) x weight + bias.  `stats` may
 * be NULL; out may be in.
 */
void layernorm_forward(float *out, float *stats, const float *in, const float *weight,
		       const float *bias, const struct norm_shape *shape);

/* out = in / sqrt(mean square + epsilon) x weight. */
void rmsnorm_forward(float *out, float *stats, const float *in, const float *weight,
		     const struct norm_shape *shape);

/*
 * Adds the gradient of the input to d_in (a residual stream: the gradient that
 * went round the norm is already there).  Of RMSNorm too: its mean is 0 and
 * `centred` false.
 */
void norm_backward_input(float *d_in, const float *d_out, const float *in, const float *stats,
			 const float *weight, bool centred, const struct norm_shape *shape);

/* Adds to d_weight (width) and, unless NULL, d_bias (width). */
void norm_backward_weight(float *d_weight, float *d_bias, const float *d_out, const float *in,
			  const float *stats, const struct norm_shape *shape);

#endif
