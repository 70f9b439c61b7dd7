/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large matrix that lies (out, in).
 *
 * Such a product reads every weight once and does little with it, so all that
 * counts is how many bytes are under way.  A block makes OUTS outputs of all
 * rows; its warps share the inputs out in pieces and add up at the end.  Each
 * warp has AHEAD pieces under way, the first of them before the kernel before
 * this one has ended: weights do not depend on it.
 *
 * bf16 goes through the tensor cores, whose m16n8k16 product sums over k in any
 * order as long as both operands agree on it: a lane takes 8 neighbouring
 * numbers of a weight row, 16 bytes, and the same 8 of a row of x, as its share
 * of two products.  f32 has no such product without rounding: a lane multiplies
 * 4 neighbouring numbers, and the warp adds up over its lanes.
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/skinny.cuh"

#define WARPS 8
#define AHEAD 4 /* pieces of a warp under way */
#define ROWS_MAX 16
#define OUTS_BF16 16 /* of a block */
#define OUTS_F32 4
#define PIECE_BF16 32 /* inputs of a warp at a time: 8 of each of 4 lanes */
#define PIECE_F32 128 /* 4 of each lane */

struct skinny_call {
	const void *x, *weight;
	const float *bias, *residual;
	float *out;
	int64_t rows, outs, in, x_stride, weight_stride, out_stride;
	float alpha, beta;
};

/* Memory that is read once: it need not stay in the first cache. */
static __device__ __forceinline__ uint4 load_once(const void *from)
{
	uint4 value;

	asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
		     : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
		     : "l"(from));
	return value;
}

/* d (16 outputs, 8 rows) += a (16, 16) b (16, 8). */
static __device__ __forceinline__ void multiply(float d[4], unsigned a0, unsigned a1, unsigned a2,
						unsigned a3, unsigned b0, unsigned b1)
{
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
		     "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
		     : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
		     : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
}

/* One output of one row, from what the warps made of it. */
static __device__ __forceinline__ void put_output(const struct skinny_call &call, int64_t row,
						  int64_t column, float sum)
{
	const int64_t at = row * call.out_stride + column;

	sum *= call.alpha;
	if (call.bias)
		sum += call.bias[column];
	if (call.residual)
		sum += call.residual[at];
	if (call.beta != 0)
		sum += call.beta * call.out[at];
	call.out[at] = sum;
}

/* Weights of outputs g and g + 8 of a block: a lane's share of one piece. */
struct weights_bf16 {
	uint4 low, high;
};

static __device__ __forceinline__ struct weights_bf16 weights_load(const struct skinny_call &call,
								   int64_t first, int64_t piece)
{
	const int lane = threadIdx.x % 32;
	const __nv_bfloat16 *row = (const __nv_bfloat16 *)call.weight +
				   (first + lane / 4) * call.weight_stride + piece * PIECE_BF16 +
				   lane % 4 * 8;

	return {load_once(row), load_once(row + 8 * call.weight_stride)};
}

/* TILES tiles of 8 rows. */
template <int TILES>
static __device__ __forceinline__ void piece_add(float (*sum)[4], const struct weights_bf16 &w,
						 const struct skinny_call &call, int64_t piece)
{
	const int lane = threadIdx.x % 32;
	const __nv_bfloat16 *x = (const __nv_bfloat16 *)call.x + piece * PIECE_BF16 + lane % 4 * 8;

#pragma unroll
	for (int tile = 0; tile < TILES; tile++) {
		const int64_t row = tile * 8 + lane / 4;
		uint4 b = make_uint4(0, 0, 0, 0);

		if (row < call.rows)
			b = *(const uint4 *)(x + row * call.x_stride);
		multiply(sum[tile], w.low.x, w.high.x, w.low.y, w.high.y, b.x, b.y);
		multiply(sum[tile], w.low.z, w.high.z, w.low.w, w.high.w, b.z, b.w);
	}
}

template <int TILES>
static __global__ void __launch_bounds__(WARPS * 32) skinny_bf16_kernel(struct skinny_call call)
{
	__shared__ float partial[WARPS][TILES * 8][OUTS_BF16 + 1];
	const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
	const int64_t first = (int64_t)blockIdx.x * OUTS_BF16, pieces = call.in / PIECE_BF16;
	struct weights_bf16 w[AHEAD] = {};
	float sum[TILES][4] = {};

#pragma unroll
	for (int i = 0; i < AHEAD; i++)
		if (warp + i * WARPS < pieces)
			w[i] = weights_load(call, first, warp + i * WARPS);
	kernel_begins();
	for (int64_t base = warp; base < pieces; base += AHEAD * WARPS)
#pragma unroll
		for (int i = 0; i < AHEAD; i++) {
			const int64_t piece = base + i * WARPS, next = piece + AHEAD * WARPS;

			if (piece < pieces)
				piece_add<TILES>(sum, w[i], call, piece);
			if (next < pieces)
				w[i] = weights_load(call, first, next);
		}
#pragma unroll
	for (int tile = 0; tile < TILES; tile++)
#pragma unroll
		for (int c = 0; c < 4; c++)
			partial[warp][tile * 8 + lane % 4 * 2 + c % 2][lane / 4 + c / 2 * 8] =
				sum[tile][c];
	__syncthreads();
	for (int i = threadIdx.x; i < call.rows * OUTS_BF16; i += WARPS * 32) {
		float total = 0;

#pragma unroll
		for (int other = 0; other < WARPS; other++)
			total += partial[other][i / OUTS_BF16][i % OUTS_BF16];
		put_output(call, i / OUTS_BF16, first + i % OUTS_BF16, total);
	}
}

static __device__ __forceinline__ float dot(const float4 &a, const float4 &b)
{
	return a.x * b.x + a.y * b.y + a.z * b.z + a.w * b.w;
}

/* A lane's 4 weights of one output in one piece; 0 beyond the end of the row. */
static __device__ __forceinline__ float4 weights_load_f32(const struct skinny_call &call,
							  int64_t out, int64_t piece)
{
	const int64_t at = piece * PIECE_F32 + threadIdx.x % 32 * 4;
	uint4 bits = make_uint4(0, 0, 0, 0);

	if (at < call.in && out < call.outs)
		bits = load_once((const float *)call.weight + out * call.weight_stride + at);
	return make_float4(__uint_as_float(bits.x), __uint_as_float(bits.y),
			   __uint_as_float(bits.z), __uint_as_float(bits.w));
}

template <int ROWS>
static __global__ void __launch_bounds__(WARPS * 32) skinny_f32_kernel(struct skinny_call call)
{
	__shared__ float partial[WARPS][ROWS][OUTS_F32];
	const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
	const int64_t first = (int64_t)blockIdx.x * OUTS_F32;
	const int64_t pieces = (call.in + PIECE_F32 - 1) / PIECE_F32;
	float4 w[OUTS_F32];
	float sum[ROWS][OUTS_F32] = {};

#pragma unroll
	for (int i = 0; i < OUTS_F32; i++)
		w[i] = weights_load_f32(call, first + i, warp);
	kernel_begins();
	for (int64_t piece = warp; piece < pieces; piece += WARPS) {
		const int64_t at = piece * PIECE_F32 + lane * 4;
		float4 now[OUTS_F32];

#pragma unroll
		for (int i = 0; i < OUTS_F32; i++) {
			now[i] = w[i];
			w[i] = weights_load_f32(call, first + i, piece + WARPS);
		}
#pragma unroll
		for (int row = 0; row < ROWS; row++) {
			float4 x = make_float4(0, 0, 0, 0);

			if (row < call.rows && at < call.in)
				x = *(const float4 *)((const float *)call.x + row * call.x_stride +
						      at);
#pragma unroll
			for (int i = 0; i < OUTS_F32; i++)
				sum[row][i] += dot(now[i], x);
		}
	}
#pragma unroll
	for (int row = 0; row < ROWS; row++)
#pragma unroll
		for (int i = 0; i < OUTS_F32; i++) {
			const float total = warp_sum(sum[row][i]);

			if (lane == 0)
				partial[warp][row][i] = total;
		}
	__syncthreads();
	for (int i = threadIdx.x; i < call.rows * OUTS_F32; i += WARPS * 32) {
		float total = 0;

#pragma unroll
		for (int other = 0; other < WARPS; other++)
			total += partial[other][i / OUTS_F32][i % OUTS_F32];
		if (first + i % OUTS_F32 < call.outs)
			put_output(call, i / OUTS_F32, first + i % OUTS_F32, total);
	}
}

/* 16 bytes at a time, and rows that end where such a load does. */
static bool aligned(const void *from, int64_t stride, int64_t size)
{
	return (uintptr_t)from % 16 == 0 && stride * size % 16 == 0;
}

bool skinny_fits(const struct cuda_gemm *g)
{
	const int64_t size = (int64_t)cuda_type_bytes(g->type);

	if (g->type_c != CUDA_F32 || !g->transpose_b || g->transpose_a || g->m > ROWS_MAX ||
	    !aligned(g->a, g->a_stride, size) || !aligned(g->b, g->b_stride, size))
		return false;
	return g->type == CUDA_BF16 ? g->k % PIECE_BF16 == 0 && g->n % OUTS_BF16 == 0
				    : g->k % 4 == 0;
}

void skinny_run(struct cuda *cuda, const struct cuda_gemm *g)
{
	const struct skinny_call call = {g->a,	      g->b,	g->bias, g->residual, (float *)g->c,
					 g->m,	      g->n,	g->k,	 g->a_stride, g->b_stride,
					 g->c_stride, g->alpha, g->beta};
	const char *what = "product of a few rows";
	void (*kernel)(struct skinny_call);

	if (g->type == CUDA_BF16)
		kernel = g->m <= 8 ? skinny_bf16_kernel<1> : skinny_bf16_kernel<2>;
	else
		kernel = g->m <= 8    ? skinny_f32_kernel<8>
			 : g->m <= 12 ? skinny_f32_kernel<12>
				      : skinny_f32_kernel<16>;
	cuda_launch(cuda, what, kernel,
		    cuda_blocks(g->n, g->type == CUDA_BF16 ? OUTS_BF16 : OUTS_F32), WARPS * 32, 0,
		    call);
}
