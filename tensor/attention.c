/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Softmax attention.
 *
 *     S = scale Q K^T + bias,  P = softmax of each row over the keys it may see,  O = P V
 *     dP = dO V^T,  dS = P (dP - sum(dP P)),  dQ = scale dS K,  dK = scale dS^T Q,  dV = P^T dO,
 *     and the gradient of the bias at a distance is the sum of dS over the pairs so far apart.
 *
 * Queries go in blocks of BLOCK_ROWS, and a block multiplies only the keys
 * that its last row sees, which in causal attention saves nearly half of the
 * square.  Beyond the diagonal P is zero inside a block and unused after it.  Work is shared out
 * by key/value head, so that no two threads add to the same gradient.
 */
#include "tensor/attention.h"

#include <stddef.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/threads.h"
#include "tensor/vector.h"

#define BLOCK_ROWS 64

struct attention_call {
	const struct attention_shape *shape;
	const float *q, *k, *v, *d_out, *kept;
	float *out, *weights, *d_q, *d_k, *d_v, *d_bias, *scratch;
};

/* Rows [first, first + rows) of queries of one head of one sequence, and what they see. */
struct block {
	int64_t first, rows;
	int64_t position; /* of the first query */
	int64_t seen;     /* keys that the first query sees */
	int64_t step;     /* keys that each query sees more than the one before: 1 or 0 */
	int64_t keys;     /* that the last query sees */
};

static struct block block_of(const struct attention_shape *s, int64_t first)
{
	const int64_t left = s->tokens - first, rows = left < BLOCK_ROWS ? left : BLOCK_ROWS;
	const int64_t position = s->keys - s->tokens + first;
	struct block block = {.first = first, .rows = rows, .position = position,
			      .seen = s->keys, .keys = s->keys};

	if (!s->bidirectional) {
		block.step = 1;
		block.seen = position + 1;
		block.keys = position + rows;
	}
	return block;
}

int64_t attention_scratch_floats(const struct attention_shape *shape)
{
	return tensor_workers() * BLOCK_ROWS * shape->keys;
}

int64_t attention_weights_floats(const struct attention_shape *shape)
{
	return shape->batch * shape->heads * shape->tokens * shape->keys;
}

/* x = scale x + bias, for one row. */
TENSOR_INLINE void row_bias(float *x, const float *bias, int64_t count, float scale)
{
	for (int64_t i = 0; i < count; i++)
		x[i] = x[i] * scale + bias[i];
}

/* Softmax of the block's rows, each over the keys it sees; the rest of the block becomes 0. */
TENSOR_CLONES
static void softmax_rows(float *scores, int64_t stride, const struct block *block,
			 const float *bias, float scale)
{
	for (int64_t row = 0; row < block->rows; row++) {
		float *x = scores + row * stride;
		const int64_t count = block->seen + row * block->step;
		const float factor = bias ? 1.0f : scale;
		float inverse, largest;

		if (bias)
			row_bias(x, bias - row, count, scale);
		largest = vector_max(x, count);
		for (int64_t i = 0; i < count; i++)
			x[i] = vector_exp((x[i] - largest) * factor);
		inverse = 1.0f / vector_sum(x, count);
		for (int64_t i = 0; i < count; i++)
			x[i] *= inverse;
		memset(x + count, 0, (size_t)(block->keys - count) * sizeof(*x));
	}
}

/* Adds dS to the gradient of the bias, each row shifted by its query's place. */
TENSOR_CLONES
static void bias_rows_backward(float *d_bias, const float *d_scores, int64_t stride,
			       const struct block *block)
{
	for (int64_t row = 0; row < block->rows; row++) {
		const float *d = d_scores + row * stride;
		float *out = d_bias - row;

		for (int64_t i = 0; i < block->keys; i++)
			out[i] += d[i];
	}
}

/* In place: dP becomes dS. */
TENSOR_CLONES
static void softmax_rows_backward(float *d_weights, int64_t d_stride, const float *weights,
				  int64_t stride, int64_t rows, int64_t keys)
{
	for (int64_t row = 0; row < rows; row++) {
		float *d = d_weights + row * d_stride;
		const float *p = weights + row * stride;
		const float mean = vector_dot(d, p, keys);

		for (int64_t i = 0; i < keys; i++)
			d[i] = p[i] * (d[i] - mean);
	}
}

/* The bias of key 0 seen from the block's first query. */
static int64_t bias_place(const struct attention_shape *s, const struct block *block, int64_t head)
{
	return head * s->bias->stride + s->bias->zero - block->position;
}

static void block_forward(const struct attention_call *call, int64_t b, int64_t head,
			  int64_t first, float *scores, int64_t stride)
{
	const struct attention_shape *s = call->shape;
	const struct block block = block_of(s, first);
	const int64_t kv_head = head / (s->heads / s->kv_heads);
	const int64_t kv_place = b * s->keys * s->kv_stride + kv_head * s->width;
	const int64_t row = b * s->tokens + first;
	const float *bias = s->bias ? s->bias->values + bias_place(s, &block, head) : NULL;
	const struct gemm score = {
		.transpose_b = true, .m = block.rows, .n = block.keys, .k = s->width, .alpha = 1,
		.a = call->q + row * s->q_stride + head * s->width, .a_stride = s->q_stride,
		.b = call->k + kv_place, .b_stride = s->kv_stride,
		.c = scores, .c_stride = stride};
	const struct gemm mix = {
		.m = block.rows, .n = s->width, .k = block.keys, .alpha = 1,
		.a = scores, .a_stride = stride,
		.b = call->v + kv_place, .b_stride = s->kv_stride,
		.c = call->out + row * s->out_stride + head * s->width,
		.c_stride = s->out_stride};

	gemm_run(&score);
	softmax_rows(scores, stride, &block, bias, s->scale);
	gemm_run(&mix);
}

static void heads_forward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct attention_call *call = context;
	const struct attention_shape *s = call->shape;
	float *scratch = call->scratch + worker * BLOCK_ROWS * s->keys;

	for (int64_t item = begin; item < end; item++)
		for (int64_t first = 0; first < s->tokens; first += BLOCK_ROWS) {
			float *scores = scratch;

			if (call->weights)
				scores = call->weights + (item * s->tokens + first) * s->keys;
			block_forward(call, item / s->heads, item % s->heads, first, scores,
				      s->keys);
		}
}

/* Heads below which a second thread costs more than it brings. */
static int64_t grain_heads(const struct attention_shape *shape)
{
	const int64_t work = shape->tokens * shape->keys * shape->width;

	return 1 + (INT64_C(1) << 18) / (work + 1);
}

void attention_forward(float *out, float *weights, const float *q, const float *k, const float *v,
		       float *scratch, const struct attention_shape *shape)
{
	struct attention_call call = {.shape = shape, .q = q, .k = k, .v = v, .out = out,
				      .weights = weights, .scratch = scratch};

	tensor_split(shape->batch * shape->heads, grain_heads(shape), heads_forward, &call);
}

/* d_weights (rows, keys) of one block, then the three products that use it. */
static void block_backward(const struct attention_call *call, int64_t b, int64_t head,
			   int64_t first, float *d_scores)
{
	const struct attention_shape *s = call->shape;
	const struct block block = block_of(s, first);
	const int64_t rows = block.rows, keys = block.keys, row = b * s->tokens + first;
	const int64_t kv_head = head / (s->heads / s->kv_heads);
	const int64_t kv_place = b * s->keys * s->kv_stride + kv_head * s->width;
	const int64_t q_place = row * s->q_stride + head * s->width;
	const float *d_out = call->d_out + row * s->out_stride + head * s->width;
	const float *weights =
		call->kept + ((b * s->heads + head) * s->tokens + first) * s->keys;
	const struct gemm d_weight = {
		.transpose_b = true, .m = rows, .n = keys, .k = s->width, .alpha = 1,
		.a = d_out, .a_stride = s->out_stride,
		.b = call->v + kv_place, .b_stride = s->kv_stride,
		.c = d_scores, .c_stride = s->keys};
	const struct gemm d_value = {
		.transpose_a = true, .m = keys, .n = s->width, .k = rows, .alpha = 1, .beta = 1,
		.a = weights, .a_stride = s->keys, .b = d_out, .b_stride = s->out_stride,
		.c = call->d_v + kv_place, .c_stride = s->kv_stride};
	const struct gemm d_query = {
		.m = rows, .n = s->width, .k = keys, .alpha = s->scale,
		.a = d_scores, .a_stride = s->keys,
		.b = call->k + kv_place, .b_stride = s->kv_stride,
		.c = call->d_q + q_place, .c_stride = s->q_stride};
	const struct gemm d_key = {
		.transpose_a = true, .m = keys, .n = s->width, .k = rows,
		.alpha = s->scale, .beta = 1,
		.a = d_scores, .a_stride = s->keys,
		.b = call->q + q_place, .b_stride = s->q_stride,
		.c = call->d_k + kv_place, .c_stride = s->kv_stride};

	gemm_run(&d_weight);
	softmax_rows_backward(d_scores, s->keys, weights, s->keys, rows, keys);
	if (s->bias && call->d_bias)
		bias_rows_backward(call->d_bias + b * s->heads * s->bias->stride +
				   bias_place(s, &block, head), d_scores, s->keys, &block);
	gemm_run(&d_value);
	gemm_run(&d_query);
	gemm_run(&d_key);
}

static void kv_heads_backward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct attention_call *call = context;
	const struct attention_shape *s = call->shape;
	const int64_t group = s->heads / s->kv_heads;
	float *scratch = call->scratch + worker * BLOCK_ROWS * s->keys;

	for (int64_t item = begin; item < end; item++) {
		const int64_t b = item / s->kv_heads, kv_head = item % s->kv_heads;

		for (int64_t key = 0; key < s->keys; key++) {
			const int64_t place =
				(b * s->keys + key) * s->kv_stride + kv_head * s->width;

			memset(call->d_k + place, 0, (size_t)s->width * sizeof(float));
			memset(call->d_v + place, 0, (size_t)s->width * sizeof(float));
		}
		for (int64_t i = 0; i < group; i++)
			for (int64_t first = 0; first < s->tokens; first += BLOCK_ROWS)
				block_backward(call, b, kv_head * group + i, first, scratch);
	}
}

void attention_backward(float *d_q, float *d_k, float *d_v, float *d_bias, const float *d_out,
			const float *q, const float *k, const float *v, const float *weights,
			float *scratch, const struct attention_shape *shape)
{
	struct attention_call call = {.shape = shape, .q = q, .k = k, .v = v, .d_out = d_out,
				      .kept = weights, .d_q = d_q, .d_k = d_k, .d_v = d_v,
				      .d_bias = d_bias, .scratch = scratch};

	tensor_split(shape->batch * shape->kv_heads, grain_heads(shape), kv_heads_backward,
		     &call);
}
