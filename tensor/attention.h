/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causal softmax attention with grouped key/value heads.
 */
#ifndef TENSOR_ATTENTION_H
#define TENSOR_ATTENTION_H

#include <stdint.h>

/*
 * Query token i of a sequence sees keys [0, keys - tokens + i]; keys = tokens
 * unless a cache holds earlier ones.  Query head h uses key/value head
 * h / (heads / kv_heads).  Rows of all arrays lie `*_stride` floats apart,
 * heads side by side inside a row:
 *   q, out: (batch, tokens, heads x width);  k, v: (batch, keys, kv_heads x width).
 */
struct attention_shape {
	int64_t batch, tokens, keys, heads, kv_heads, width;
	int64_t q_stride, kv_stride, out_stride;
	float scale; /* of the scores, e.g. 1 / sqrt(width) */
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
 * (like out) and what forward kept.  Only for keys = tokens.
 */
void attention_backward(float *d_q, float *d_k, float *d_v, const float *d_out, const float *q,
			const float *k, const float *v, const float *weights, float *scratch,
			const struct attention_shape *shape);

#endif
