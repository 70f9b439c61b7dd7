/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A projection of a layer, with its low-rank adapter (Hu et al. 2021):
 *
 *     y = x W + b + s D(x) A^T B^T,   s = alpha / rank,
 *
 * D dropout on the adapter's input while training.  A is (rank, in), B is
 * (out, rank), whatever way W lies.  Frozen weights get no gradient, and none
 * is computed.  A dropout mask is not kept: the generator's state is, and the
 * mask is drawn again.
 */
#include "backbone/internal.h"

#include <string.h>

#include "tensor/gemm.h"

float *backbone_floats(struct arena *arena, int64_t floats)
{
	return floats < 0 ? NULL : arena_alloc(arena, (size_t)floats * sizeof(float));
}

bool projection_trains(const struct backbone_projection *projection)
{
	return projection->lora_a || (projection->weight && projection->weight->param.gradient);
}

static struct linear_shape projection_shape(const struct projection_call *call)
{
	const struct backbone_projection *p = call->projection;
	struct linear_shape shape = linear_shape_dense(call->rows, p->in, p->out, p->layout);

	shape.out_stride = call->out_stride;
	return shape;
}

static struct matrix_rows projection_rows(const struct projection_call *call)
{
	const struct matrix_rows rows = {call->rows, call->projection->in, call->out_stride};

	return rows;
}

/* out = in where the mask keeps, over the probability of being kept; 0 elsewhere. */
static void dropout_apply(float *out, const float *in, int64_t count, double dropout,
			  struct rng *rng)
{
	const uint32_t threshold = (uint32_t)(dropout * 4294967296.0);
	const float scale = (float)(1 / (1 - dropout));

	for (int64_t i = 0; i < count; i += 2) {
		const uint64_t bits = rng_u64(rng);

		out[i] = (uint32_t)bits < threshold ? 0.0f : in[i] * scale;
		if (i + 1 < count)
			out[i + 1] = bits >> 32 < threshold ? 0.0f : in[i + 1] * scale;
	}
}

static float adapter_scale(const struct backbone *backbone)
{
	return (float)(backbone->adapter.alpha / (double)backbone->adapter.rank);
}

static int adapter_forward(const struct projection_call *call, float *out, const float *in,
			   struct projection_tape *tape)
{
	const struct backbone_projection *p = call->projection;
	const struct adapter *adapter = &call->backbone->adapter;
	const struct arena_mark before = arena_save(call->arena);
	float *low = backbone_floats(call->arena, call->rows * adapter->rank);
	const struct arena_mark after = arena_save(call->arena);
	const bool drop = call->dropout_rng && adapter->dropout > 0;
	struct rng rng = {0};
	float *dropped = drop ? backbone_floats(call->arena, call->rows * p->in) : NULL;
	struct gemm down = {.transpose_b = true, .m = call->rows, .n = adapter->rank, .k = p->in,
			    .alpha = 1, .a = in, .a_stride = p->in, .b = p->lora_a->value,
			    .b_stride = p->in, .c = low, .c_stride = adapter->rank};
	const struct gemm up = {
		.transpose_b = true, .m = call->rows, .n = p->out, .k = adapter->rank,
		.alpha = adapter_scale(call->backbone), .beta = 1, .a = low,
		.a_stride = adapter->rank, .b = p->lora_b->value, .b_stride = adapter->rank,
		.c = out, .c_stride = call->out_stride};

	if (!low || (drop && !dropped)) {
		arena_restore(call->arena, before);
		return ERR_NO_MEMORY;
	}
	if (drop) {
		rng = *call->dropout_rng;
		dropout_apply(dropped, in, call->rows * p->in, adapter->dropout,
			      call->dropout_rng);
		down.a = dropped;
	}
	gemm_run(&down);
	gemm_run(&up);
	arena_restore(call->arena, tape ? after : before);
	if (tape) {
		tape->low = low;
		tape->dropped = drop;
		tape->rng = rng;
	}
	return 0;
}

int projection_forward(const struct projection_call *call, float *out, const float *in,
		       const float *residual, struct projection_tape *tape)
{
	const struct backbone_projection *p = call->projection;
	const struct matrix matrix = weight_matrix(p->weight);
	const struct matrix_rows rows = projection_rows(call);
	const struct arena_mark mark = arena_save(call->arena);
	void *scratch = arena_alloc(call->arena, matrix_scratch_bytes(&matrix, call->rows));

	if (!scratch)
		return ERR_NO_MEMORY;
	matrix_forward(out, in, &matrix, p->bias ? p->bias->param.value : NULL, residual, &rows,
		       scratch);
	arena_restore(call->arena, mark);
	if (tape)
		tape->in = in;
	return p->lora_a ? adapter_forward(call, out, in, tape) : 0;
}

/* Gradients of A and B, and the adapter's share of d_in added to it. */
static void adapter_gradients(const struct projection_call *call, const float *d_out,
			      const struct projection_tape *tape, float *d_low, float *dropped)
{
	const struct backbone_projection *p = call->projection;
	const int64_t rank = call->backbone->adapter.rank;
	const float scale = adapter_scale(call->backbone);
	const struct gemm low = {
		.m = call->rows, .n = rank, .k = p->out, .alpha = scale, .a = d_out,
		.a_stride = call->out_stride, .b = p->lora_b->value, .b_stride = rank,
		.c = d_low, .c_stride = rank};
	const struct gemm d_b = {
		.transpose_a = true, .m = p->out, .n = rank, .k = call->rows, .alpha = scale,
		.beta = 1, .a = d_out, .a_stride = call->out_stride, .b = tape->low,
		.b_stride = rank, .c = p->lora_b->gradient, .c_stride = rank};
	struct gemm d_a = {
		.transpose_a = true, .m = rank, .n = p->in, .k = call->rows, .alpha = 1,
		.beta = 1, .a = d_low, .a_stride = rank, .b = tape->in, .b_stride = p->in,
		.c = p->lora_a->gradient, .c_stride = p->in};
	struct rng rng = tape->rng;

	gemm_run(&low);
	gemm_run(&d_b);
	if (tape->dropped) {
		dropout_apply(dropped, tape->in, call->rows * p->in,
			      call->backbone->adapter.dropout, &rng);
		d_a.b = dropped;
	}
	gemm_run(&d_a);
}

static void adapter_backward_input(const struct projection_call *call, float *d_in,
				   const struct projection_tape *tape, const float *d_low,
				   float *dropped)
{
	const struct backbone_projection *p = call->projection;
	const int64_t rank = call->backbone->adapter.rank, count = call->rows * p->in;
	struct gemm gemm = {.m = call->rows, .n = p->in, .k = rank, .alpha = 1, .beta = 1,
			    .a = d_low, .a_stride = rank, .b = p->lora_a->value,
			    .b_stride = p->in, .c = d_in, .c_stride = p->in};
	struct rng rng = tape->rng;

	if (tape->dropped) {
		gemm.beta = 0;
		gemm.c = dropped;
	}
	gemm_run(&gemm);
	if (tape->dropped) {
		dropout_apply(dropped, dropped, count, call->backbone->adapter.dropout, &rng);
		for (int64_t i = 0; i < count; i++)
			d_in[i] += dropped[i];
	}
}

static int adapter_backward(const struct projection_call *call, float *d_in, const float *d_out,
			    const struct projection_tape *tape)
{
	const struct backbone_projection *p = call->projection;
	const struct arena_mark mark = arena_save(call->arena);
	float *d_low = backbone_floats(call->arena, call->rows * call->backbone->adapter.rank);
	float *dropped = tape->dropped ? backbone_floats(call->arena, call->rows * p->in) : NULL;

	if (!d_low || (tape->dropped && !dropped)) {
		arena_restore(call->arena, mark);
		return ERR_NO_MEMORY;
	}
	adapter_gradients(call, d_out, tape, d_low, dropped);
	adapter_backward_input(call, d_in, tape, d_low, dropped);
	arena_restore(call->arena, mark);
	return 0;
}

int projection_backward(const struct projection_call *call, float *d_in, bool add,
			const float *d_out, const struct projection_tape *tape)
{
	const struct backbone_projection *p = call->projection;
	const struct linear_shape shape = projection_shape(call);
	const struct matrix matrix = weight_matrix(p->weight);
	const struct matrix_rows rows = projection_rows(call);
	const struct arena_mark mark = arena_save(call->arena);
	void *scratch = arena_alloc(call->arena, matrix_scratch_bytes(&matrix, call->rows));

	if (!scratch)
		return ERR_NO_MEMORY;
	if (p->weight->param.gradient)
		linear_backward_weight(p->weight->param.gradient,
				       p->bias ? p->bias->param.gradient : NULL, d_out, tape->in,
				       &shape);
	matrix_backward_input(d_in, d_out, &matrix, add, &rows, scratch);
	arena_restore(call->arena, mark);
	return p->lora_a ? adapter_backward(call, d_in, d_out, tape) : 0;
}
