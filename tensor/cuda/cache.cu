/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attention behind a key/value cache, for a few tokens at a time.
 *
 * The place of the tokens is read from device memory, so that recorded work
 * can run again wherever the cache has got to.
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"

#define THREADS 256
#define WARPS (THREADS / 32)
#define KEYS_AT_ONCE 4 /* loads in flight of one thread */

static __device__ __forceinline__ int64_t kv_width(const struct cuda_cache_step &s)
{
	return s.kv_heads * s.width;
}

/* One thread a pair (rotated), or an element where nothing is: a token is a row of blocks. */
static __global__ void append_kernel(struct cuda_cache_step s)
{
	kernel_begins();

	const int64_t half = s.width / 2;
	const int64_t heads = s.heads + 2 * s.kv_heads; /* q, k, v alike */
	const int64_t token = blockIdx.y, place = *s.first + token;
	float *row = s.qkv + token * heads * s.width;

	for (int64_t i = blockIdx.x * blockDim.x + threadIdx.x; i < heads * half;
	     i += gridDim.x * blockDim.x) {
		const int64_t head = i / half, j = i % half;
		const float *angle = s.table + place * s.width + j;
		float *low = row + head * s.width + j, *to = low;
		float a = low[0], b = low[half];

		if (s.table && head < s.heads + s.kv_heads) {
			const float c = angle[0], sine = angle[half], kept = a;

			a = kept * c - b * sine;
			b = b * c + kept * sine;
		}
		if (head >= s.heads + s.kv_heads)
			to = s.values + place * kv_width(s) +
			     (head - s.heads - s.kv_heads) * s.width + j;
		else if (head >= s.heads)
			to = s.keys + place * kv_width(s) + (head - s.heads) * s.width + j;
		to[0] = a;
		to[half] = b;
	}
}

/* An odd width has no pairs, and then no rotation: its last element goes alone. */
static __global__ void append_last_kernel(struct cuda_cache_step s)
{
	kernel_begins();

	const int64_t token = blockIdx.x, place = *s.first + token, last = s.width - 1;
	const float *row = s.qkv + token * (s.heads + 2 * s.kv_heads) * s.width;

	for (int64_t head = threadIdx.x; head < s.kv_heads; head += blockDim.x) {
		const int64_t to = place * kv_width(s) + head * s.width + last;

		s.keys[to] = row[(s.heads + head) * s.width + last];
		s.values[to] = row[(s.heads + s.kv_heads + head) * s.width + last];
	}
}

void cuda_cache_append(struct cuda *cuda, const struct cuda_cache_step *step)
{
	const int64_t pairs = (step->heads + 2 * step->kv_heads) * (step->width / 2);
	const dim3 grid(cuda_blocks(pairs > 0 ? pairs : 1, THREADS), (unsigned)step->tokens);

	if (cuda->code)
		return;
	cuda_launch(cuda, "cache", append_kernel, grid, THREADS, 0, *step);
	if (step->width % 2) {
		cuda_launch(cuda, "cache", append_last_kernel, (unsigned)step->tokens, 32, 0,
			    *step);
	}
}

/* Scores of one query against keys [0, seen): each warp takes every WARPS-th group of keys. */
static __device__ void scores_fill(float *scores, const float *q, const float *keys, int64_t stride,
				   int64_t seen, int64_t width)
{
	const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;

	for (int64_t key = warp * KEYS_AT_ONCE; key < seen; key += WARPS * KEYS_AT_ONCE) {
		float sum[KEYS_AT_ONCE] = {0};

		for (int64_t j = lane; j < width; j += 32)
#pragma unroll
			for (int i = 0; i < KEYS_AT_ONCE; i++)
				if (key + i < seen)
					sum[i] += q[j] * keys[(key + i) * stride + j];
#pragma unroll
		for (int i = 0; i < KEYS_AT_ONCE; i++) {
			sum[i] = warp_sum(sum[i]);
			if (lane == 0 && key + i < seen)
				scores[key + i] = sum[i];
		}
	}
}

/* Softmax over scores [0, seen), not yet divided by the sum, which is given back. */
static __device__ float scores_softmax(float *scores, int64_t seen, float scale)
{
	__shared__ float highest[WARPS];
	float largest = -INFINITY, sum = 0;

	for (int64_t i = threadIdx.x; i < seen; i += THREADS)
		largest = fmaxf(largest, scores[i]);
	largest = warp_max(largest);
	if (threadIdx.x % 32 == 0)
		highest[threadIdx.x / 32] = largest;
	__syncthreads();
	for (int i = 0; i < WARPS; i++)
		largest = fmaxf(largest, highest[i]);
	for (int64_t i = threadIdx.x; i < seen; i += THREADS) {
		scores[i] = expf((scores[i] - largest) * scale);
		sum += scores[i];
	}
	return block_sum(sum);
}

/* One block: one token of one head.  Shared memory: q (width), scores, partial sums (THREADS). */
template <typename T> static __global__ void attention_kernel(T *out, struct cuda_cache_step s)
{
	kernel_begins();

	extern __shared__ float shared[];
	const int64_t token = blockIdx.x, head = blockIdx.y, seen = *s.first + token + 1;
	const int64_t kv_head = head / (s.heads / s.kv_heads), stride = kv_width(s);
	const float *q = s.qkv + (token * (s.heads + 2 * s.kv_heads) + head) * s.width;
	const float *values = s.values + kv_head * s.width;
	float *query = shared, *partial = query + s.width, *scores = partial + THREADS;
	float inverse;

	for (int64_t j = threadIdx.x; j < s.width; j += THREADS)
		query[j] = q[j];
	__syncthreads();
	scores_fill(scores, query, s.keys + kv_head * s.width, stride, seen, s.width);
	__syncthreads();
	inverse = 1.0f / scores_softmax(scores, seen, s.scale);

	/* Threads in `parts` groups over the keys, a thread an element; then one sum over them. */
	const int64_t span = s.width < THREADS ? s.width : THREADS, parts = THREADS / span;
	const int64_t part = threadIdx.x / span, lane = threadIdx.x % span;

	for (int64_t base = 0; base < s.width; base += span) {
		const int64_t j = base + lane;
		float sum = 0;

		if (part < parts && j < s.width) {
#pragma unroll 8
			for (int64_t key = part; key < seen; key += parts)
				sum += scores[key] * values[key * stride + j];
			partial[part * span + lane] = sum;
		}
		__syncthreads();
		if (part == 0 && j < s.width) {
			for (int64_t i = 1; i < parts; i++)
				sum += partial[i * span + lane];
			put(out + (token * s.heads + head) * s.width + j, sum * inverse);
		}
		__syncthreads();
	}
}

void cuda_cache_attention(struct cuda *cuda, void *out, enum cuda_type type,
			  const struct cuda_cache_step *step)
{
	const dim3 grid((unsigned)step->tokens, (unsigned)step->heads);
	const size_t bytes = (size_t)(step->width + THREADS + step->max_tokens) * sizeof(float);
	const void *kernel = type == CUDA_BF16 ? (const void *)attention_kernel<__nv_bfloat16>
					       : (const void *)attention_kernel<float>;

	if (cuda->code)
		return;
	if (bytes > 48 << 10 &&
	    !cuda_good(cuda,
		       cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
					    (int)bytes),
		       "attention over so many tokens"))
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "cached attention", attention_kernel<__nv_bfloat16>, grid,
			    THREADS, bytes, (__nv_bfloat16 *)out, *step);
	else
		cuda_launch(cuda, "cached attention", attention_kernel<float>, grid, THREADS, bytes,
			    (float *)out, *step);
}
