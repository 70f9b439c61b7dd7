/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Affine maps of rows: bias and residual are written first and the product is
 * added to them, so that each output is touched once more only.
 */
#include "tensor/linear.h"

#include <stddef.h>
#include <string.h>

#include "tensor/gemm.h"
#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_FLOATS 32768

struct rows_call {
	float *out;
	const float *in, *bias;
	const struct linear_shape *shape;
};

struct linear_shape linear_shape_dense(int64_t rows, int64_t in, int64_t out,
				       enum linear_layout layout)
{
	const struct linear_shape shape = {rows, in, out, in, out, layout};

	return shape;
}

TENSOR_CLONES
static void rows_start(void *context, int worker, int64_t begin, int64_t end)
{
	const struct rows_call *call = context;
	const struct linear_shape *shape = call->shape;
	const int64_t width = shape->out;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		float *out = call->out + row * shape->out_stride;
		const float *bias = call->bias;

		if (call->in && call->in != call->out)
			memcpy(out, call->in + row * shape->out_stride,
			       (size_t)width * sizeof(*out));
		if (call->in && bias)
			for (int64_t i = 0; i < width; i++)
				out[i] += bias[i];
		else if (bias)
			memcpy(out, bias, (size_t)width * sizeof(*out));
	}
}

void linear_start(float *out, const float *bias, const float *residual,
		  const struct linear_shape *shape)
{
	struct rows_call call = {out, residual, bias, shape};

	if (bias || residual)
		tensor_split(shape->rows, 1 + GRAIN_FLOATS / shape->out, rows_start, &call);
}

void linear_forward(float *out, const float *in, const float *weight, const float *bias,
		    const float *residual, const struct linear_shape *shape)
{
	const bool out_in = shape->layout == LINEAR_OUT_IN;
	const struct gemm gemm = {
		.transpose_b = out_in, .m = shape->rows, .n = shape->out, .k = shape->in,
		.alpha = 1, .beta = bias || residual ? 1 : 0,
		.a = in, .a_stride = shape->in_stride,
		.b = weight, .b_stride = out_in ? shape->in : shape->out,
		.c = out, .c_stride = shape->out_stride};

	linear_start(out, bias, residual, shape);
	gemm_run(&gemm);
}

void linear_backward_input(float *d_in, const float *d_out, const float *weight, bool add,
			   const struct linear_shape *shape)
{
	const bool out_in = shape->layout == LINEAR_OUT_IN;
	const struct gemm gemm = {
		.transpose_b = !out_in, .m = shape->rows, .n = shape->in, .k = shape->out,
		.alpha = 1, .beta = add ? 1 : 0,
		.a = d_out, .a_stride = shape->out_stride,
		.b = weight, .b_stride = out_in ? shape->in : shape->out,
		.c = d_in, .c_stride = shape->in_stride};

	gemm_run(&gemm);
}

TENSOR_CLONES
static void columns_sum(void *context, int worker, int64_t begin, int64_t end)
{
	const struct rows_call *call = context;

	(void)worker;
	for (int64_t row = 0; row < call->shape->rows; row++) {
		const float *in = call->in + row * call->shape->out_stride;

		for (int64_t i = begin; i < end; i++)
			call->out[i] += in[i];
	}
}

void linear_backward_weight(float *d_weight, float *d_bias, const float *d_out, const float *in,
			    const struct linear_shape *shape)
{
	const struct gemm in_out = {
		.transpose_a = true, .m = shape->in, .n = shape->out, .k = shape->rows,
		.alpha = 1, .beta = 1, .a = in, .a_stride = shape->in_stride,
		.b = d_out, .b_stride = shape->out_stride, .c = d_weight, .c_stride = shape->out};
	const struct gemm out_in = {
		.transpose_a = true, .m = shape->out, .n = shape->in, .k = shape->rows,
		.alpha = 1, .beta = 1, .a = d_out, .a_stride = shape->out_stride,
		.b = in, .b_stride = shape->in_stride, .c = d_weight, .c_stride = shape->in};
	struct rows_call call = {d_bias, d_out, NULL, shape};

	gemm_run(shape->layout == LINEAR_IN_OUT ? &in_out : &out_in);
	if (d_bias)
		tensor_split(shape->out, 1 + GRAIN_FLOATS / (shape->rows + 1), columns_sum, &call);
}

void embedding_forward(float *out, const float *table, const int64_t *index, int64_t count,
		       int64_t width)
{
	for (int64_t i = 0; i < count; i++)
		memcpy(out + i * width, table + index[i] * width, (size_t)width * sizeof(*out));
}

void embedding_backward(float *d_table, const float *d_out, const int64_t *index, int64_t count,
			int64_t width)
{
	for (int64_t i = 0; i < count; i++)
		for (int64_t j = 0; j < width; j++)
			d_table[index[i] * width + j] += d_out[i * width + j];
}
