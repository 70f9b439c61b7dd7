/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Causal softmax attention (formulas: tensor/attention.c).
 *
 * Whole sequences go through batched matrix products, one matrix a head, with
 * the softmax between them; the batch is a list of pointers, because heads lie
 * side by side inside rows.  Query heads that share a key/value head are done
 * one after another, so that no two add to the same gradient.
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"

#define THREADS 256
#define ROWS_PER_BLOCK (THREADS / 32)

/* Arrays of pointers to the matrices of each item: a sequence and a key/value head of it. */
enum pointer_list {
	LIST_Q,
	LIST_K,
	LIST_V,
	LIST_OUT,
	LIST_WEIGHTS,
	LIST_D_Q,
	LIST_D_K,
	LIST_D_V,
	LIST_D_WEIGHTS,
	LIST_COUNT,
};

struct bases {
	const float *at[LIST_COUNT];
};

static int64_t items_of(const struct attention_shape *s)
{
	return s->batch * s->kv_heads;
}

static size_t lists_bytes(const struct attention_shape *s)
{
	return ((size_t)items_of(s) * LIST_COUNT * sizeof(float *) + 255) / 256 * 256;
}

size_t cuda_attention_scratch_bytes(const struct attention_shape *shape, bool backward)
{
	const int64_t floats = backward ? attention_weights_floats(shape) : 0;

	return lists_bytes(shape) + (size_t)floats * sizeof(float);
}

/* Head `member` of each group of query heads. */
static __global__ void lists_kernel(const float **lists, struct bases bases,
				    struct attention_shape s, int64_t member)
{
	kernel_begins();

	const int64_t item = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
	const int64_t items = s.batch * s.kv_heads;

	if (item >= items)
		return;

	const int64_t b = item / s.kv_heads, kv_head = item % s.kv_heads;
	const int64_t head = kv_head * (s.heads / s.kv_heads) + member;
	const int64_t q = b * s.tokens * s.q_stride + head * s.width;
	const int64_t kv = b * s.keys * s.kv_stride + kv_head * s.width;
	const int64_t out = b * s.tokens * s.out_stride + head * s.width;
	const int64_t weights = (b * s.heads + head) * s.tokens * s.keys;
	const int64_t place[LIST_COUNT] = {q, kv, kv, out, weights, q, kv, kv, weights};

#pragma unroll
	for (int list = 0; list < LIST_COUNT; list++)
		lists[list * items + item] = bases.at[list] + place[list];
}

static void lists_fill(struct cuda *cuda, void *lists, const struct bases *bases,
		       const struct attention_shape *shape, int64_t member)
{
	if (cuda->code)
		return;
	cuda_launch(cuda, "attention's matrices", lists_kernel, cuda_blocks(items_of(shape), 64),
		    64, 0, (const float **)lists, *bases, *shape, member);
}

/* One row-major product of f32 matrices per item. */
struct batched {
	enum pointer_list a, b, c;
	bool transpose_a, transpose_b;
	int64_t m, n, k, a_stride, b_stride, c_stride;
	float alpha, beta;
};

static void batched_run(struct cuda *cuda, void *lists, const struct batched *g, int64_t items)
{
	void **at = (void **)lists;
	cublasStatus_t status;

	if (cuda->code)
		return;
	status = cublasGemmBatchedEx(
		cuda->blas, g->transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
		g->transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, (int)g->n, (int)g->m, (int)g->k,
		&g->alpha, (const void *const *)(at + g->b * items), CUDA_R_32F, (int)g->b_stride,
		(const void *const *)(at + g->a * items), CUDA_R_32F, (int)g->a_stride, &g->beta,
		at + g->c * items, CUDA_R_32F, (int)g->c_stride, (int)items, CUBLAS_COMPUTE_32F,
		CUBLAS_GEMM_DEFAULT);
	if (status != CUBLAS_STATUS_SUCCESS)
		cuda_fault(cuda, ERR_FAILED, "%s: attention's products (%lld, %lld, %lld): %s",
			   cuda->name, (long long)g->m, (long long)g->n, (long long)g->k,
			   cublasGetStatusString(status));
}

/* In place, one warp a row: softmax over the keys it sees, 0 beyond. */
static __global__ void softmax_kernel(float *scores, int64_t rows, int64_t tokens, int64_t keys,
				      float scale)
{
	kernel_begins();

	const int64_t row = (int64_t)blockIdx.x * ROWS_PER_BLOCK + threadIdx.x / 32;
	const int lane = threadIdx.x % 32;

	if (row >= rows)
		return;

	const int64_t seen = keys - tokens + row % tokens + 1;
	float *x = scores + row * keys;
	float largest = -INFINITY, sum = 0;

	for (int64_t i = lane; i < seen; i += 32)
		largest = fmaxf(largest, x[i]);
	largest = warp_max(largest);
	for (int64_t i = lane; i < seen; i += 32) {
		x[i] = expf((x[i] - largest) * scale);
		sum += x[i];
	}
	sum = 1.0f / warp_sum(sum);
	for (int64_t i = lane; i < keys; i += 32)
		x[i] = i < seen ? x[i] * sum : 0.0f;
}

void cuda_attention_forward(struct cuda *cuda, float *out, float *weights, const float *q,
			    const float *k, const float *v, void *scratch,
			    const struct attention_shape *s)
{
	const int64_t rows = s->batch * s->heads * s->tokens, group = s->heads / s->kv_heads;
	const struct bases bases = {{q, k, v, out, weights}};
	const struct batched score = {
		LIST_Q,	  LIST_K,      LIST_WEIGHTS, false,   true, s->tokens, s->keys,
		s->width, s->q_stride, s->kv_stride, s->keys, 1,    0};
	const struct batched mix = {LIST_WEIGHTS,  LIST_V,   LIST_OUT, false,	false,
				    s->tokens,	   s->width, s->keys,  s->keys, s->kv_stride,
				    s->out_stride, 1,	     0};

	for (int64_t member = 0; member < group; member++) {
		lists_fill(cuda, scratch, &bases, s, member);
		batched_run(cuda, scratch, &score, items_of(s));
	}
	if (cuda->code)
		return;
	cuda_launch(cuda, "softmax", softmax_kernel, cuda_blocks(rows, ROWS_PER_BLOCK), THREADS, 0,
		    weights, rows, s->tokens, s->keys, s->scale);
	for (int64_t member = 0; member < group; member++) {
		if (group > 1) /* else the lists stand already */
			lists_fill(cuda, scratch, &bases, s, member);
		batched_run(cuda, scratch, &mix, items_of(s));
	}
}

/* In place, one warp a row: dP becomes dS. */
static __global__ void softmax_backward_kernel(float *d_weights, const float *weights, int64_t rows,
					       int64_t keys)
{
	kernel_begins();

	const int64_t row = (int64_t)blockIdx.x * ROWS_PER_BLOCK + threadIdx.x / 32;
	const int lane = threadIdx.x % 32;

	if (row >= rows)
		return;

	float *d = d_weights + row * keys;
	const float *p = weights + row * keys;
	float mean = 0;

	for (int64_t i = lane; i < keys; i += 32)
		mean += d[i] * p[i];
	mean = warp_sum(mean);
	for (int64_t i = lane; i < keys; i += 32)
		d[i] = p[i] * (d[i] - mean);
}

void cuda_attention_backward(struct cuda *cuda, float *d_q, float *d_k, float *d_v,
			     const float *d_out, const float *q, const float *k, const float *v,
			     const float *weights, void *scratch, const struct attention_shape *s)
{
	const int64_t rows = s->batch * s->heads * s->tokens, group = s->heads / s->kv_heads;
	const int64_t items = items_of(s);
	float *d_weights = (float *)((char *)scratch + lists_bytes(s));
	const struct bases bases = {{q, k, v, d_out, weights, d_q, d_k, d_v, d_weights}};
	const struct batched d_weight = {
		LIST_OUT, LIST_V,	 LIST_D_WEIGHTS, false,	  true, s->tokens, s->keys,
		s->width, s->out_stride, s->kv_stride,	 s->keys, 1,	0};

	for (int64_t member = 0; member < group; member++) {
		lists_fill(cuda, scratch, &bases, s, member);
		batched_run(cuda, scratch, &d_weight, items);
	}
	if (cuda->code)
		return;
	cuda_launch(cuda, "softmax backward", softmax_backward_kernel,
		    cuda_blocks(rows, ROWS_PER_BLOCK), THREADS, 0, d_weights, weights, rows,
		    s->keys);
	for (int64_t member = 0; member < group; member++) {
		const float beta = member ? 1.0f : 0.0f;
		const struct batched d_value = {
			LIST_WEIGHTS, LIST_OUT, LIST_D_V,  true,    false,
			s->keys,      s->width, s->tokens, s->keys, s->out_stride,
			s->kv_stride, 1,	beta};
		const struct batched d_query = {
			LIST_D_WEIGHTS, LIST_K,	  LIST_D_Q, false,   false,
			s->tokens,	s->width, s->keys,  s->keys, s->kv_stride,
			s->q_stride,	s->scale, 0};
		const struct batched d_key = {
			LIST_D_WEIGHTS, LIST_Q,	  LIST_D_K,  true,    false,
			s->keys,	s->width, s->tokens, s->keys, s->q_stride,
			s->kv_stride,	s->scale, beta};

		if (group > 1)
			lists_fill(cuda, scratch, &bases, s, member);
		batched_run(cuda, scratch, &d_value, items);
		batched_run(cuda, scratch, &d_query, items);
		batched_run(cuda, scratch, &d_key, items);
	}
}
