/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operations of tensor/ on a CUDA device.
 *
 * Arrays, shapes and meanings are those of the function of the same name in
 * tensor/, which is the reference; here every pointer is device memory, and
 * work is queued (cuda.h says how faults are told).  What feeds a matrix
 * product is in the type of the weights (`enum cuda_type`); everything else,
 * and every sum, is f32.
 */
#ifndef TENSOR_CUDA_OPS_H
#define TENSOR_CUDA_OPS_H

#include "tensor/cuda/cuda.h"

#ifdef __cplusplus
extern "C" {
#endif

#include "tensor/attention.h"
#include "tensor/norm.h"
#include "tensor/rope.h"

enum cuda_type {
	CUDA_F32,
	CUDA_BF16,
};

/* Bytes of one number. */
size_t cuda_type_bytes(enum cuda_type type);

/*
 * As struct gemm; a and b are of `type`, c of `type_c` (f32, or `type`).  f32 never as TF32.
 * With an f32 c and beta 0, bias (n) and residual (like c, may be c) are added; NULL: none.
 * b must not be what the operation right before this one wrote.
 */
struct cuda_gemm {
	bool transpose_a, transpose_b;
	int64_t m, n, k;
	float alpha, beta;
	enum cuda_type type, type_c;
	const void *a;
	int64_t a_stride;
	const void *b;
	int64_t b_stride;
	void *c;
	int64_t c_stride;
	const float *bias, *residual;
};

void cuda_gemm_run(struct cuda *cuda, const struct cuda_gemm *gemm);

/* out (rows, width) without gaps = in, rows `in_stride` floats apart. */
void cuda_convert(struct cuda *cuda, void *out, enum cuda_type type, const float *in, int64_t rows,
		  int64_t width, int64_t in_stride);

/* As cuda_convert(), but the rows become columns: out (width, rows). */
void cuda_transpose(struct cuda *cuda, void *out, enum cuda_type type, const float *in,
		    int64_t rows, int64_t width);

/*
 * out (rows, width) = in (the same, or NULL: zeros) + bias (width, or NULL); out may be in.
 * Rows lie `stride` floats apart.
 */
void cuda_bias_add(struct cuda *cuda, float *out, const float *in, const float *bias, int64_t rows,
		   int64_t width, int64_t stride);

/* x (rows, width) += table row `first` + row % tokens; first NULL: 0 (device memory else). */
void cuda_positions_add(struct cuda *cuda, float *x, const float *table, const int32_t *first,
			int64_t rows, int64_t tokens, int64_t width);

/*
 * out (count) = in where a mask of `seed` keeps, over the probability of being
 * kept; 0 elsewhere.  The same seed gives the same mask.  out may be in.
 */
void cuda_dropout(struct cuda *cuda, void *out, const void *in, enum cuda_type type, int64_t count,
		  double dropout, uint64_t seed);

/* out (count) += in where the mask of `seed` keeps, scaled likewise. */
void cuda_dropout_backward(struct cuda *cuda, float *out, const float *in, int64_t count,
			   double dropout, uint64_t seed);

/* out (count): normal numbers from `seed` (element i depends on seed and i alone). */
void cuda_random_normal(struct cuda *cuda, void *out, enum cuda_type type, int64_t count,
			double deviation, uint64_t seed);

/* LayerNorm; with bias NULL and `centred` false RMSNorm.  out is of `type`; stats may be NULL. */
void cuda_norm_forward(struct cuda *cuda, void *out, enum cuda_type type, float *stats,
		       const float *in, const float *weight, const float *bias, bool centred,
		       const struct norm_shape *shape);
void cuda_norm_backward_input(struct cuda *cuda, float *d_in, const float *d_out, const float *in,
			      const float *stats, const float *weight, bool centred,
			      const struct norm_shape *shape);

/* direction 1: rope_forward(), -1: rope_backward(). */
void cuda_rope(struct cuda *cuda, float *x, const float *table, const struct rope_shape *shape,
	       float direction);

enum cuda_activation {
	CUDA_GELU_NEW,
	CUDA_RELU,
	CUDA_SILU_GATE, /* in (rows, 2 width): gate, then up */
};

/* out (rows, width) of `type` from in; backward writes d_in, laid out like in, of `type`. */
void cuda_activation_forward(struct cuda *cuda, enum cuda_activation activation, void *out,
			     enum cuda_type type, const float *in, int64_t rows, int64_t width);
void cuda_activation_backward(struct cuda *cuda, enum cuda_activation activation, void *d_in,
			      enum cuda_type type, const float *d_out, const float *in,
			      int64_t rows, int64_t width);

/* Bytes of scratch of the two functions below, the second with `backward`. */
size_t cuda_attention_scratch_bytes(const struct attention_shape *shape, bool backward);

/* `weights` (batch, heads, tokens, keys) must be given; out is f32. */
void cuda_attention_forward(struct cuda *cuda, float *out, float *weights, const float *q,
			    const float *k, const float *v, void *scratch,
			    const struct attention_shape *shape);
void cuda_attention_backward(struct cuda *cuda, float *d_q, float *d_k, float *d_v,
			     const float *d_out, const float *q, const float *k, const float *v,
			     const float *weights, void *scratch,
			     const struct attention_shape *shape);

/*
 * A key/value cache of one layer, and the step that extends it.  qkv (tokens,
 * q | k | v) is one row a token, `*first` tokens are in the cache already.
 */
struct cuda_cache_step {
	int64_t tokens, max_tokens, heads, kv_heads, width;
	float scale;
	const int32_t *first; /* device memory: recorded work runs at any place */
	float *qkv;
	const float *table;   /* of rope; NULL: no rotation */
	float *keys, *values; /* (max_tokens, kv_heads x width) */
};

/* Rotates q in place; k, rotated, and v go to the cache. */
void cuda_cache_append(struct cuda *cuda, const struct cuda_cache_step *step);

/* out (tokens, heads x width) of `type`: token i sees the cache's keys [0, *first + i]. */
void cuda_cache_attention(struct cuda *cuda, void *out, enum cuda_type type,
			  const struct cuda_cache_step *step);

#ifdef __cplusplus
}
#endif

#endif
