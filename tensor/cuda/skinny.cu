/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large bf16 matrix that lies (out, in).
 *
 * Such a product reads every weight once and does little with it, so all that
 * counts is how many bytes are under way.  A block makes TILES_OUT x 16 outputs
 * of all rows; its warps share the inputs out in pieces of 32 and add up at the
 * end.  The tensor cores' m16n8k16 product sums over k in any order as long as
 * both operands agree on it: a lane takes 8 neighbouring numbers of a weight
 * row, 16 bytes, and the same 8 of a row of x, as its share of two products.
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/skinny.cuh"

#define WARPS 16
#define PIECE 32 /* inputs of a warp at a time: 8 of each of 4 lanes */
#define AHEAD 2  /* pieces in flight */

static __device__ __forceinline__ uint4 load_once(const __nv_bfloat16 *from)
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

template <int TILES_OUT, int TILES_ROW>
struct pieces {
	uint4 low[TILES_OUT], high[TILES_OUT]; /* weights of outputs g and g + 8 of a tile */
	uint4 x[TILES_ROW];
};

struct skinny_call {
	const __nv_bfloat16 *x, *weight;
	float *out;
	int64_t rows, outs, in, x_stride, weight_stride, out_stride;
	float alpha, beta;
};

template <int TILES_OUT, int TILES_ROW>
static __device__ __forceinline__ void pieces_load(struct pieces<TILES_OUT, TILES_ROW> *p,
						   const struct skinny_call &call, int64_t first,
						   int64_t at)
{
	const int lane = threadIdx.x % 32, g = lane / 4;
	const int64_t k = at + lane % 4 * 8;

#pragma unroll
	for (int i = 0; i < TILES_OUT; i++) {
		const __nv_bfloat16 *row = call.weight + (first + i * 16 + g) * call.weight_stride;

		p->low[i] = load_once(row + k);
		p->high[i] = load_once(row + 8 * call.weight_stride + k);
	}
#pragma unroll
	for (int i = 0; i < TILES_ROW; i++) {
		const int64_t row = i * 8 + g;

		p->x[i] = row < call.rows ? *(const uint4 *)(call.x + row * call.x_stride + k)
					  : make_uint4(0, 0, 0, 0);
	}
}

template <int TILES_OUT, int TILES_ROW>
static __device__ __forceinline__ void pieces_add(float (*sum)[TILES_ROW][4],
						  const struct pieces<TILES_OUT, TILES_ROW> &p)
{
#pragma unroll
	for (int i = 0; i < TILES_OUT; i++)
#pragma unroll
		for (int j = 0; j < TILES_ROW; j++) {
			multiply(sum[i][j], p.low[i].x, p.high[i].x, p.low[i].y, p.high[i].y,
				 p.x[j].x, p.x[j].y);
			multiply(sum[i][j], p.low[i].z, p.high[i].z, p.low[i].w, p.high[i].w,
				 p.x[j].z, p.x[j].w);
		}
}

template <int TILES_OUT, int TILES_ROW>
static __global__ void __launch_bounds__(WARPS * 32) skinny_kernel(struct skinny_call call)
{
	constexpr int OUTS = TILES_OUT * 16, ROWS = TILES_ROW * 8;
	__shared__ float partial[WARPS][ROWS][OUTS + 1];
	const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
	const int64_t first = (int64_t)blockIdx.x * OUTS, count = call.in / PIECE;
	float sum[TILES_OUT][TILES_ROW][4] = {};
	int64_t piece = warp;

	for (; piece + (AHEAD - 1) * WARPS < count; piece += AHEAD * WARPS) {
		struct pieces<TILES_OUT, TILES_ROW> p[AHEAD];

#pragma unroll
		for (int i = 0; i < AHEAD; i++)
			pieces_load(&p[i], call, first, (piece + i * WARPS) * PIECE);
#pragma unroll
		for (int i = 0; i < AHEAD; i++)
			pieces_add<TILES_OUT, TILES_ROW>(sum, p[i]);
	}
	for (; piece < count; piece += WARPS) {
		struct pieces<TILES_OUT, TILES_ROW> p;

		pieces_load(&p, call, first, piece * PIECE);
		pieces_add<TILES_OUT, TILES_ROW>(sum, p);
	}
#pragma unroll
	for (int i = 0; i < TILES_OUT; i++)
#pragma unroll
		for (int j = 0; j < TILES_ROW; j++)
#pragma unroll
			for (int c = 0; c < 4; c++)
				partial[warp][j * 8 + lane % 4 * 2 + c % 2]
				       [i * 16 + lane / 4 + c / 2 * 8] = sum[i][j][c];
	__syncthreads();
	for (int i = threadIdx.x; i < ROWS * OUTS; i += WARPS * 32) {
		const int row = i / OUTS, column = i % OUTS;
		float total = 0;

		if (row >= call.rows)
			break;
#pragma unroll
		for (int w = 0; w < WARPS; w++)
			total += partial[w][row][column];

		float *out = call.out + row * call.out_stride + first + column;

		*out = call.alpha * total + (call.beta != 0 ? call.beta * *out : 0.0f);
	}
}

bool skinny_fits(const struct cuda_gemm *g)
{
	return g->type == CUDA_BF16 && g->type_c == CUDA_F32 && g->transpose_b && !g->transpose_a &&
	       g->m <= 16 && g->k % PIECE == 0 && g->n % 16 == 0 && g->a_stride % 8 == 0 &&
	       g->b_stride % 8 == 0 && (uintptr_t)g->a % 16 == 0 && (uintptr_t)g->b % 16 == 0;
}

template <int TILES_OUT>
static void skinny_launch(struct cuda *cuda, const struct skinny_call *call)
{
	const unsigned blocks = (unsigned)(call->outs / (TILES_OUT * 16));

	if (call->rows <= 8)
		skinny_kernel<TILES_OUT, 1><<<blocks, WARPS * 32, 0, cuda->stream>>>(*call);
	else
		skinny_kernel<TILES_OUT, 2><<<blocks, WARPS * 32, 0, cuda->stream>>>(*call);
}

void skinny_run(struct cuda *cuda, const struct cuda_gemm *g)
{
	const struct skinny_call call = {(const __nv_bfloat16 *)g->a, (const __nv_bfloat16 *)g->b,
					 (float *)g->c, g->m, g->n, g->k, g->a_stride, g->b_stride,
					 g->c_stride, g->alpha, g->beta};

	if (g->n % 32 == 0 && g->n >= 32 * 100)
		skinny_launch<2>(cuda, &call);
	else
		skinny_launch<1>(cuda, &call);
	cuda_launched(cuda, "product of a few rows");
}
