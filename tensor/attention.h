/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Softmax attention with grouped key/value heads: causal or not, with an
 * optional bias by distance.
 */
#ifndef TENSOR_ATTENTION_H
#define TENSOR_ATTENTION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Added to the scores after their scale: key j seen from position i gets
 * values[head x stride + zero + j - i], for every distance j - i that occurs.
 */
struct attention_bias {
	const float *values; /* (heads, stride) */
	int64_t stride, zero;
};

/*
 * Query token i of a sequence stands at position p = keys - tokens + i and
 * sees keys [0, p], or all of them when bidirectional; keys = tokens unless a
 * cache holds earlier ones.  Query head h uses key/value head
 * h / (heads / kv_heads).  Rows of all arrays lie `*_stride` floats apart,
 * heads side by side inside a row:
 *   q, out: (batch, tokens, heads x width);  k, v: (batch, keys, kv_heads x width).
 */
struct attention_shape {
	int64_t batch, tokens, keys, heads, kv_heads, width;
	int64_t q_stride, kv_stride, out_stride;
	float scale; /* of the scores, e.g. 1 / sqrt(width) */
	bool bidirectional;
	const struct attention_bias *bias; /* NULL: none */
};

/* Floats of scratch that both functions need when called now from this thread. */
int64_t attention_scratch_floats(const struct attention_shape *shape);

/* Floats of `weights` below. */
int64_t attention_weights_floats(const struct attention_shape *shape);

/* `weights` (batch, heads, tokens, keys) keeps the softmax for backward; NULL: not kept. */
void attention_forward(float *out, float *weights, const float *q, const float *k, const float *v,
		       float *scratch, const struct attention_shape *shape);

/*
 * Writes d_q, d_k, d_v, laid out like q, k, v (the same strides), from d_out
 * (like out) and what forward kept.  Adds to d_bias (batch, heads, stride of
 * the bias) unless it is NULL.
 */
void attention_backward(float *d_q, float *d_k, float *d_v, float *d_bias, const float *d_out,
			const float *q, const float *k, const float *v, const float *weights,
			float *scratch, const struct attention_shape *shape);

#endif
