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
	bool overlaps; /* a kernel may start before the one before it has ended (sm_90 on) */
	int code;      /* of the first fault; 0: none */
	char fault[400];
};

/* Keeps the first fault. */
void cuda_fault(struct cuda *cuda, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* True when `status` is good; otherwise a fault of `what`. */
bool cuda_good(struct cuda *cuda, cudaError_t status, const char *what);

/*
 * Queues a kernel that begins with kernel_begins(): where the device can, its
 * blocks are set up while the kernel before it ends.
 */
template <typename... Parameters, typename... Arguments>
static inline void cuda_launch(struct cuda *cuda, const char *what, void (*kernel)(Parameters...),
			       dim3 grid, unsigned threads, size_t shared, Arguments... arguments)
{
	cudaLaunchAttribute overlap = {};
	cudaLaunchConfig_t config = {};

	if (cuda->code)
		return;
	overlap.id = cudaLaunchAttributeProgrammaticStreamSerialization;
	overlap.val.programmaticStreamSerializationAllowed = 1;
	config.gridDim = grid;
	config.blockDim = dim3(threads);
	config.dynamicSmemBytes = shared;
	config.stream = cuda->stream;
	config.attrs = &overlap;
	config.numAttrs = cuda->overlaps ? 1 : 0;
	cuda_good(cuda, cudaLaunchKernelEx(&config, kernel, Parameters(arguments)...), what);
}

/*
 * Waits until everything before this kernel is written, then lets the next one
 * set up.  In this order only the kernel right before can still be running.
 */
static __device__ __forceinline__ void kernel_begins()
{
#if __CUDA_ARCH__ >= 900
	asm volatile("griddepcontrol.wait;" ::: "memory");
	asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
#endif
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
