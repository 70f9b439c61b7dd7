/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Operations on single elements: conversion, sums, dropout, random numbers,
 * activations (formulas: tensor/activation.c).
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"

#define THREADS 256
#define TWO_ROOT_TWO_OVER_PI 1.5957691216057308f
#define CUBIC 0.044715f

size_t cuda_type_bytes(enum cuda_type type)
{
	return type == CUDA_BF16 ? 2 : 4;
}

static __device__ __forceinline__ int64_t thread_index()
{
	return (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
}

template <typename T>
static __global__ void convert_kernel(T *out, const float *in, int64_t count, int64_t width,
				      int64_t in_stride)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count)
		put(out + i, in[i / width * in_stride + i % width]);
}

void cuda_convert(struct cuda *cuda, void *out, enum cuda_type type, const float *in, int64_t rows,
		  int64_t width, int64_t in_stride)
{
	const int64_t count = rows * width;
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "conversion", convert_kernel<__nv_bfloat16>, blocks, THREADS, 0,
			    (__nv_bfloat16 *)out, in, count, width, in_stride);
	else
		cuda_launch(cuda, "conversion", convert_kernel<float>, blocks, THREADS, 0,
			    (float *)out, in, count, width, in_stride);
}

/* Read along rows, written across them: done once for each weight, so simply. */
template <typename T>
static __global__ void transpose_kernel(T *out, const float *in, int64_t count, int64_t rows,
					int64_t width)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count)
		put(out + i % width * rows + i / width, in[i]);
}

void cuda_transpose(struct cuda *cuda, void *out, enum cuda_type type, const float *in,
		    int64_t rows, int64_t width)
{
	const int64_t count = rows * width;
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (type == CUDA_BF16)
		cuda_launch(cuda, "transposition", transpose_kernel<__nv_bfloat16>, blocks, THREADS,
			    0, (__nv_bfloat16 *)out, in, count, rows, width);
	else
		cuda_launch(cuda, "transposition", transpose_kernel<float>, blocks, THREADS, 0,
			    (float *)out, in, count, rows, width);
}

static __global__ void bias_kernel(float *out, const float *in, const float *bias, int64_t count,
				   int64_t width, int64_t stride)
{
	kernel_begins();

	const int64_t i = thread_index(), column = i % width, at = i / width * stride + column;

	if (i < count)
		out[at] = (in ? in[at] : 0.0f) + (bias ? bias[column] : 0.0f);
}

void cuda_bias_add(struct cuda *cuda, float *out, const float *in, const float *bias, int64_t rows,
		   int64_t width, int64_t stride)
{
	const int64_t count = rows * width;

	cuda_launch(cuda, "bias", bias_kernel, cuda_blocks(count, THREADS), THREADS, 0, out, in,
		    bias, count, width, stride);
}

static __global__ void positions_kernel(float *x, const float *table, const int32_t *first,
					int64_t count, int64_t tokens, int64_t width)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count)
		x[i] += table[((first ? *first : 0) + i / width % tokens) * width + i % width];
}

void cuda_positions_add(struct cuda *cuda, float *x, const float *table, const int32_t *first,
			int64_t rows, int64_t tokens, int64_t width)
{
	const int64_t count = rows * width;

	if (cuda->code)
		return;
	cuda_launch(cuda, "positions", positions_kernel, cuda_blocks(count, THREADS), THREADS, 0, x,
		    table, first, count, tokens, width);
}

/* 64 bits of element `index` of the stream `seed` (Steele et al. 2014, splitmix64). */
static __device__ __forceinline__ uint64_t random_bits(uint64_t seed, uint64_t index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

struct dropout_rule {
	uint32_t threshold;
	float scale;
	uint64_t seed;
};

static struct dropout_rule dropout_rule_make(double dropout, uint64_t seed)
{
	return {(uint32_t)(dropout * 4294967296.0), (float)(1 / (1 - dropout)), seed};
}

static __device__ __forceinline__ float dropout_factor(const struct dropout_rule &rule, int64_t i)
{
	const uint32_t bits = (uint32_t)(random_bits(rule.seed, (uint64_t)i) >> 32);

	return bits < rule.threshold ? 0.0f : rule.scale;
}

template <typename T>
static __global__ void dropout_kernel(T *out, const T *in, int64_t count, struct dropout_rule rule)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count)
		put(out + i, as_float(in[i]) * dropout_factor(rule, i));
}

void cuda_dropout(struct cuda *cuda, void *out, const void *in, enum cuda_type type, int64_t count,
		  double dropout, uint64_t seed)
{
	const struct dropout_rule rule = dropout_rule_make(dropout, seed);
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "dropout", dropout_kernel<__nv_bfloat16>, blocks, THREADS, 0,
			    (__nv_bfloat16 *)out, (const __nv_bfloat16 *)in, count, rule);
	else
		cuda_launch(cuda, "dropout", dropout_kernel<float>, blocks, THREADS, 0,
			    (float *)out, (const float *)in, count, rule);
}

static __global__ void dropout_backward_kernel(float *out, const float *in, int64_t count,
					       struct dropout_rule rule)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count)
		out[i] += in[i] * dropout_factor(rule, i);
}

void cuda_dropout_backward(struct cuda *cuda, float *out, const float *in, int64_t count,
			   double dropout, uint64_t seed)
{
	if (cuda->code)
		return;
	cuda_launch(cuda, "dropout backward", dropout_backward_kernel, cuda_blocks(count, THREADS),
		    THREADS, 0, out, in, count, dropout_rule_make(dropout, seed));
}

template <typename T>
static __global__ void normal_kernel(T *out, int64_t count, float deviation, uint64_t seed)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i < count) {
		const uint64_t bits = random_bits(seed, (uint64_t)i);
		const float u = ((uint32_t)bits + 0.5f) * 0x1p-32f;
		const float v = (uint32_t)(bits >> 32) * 0x1p-31f; /* turns by half */

		put(out + i, deviation * sqrtf(-2.0f * logf(u)) * cospif(v));
	}
}

void cuda_random_normal(struct cuda *cuda, void *out, enum cuda_type type, int64_t count,
			double deviation, uint64_t seed)
{
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "random numbers", normal_kernel<__nv_bfloat16>, blocks, THREADS,
			    0, (__nv_bfloat16 *)out, count, (float)deviation, seed);
	else
		cuda_launch(cuda, "random numbers", normal_kernel<float>, blocks, THREADS, 0,
			    (float *)out, count, (float)deviation, seed);
}

static __device__ __forceinline__ float sigmoid(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

static __device__ __forceinline__ float gelu_gate(float x)
{
	return sigmoid(TWO_ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x));
}

template <typename T>
static __global__ void activation_kernel(enum cuda_activation activation, T *out, const float *in,
					 int64_t count, int64_t width)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i >= count)
		return;
	if (activation == CUDA_SILU_GATE) {
		const float *gate = in + i / width * 2 * width + i % width;

		put(out + i, *gate * sigmoid(*gate) * gate[width]);
	} else if (activation == CUDA_RELU) {
		put(out + i, fmaxf(in[i], 0.0f));
	} else {
		put(out + i, in[i] * gelu_gate(in[i]));
	}
}

void cuda_activation_forward(struct cuda *cuda, enum cuda_activation activation, void *out,
			     enum cuda_type type, const float *in, int64_t rows, int64_t width)
{
	const int64_t count = rows * width;
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "activation", activation_kernel<__nv_bfloat16>, blocks, THREADS,
			    0, activation, (__nv_bfloat16 *)out, in, count, width);
	else
		cuda_launch(cuda, "activation", activation_kernel<float>, blocks, THREADS, 0,
			    activation, (float *)out, in, count, width);
}

static __device__ __forceinline__ float gelu_slope(float x)
{
	const float s = gelu_gate(x);
	const float slope = TWO_ROOT_TWO_OVER_PI * (1.0f + 3.0f * CUBIC * x * x);

	return s + x * s * (1.0f - s) * slope;
}

template <typename T>
static __global__ void activation_backward_kernel(enum cuda_activation activation, T *d_in,
						  const float *d_out, const float *in,
						  int64_t count, int64_t width)
{
	kernel_begins();

	const int64_t i = thread_index();

	if (i >= count)
		return;
	if (activation == CUDA_SILU_GATE) {
		const int64_t place = i / width * 2 * width + i % width;
		const float gate = in[place], up = in[place + width], s = sigmoid(gate);

		put(d_in + place, d_out[i] * up * s * (1.0f + gate * (1.0f - s)));
		put(d_in + place + width, d_out[i] * gate * s);
	} else if (activation == CUDA_RELU) {
		put(d_in + i, in[i] > 0 ? d_out[i] : 0.0f);
	} else {
		put(d_in + i, d_out[i] * gelu_slope(in[i]));
	}
}

void cuda_activation_backward(struct cuda *cuda, enum cuda_activation activation, void *d_in,
			      enum cuda_type type, const float *d_out, const float *in,
			      int64_t rows, int64_t width)
{
	const int64_t count = rows * width;
	const unsigned blocks = cuda_blocks(count, THREADS);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "activation backward", activation_backward_kernel<__nv_bfloat16>,
			    blocks, THREADS, 0, activation, (__nv_bfloat16 *)d_in, d_out, in, count,
			    width);
	else
		cuda_launch(cuda, "activation backward", activation_backward_kernel<float>, blocks,
			    THREADS, 0, activation, (float *)d_in, d_out, in, count, width);
}
