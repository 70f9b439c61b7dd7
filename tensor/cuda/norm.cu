/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Normalisation of rows, one block a row (formulas: tensor/norm.c).
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"

/* Whole warps, as many as give each thread a few elements. */
static unsigned threads_of(int64_t width)
{
	const int64_t threads = (width / 4 + 31) / 32 * 32;

	return (unsigned)(threads < 32 ? 32 : threads > 1024 ? 1024 : threads);
}

template <typename T>
static __global__ void norm_kernel(T *out, float *stats, const float *in, const float *weight,
				   const float *bias, bool centred, int64_t width, float epsilon)
{
	kernel_begins();

	const float *x = in + blockIdx.x * width;
	T *y = out + blockIdx.x * width;
	float mean = 0, squares = 0, scale;

	if (centred) {
		for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
			mean += x[i];
		mean = block_sum(mean) / (float)width;
	}
	for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
		squares += (x[i] - mean) * (x[i] - mean);
	scale = 1.0f / sqrtf(block_sum(squares) / (float)width + epsilon);
	if (stats && threadIdx.x == 0) {
		stats[2 * blockIdx.x] = mean;
		stats[2 * blockIdx.x + 1] = scale;
	}
	for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
		put(y + i, (x[i] - mean) * scale * weight[i] + (bias ? bias[i] : 0.0f));
}

void cuda_norm_forward(struct cuda *cuda, void *out, enum cuda_type type, float *stats,
		       const float *in, const float *weight, const float *bias, bool centred,
		       const struct norm_shape *shape)
{
	const unsigned rows = (unsigned)shape->rows, threads = threads_of(shape->width);

	if (cuda->code)
		return;
	if (type == CUDA_BF16)
		cuda_launch(cuda, "norm", norm_kernel<__nv_bfloat16>, rows, threads, 0,
			    (__nv_bfloat16 *)out, stats, in, weight, bias, centred, shape->width,
			    shape->epsilon);
	else
		cuda_launch(cuda, "norm", norm_kernel<float>, rows, threads, 0, (float *)out, stats,
			    in, weight, bias, centred, shape->width, shape->epsilon);
}

static __global__ void norm_backward_kernel(float *d_in, const float *d_out, const float *in,
					    const float *stats, const float *weight, bool centred,
					    int64_t width)
{
	kernel_begins();

	const float *x = in + blockIdx.x * width, *dy = d_out + blockIdx.x * width;
	const float mean = stats[2 * blockIdx.x], scale = stats[2 * blockIdx.x + 1];
	float *dx = d_in + blockIdx.x * width;
	float g_mean = 0, gn_mean = 0;

	for (int64_t i = threadIdx.x; i < width; i += blockDim.x) {
		const float g = dy[i] * weight[i];

		g_mean += g;
		gn_mean += g * ((x[i] - mean) * scale);
	}
	g_mean = centred ? block_sum(g_mean) / (float)width : 0.0f;
	gn_mean = block_sum(gn_mean) / (float)width;
	for (int64_t i = threadIdx.x; i < width; i += blockDim.x)
		dx[i] += scale * (dy[i] * weight[i] - g_mean - (x[i] - mean) * scale * gn_mean);
}

void cuda_norm_backward_input(struct cuda *cuda, float *d_in, const float *d_out, const float *in,
			      const float *stats, const float *weight, bool centred,
			      const struct norm_shape *shape)
{
	if (cuda->code)
		return;
	cuda_launch(cuda, "norm backward", norm_backward_kernel, (unsigned)shape->rows,
		    threads_of(shape->width), 0, d_in, d_out, in, stats, weight, centred,
		    shape->width);
}
