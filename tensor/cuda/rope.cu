/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotary position embedding, in place (formulas: tensor/rope.c).
 */
#include "tensor/cuda/internal.cuh"
#include "tensor/cuda/ops.h"

#define THREADS 256

/* One thread a pair. */
static __global__ void rope_kernel(float *x, const float *table, struct rope_shape shape,
				   float direction)
{
	kernel_begins();

	const int64_t half = shape.width / 2;
	const int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x;
	const int64_t j = i % half, head = i / half % shape.heads, row = i / half / shape.heads;

	if (row >= shape.batch * shape.tokens)
		return;

	const float *cosine = table + (shape.first_position + row % shape.tokens) * shape.width + j;
	const float c = *cosine, s = direction * cosine[half];
	float *low = x + row * shape.row_stride + head * shape.width + j;
	const float a = low[0], b = low[half];

	low[0] = a * c - b * s;
	low[half] = b * c + a * s;
}

void cuda_rope(struct cuda *cuda, float *x, const float *table, const struct rope_shape *shape,
	       float direction)
{
	const int64_t pairs = shape->batch * shape->tokens * shape->heads * (shape->width / 2);

	if (cuda->code)
		return;
	cuda_launch(cuda, "rope", rope_kernel, cuda_blocks(pairs, THREADS), THREADS, 0, x, table,
		    *shape, direction);
}
