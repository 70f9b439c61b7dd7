/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of tensor/cuda/ share.
 */
#ifndef TENSOR_CUDA_INTERNAL_CUH
#define TENSOR_CUDA_INTERNAL_CUH

#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "tensor/cuda/cuda.h"

struct cuda {
	cudaStream_t stream;
	cublasHandle_t blas;
	void *workspace; /* of cuBLAS: its own, so that recorded work may use it */
	char name[256];
	size_t total_bytes, held_bytes, peak_bytes;
	int code; /* of the first fault; 0: none */
	char fault[400];
};

/* Keeps the first fault. */
void cuda_fault(struct cuda *cuda, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* True when `status` is good; otherwise a fault of `what`. */
bool cuda_good(struct cuda *cuda, cudaError_t status, const char *what);

/* After each launch. */
static inline void cuda_launched(struct cuda *cuda, const char *what)
{
	cuda_good(cuda, cudaGetLastError(), what);
}

/* Blocks of `each` that cover `count`. */
static inline unsigned cuda_blocks(int64_t count, int64_t each)
{
	return (unsigned)((count + each - 1) / each);
}

static __device__ __forceinline__ float as_float(float x)
{
	return x;
}

static __device__ __forceinline__ float as_float(__nv_bfloat16 x)
{
	return __bfloat162float(x);
}

static __device__ __forceinline__ void put(float *to, float x)
{
	*to = x;
}

static __device__ __forceinline__ void put(__nv_bfloat16 *to, float x)
{
	*to = __float2bfloat16(x);
}

static __device__ __forceinline__ float warp_sum(float x)
{
	for (int lane = 16; lane > 0; lane /= 2)
		x += __shfl_xor_sync(0xffffffffu, x, lane);
	return x;
}

static __device__ __forceinline__ float warp_max(float x)
{
	for (int lane = 16; lane > 0; lane /= 2)
		x = fmaxf(x, __shfl_xor_sync(0xffffffffu, x, lane));
	return x;
}

/* Sum over a block of whole warps, at most 1024 threads, for every thread. */
static __device__ __forceinline__ float block_sum(float x)
{
	__shared__ float partial[32];
	const int warps = blockDim.x / 32;

	x = warp_sum(x);
	__syncthreads();
	if (threadIdx.x % 32 == 0)
		partial[threadIdx.x / 32] = x;
	__syncthreads();
	x = (int)(threadIdx.x % 32) < warps ? partial[threadIdx.x % 32] : 0.0f;
	return warp_sum(x);
}

#endif
