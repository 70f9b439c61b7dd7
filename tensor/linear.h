/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Affine maps of rows, and rows looked up in a table.
 */
#ifndef TENSOR_LINEAR_H
#define TENSOR_LINEAR_H

#include <stdbool.h>
#include <stdint.h>

/* How a weight matrix lies in memory. */
enum linear_layout {
	LINEAR_OUT_IN, /* (out, in): torch.nn.Linear */
	LINEAR_IN_OUT, /* (in, out): GPT-2's Conv1D */
};

/* in (rows, in), `in_stride` floats from row to row; out (rows, out), `out_stride`. */
struct linear_shape {
	int64_t rows, in, out, in_stride, out_stride;
	enum linear_layout layout;
};

/* Shape of a map between arrays without gaps. */
struct linear_shape linear_shape_dense(int64_t rows, int64_t in, int64_t out,
				       enum linear_layout layout);

/*
 * out = in W + bias + residual.  `bias` (out) and `residual` (like out, the
 * same stride; may be out itself) may be NULL.
 */
void linear_forward(float *out, const float *in, const float *weight, const float *bias,
		    const float *residual, const struct linear_shape *shape);

/* out = bias + residual, what linear_forward() adds the product to; nothing when both are NULL. */
void linear_start(float *out, const float *bias, const float *residual,
		  const struct linear_shape *shape);

/* d_in = d_out W^T, or added to d_in with `add`.  d_in lies like in. */
void linear_backward_input(float *d_in, const float *d_out, const float *weight, bool add,
			   const struct linear_shape *shape);

/* Adds to d_weight (laid out like the weight) and, unless NULL, to d_bias (out). */
void linear_backward_weight(float *d_weight, float *d_bias, const float *d_out, const float *in,
			    const struct linear_shape *shape);

/* out (count, width): row index[i] of table (rows, width).  Indices must be below `rows`. */
void embedding_forward(float *out, const float *table, const int64_t *index, int64_t count,
		       int64_t width);

/* Adds row i of d_out (count, width) to row index[i] of d_table. */
void embedding_backward(float *d_table, const float *d_out, const int64_t *index, int64_t count,
			int64_t width);

#endif
