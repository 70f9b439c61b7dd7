/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products with a weight matrix in any storage.
 *
 * A few rows: the weights stream past once and become numbers in registers
 * (skinny.c).  Many rows, and gradients: parts of the matrix that fit a core's
 * cache become f32 there and go through the f32 product, which costs little
 * against the arithmetic of the product itself.  Blocked matrices have products
 * of their own (blocked.c), and so has int4, as far as that is faster
 * (integer.c).
 */
#include "tensor/matrix.h"

#include <string.h>

#include "tensor/blocked.h"
#include "tensor/gemm.h"
#include "tensor/integer.h"
#include "tensor/skinny.h"
#include "tensor/threads.h"

#define PART_FLOATS 65536 /* half of a core's second-level cache, as f32 */
#define PART_DEPTH 1024   /* inputs at a time */
#define UNIT 16           /* outputs or inputs that are not cut apart */
#define GRAIN_PRODUCTS (INT64_C(1) << 19)

struct matrix_call {
	const struct matrix *matrix;
	const struct matrix_rows *rows;
	const float *from; /* in, or d_out */
	float *to;         /* out, or d_in */
	bool add;
	float *scratch;    /* PART_FLOATS for each worker */
};

size_t matrix_scratch_bytes(const struct matrix *matrix, int64_t rows)
{
	const size_t parts = (size_t)tensor_workers() * PART_FLOATS * sizeof(float);
	size_t own = 0;

	if (matrix->type == MATRIX_F32 && !matrix->blocked)
		return 0;
	if (matrix->blocked)
		own = blocked_scratch_bytes(matrix, rows);
	else if (matrix->type == MATRIX_INT4)
		own = integer_scratch_bytes(matrix, rows);
	return own > parts ? own : parts;
}

static int64_t at_most(int64_t value, int64_t most)
{
	return value < most ? value : most;
}

/* Outputs [begin, end) x UNIT of the product, part by part. */
static void outputs_forward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct matrix_call *call = context;
	const struct matrix *m = call->matrix;
	const bool out_in = m->blocked || m->layout == LINEAR_OUT_IN;
	const int64_t depth = at_most(m->in, PART_DEPTH);
	const int64_t width = PART_FLOATS / depth / UNIT * UNIT;
	float *part = call->scratch + worker * PART_FLOATS;

	begin = at_most(begin * UNIT, m->out);
	end = at_most(end * UNIT, m->out);
	for (int64_t o = begin; o < end; o += width)
		for (int64_t i = 0; i < m->in; i += depth) {
			const int64_t o_end = at_most(o + width, end);
			const int64_t i_end = at_most(i + depth, m->in);
			const struct gemm gemm = {
				.transpose_b = out_in, .m = call->rows->rows, .n = o_end - o,
				.k = i_end - i, .alpha = 1, .beta = call->add || i ? 1 : 0,
				.a = call->from + i, .a_stride = call->rows->in_stride,
				.b = part, .b_stride = out_in ? i_end - i : o_end - o,
				.c = call->to + o, .c_stride = call->rows->out_stride};

			matrix_part_to_f32(part, m, o, o_end, i, i_end);
			gemm_run_alone(&gemm);
		}
}

/* Inputs [begin, end) x UNIT of the gradient, part by part. */
static void inputs_backward(void *context, int worker, int64_t begin, int64_t end)
{
	const struct matrix_call *call = context;
	const struct matrix *m = call->matrix;
	const bool out_in = m->blocked || m->layout == LINEAR_OUT_IN;
	const int64_t depth = at_most(m->out, PART_DEPTH);
	const int64_t width = PART_FLOATS / depth / UNIT * UNIT;
	float *part = call->scratch + worker * PART_FLOATS;

	begin = at_most(begin * UNIT, m->in);
	end = at_most(end * UNIT, m->in);
	for (int64_t i = begin; i < end; i += width)
		for (int64_t o = 0; o < m->out; o += depth) {
			const int64_t o_end = at_most(o + depth, m->out);
			const int64_t i_end = at_most(i + width, end);
			const struct gemm gemm = {
				.transpose_b = !out_in, .m = call->rows->rows, .n = i_end - i,
				.k = o_end - o, .alpha = 1, .beta = call->add || o ? 1 : 0,
				.a = call->from + o, .a_stride = call->rows->out_stride,
				.b = part, .b_stride = out_in ? i_end - i : o_end - o,
				.c = call->to + i, .c_stride = call->rows->in_stride};

			matrix_part_to_f32(part, m, o, o_end, i, i_end);
			gemm_run_alone(&gemm);
		}
}

/* Weights that stay as they lie and rows that are few: one pass over memory. */
static bool streams(float *out, const float *in, const struct matrix *m, bool add,
		    const struct matrix_rows *rows)
{
	const bool out_in = m->layout == LINEAR_OUT_IN;
	const struct gemm gemm = {
		.transpose_b = out_in, .m = rows->rows, .n = m->out, .k = m->in, .alpha = 1,
		.beta = add ? 1 : 0, .a = in, .a_stride = rows->in_stride,
		.b_stride = out_in ? m->in : m->out, .c = out, .c_stride = rows->out_stride};

	if (m->blocked || (m->type != MATRIX_BF16 && m->type != MATRIX_F16))
		return false;
	return skinny_run(&gemm, m->data,
			  m->type == MATRIX_BF16 ? SKINNY_BF16 : SKINNY_F16);
}

static struct linear_shape shape_of(const struct matrix *m, const struct matrix_rows *rows)
{
	const struct linear_shape shape = {rows->rows, m->in, m->out, rows->in_stride,
					   rows->out_stride, m->layout};

	return shape;
}

void matrix_forward(float *out, const float *in, const struct matrix *matrix, const float *bias,
		    const float *residual, const struct matrix_rows *rows, void *scratch)
{
	const struct linear_shape shape = shape_of(matrix, rows);
	struct matrix_call call = {.matrix = matrix, .rows = rows, .from = in, .to = out,
				   .add = bias || residual, .scratch = scratch};

	if (matrix->type == MATRIX_F32 && !matrix->blocked) {
		linear_forward(out, in, matrix->data, bias, residual, &shape);
		return;
	}
	linear_start(out, bias, residual, &shape);
	if (rows->rows == 0 || streams(out, in, matrix, call.add, rows))
		return;
	if (matrix->blocked) {
		blocked_forward(out, in, matrix, call.add, rows, scratch);
		return;
	}
	if (matrix->type == MATRIX_INT4 && integer_is_faster(rows->rows)) {
		integer_forward(out, in, matrix, call.add, rows, scratch);
		return;
	}
	tensor_split((matrix->out + UNIT - 1) / UNIT,
		     1 + GRAIN_PRODUCTS / (UNIT * rows->rows * matrix->in), outputs_forward,
		     &call);
}

void matrix_backward_input(float *d_in, const float *d_out, const struct matrix *matrix, bool add,
			   const struct matrix_rows *rows, void *scratch)
{
	const struct linear_shape shape = shape_of(matrix, rows);
	struct matrix_call call = {.matrix = matrix, .rows = rows, .from = d_out, .to = d_in,
				   .add = add, .scratch = scratch};

	if (matrix->type == MATRIX_F32 && !matrix->blocked)
		linear_backward_input(d_in, d_out, matrix->data, add, &shape);
	else if (rows->rows > 0)
		tensor_split((matrix->in + UNIT - 1) / UNIT,
			     1 + GRAIN_PRODUCTS / (UNIT * rows->rows * matrix->out),
			     inputs_backward, &call);
}

void matrix_forward_reference(float *out, const float *in, const struct matrix *matrix,
			      const float *bias, const float *residual,
			      const struct matrix_rows *rows)
{
	for (int64_t row = 0; row < rows->rows; row++)
		for (int64_t o = 0; o < matrix->out; o++) {
			const int64_t place = row * rows->out_stride + o;
			double sum = (bias ? bias[o] : 0) + (residual ? residual[place] : 0);

			for (int64_t i = 0; i < matrix->in; i++) {
				float weight;

				matrix_part_to_f32(&weight, matrix, o, o + 1, i, i + 1);
				sum += (double)weight * in[row * rows->in_stride + i];
			}
			out[place] = (float)sum;
		}
}
