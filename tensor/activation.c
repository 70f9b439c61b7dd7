/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Activations of feed-forward layers.
 *
 * gelu_new (Hendrycks, Gimpel 2016, tanh form): x/2 (1 + tanh u) with
 * u = sqrt(2/pi) (x + 0.044715 x^3).  As (1 + tanh u) / 2 = sigmoid(2u) = s,
 * it is x s, and its derivative s + x s (1 - s) 2 u'.
 * SiLU gate (Shazeer 2020, SwiGLU): a s(a) b, derivative s(a) (1 + a (1 - s(a))).
 * GELU gate (the same, GEGLU): gelu(a) b.
 *
 * Sigmoids are made for a block at a time, one short loop after another: as a
 * part of a longer loop they take more than twice as long.
 */
#include "tensor/activation.h"

#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_FLOATS 8192
#define TWO_ROOT_TWO_OVER_PI 1.5957691216057308f
#define CUBIC 0.044715f

struct activation_call {
	float *out;
	const float *d_out, *in;
	int64_t width;
};

#define BLOCK 64

/* gate = sigmoid(in); gate may be in. */
TENSOR_INLINE void sigmoids(float *gate, const float *in, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		gate[i] = vector_exp(-in[i]);
	for (int64_t i = 0; i < count; i++)
		gate[i] = 1.0f / (1.0f + gate[i]);
}

TENSOR_INLINE void gelu_gates(float *gate, const float *in, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		gate[i] = TWO_ROOT_TWO_OVER_PI * (in[i] + CUBIC * in[i] * in[i] * in[i]);
	sigmoids(gate, gate, count);
}

TENSOR_INLINE int64_t block_length(int64_t left)
{
	return left < BLOCK ? left : BLOCK;
}

TENSOR_CLONES
static void gelu_forward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;

	(void)worker;
	for (int64_t first = begin; first < end; first += BLOCK) {
		const int64_t count = block_length(end - first);
		const float *in = call->in + first;
		float *out = call->out + first, gate[BLOCK];

		gelu_gates(gate, in, count);
		for (int64_t i = 0; i < count; i++)
			out[i] = in[i] * gate[i];
	}
}

void gelu_new_forward(float *out, const float *in, int64_t count)
{
	struct activation_call call = {.out = out, .in = in};

	tensor_split(count, GRAIN_FLOATS, gelu_forward_range, &call);
}

/* Derivative of x s, with s the gate of x. */
TENSOR_INLINE float gelu_slope(float x, float s)
{
	return s + x * s * (1.0f - s) * TWO_ROOT_TWO_OVER_PI * (1.0f + 3.0f * CUBIC * x * x);
}

TENSOR_CLONES
static void gelu_backward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;

	(void)worker;
	for (int64_t first = begin; first < end; first += BLOCK) {
		const int64_t count = block_length(end - first);
		const float *in = call->in + first, *d_out = call->d_out + first;
		float *d_in = call->out + first, gate[BLOCK];

		gelu_gates(gate, in, count);
		for (int64_t i = 0; i < count; i++)
			d_in[i] = d_out[i] * gelu_slope(in[i], gate[i]);
	}
}

void gelu_new_backward(float *d_in, const float *d_out, const float *in, int64_t count)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in};

	tensor_split(count, GRAIN_FLOATS, gelu_backward_range, &call);
}

TENSOR_CLONES
static void relu_forward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const float *in = call->in;
	float *out = call->out;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		out[i] = in[i] < 0 ? 0 : in[i];
}

void relu_forward(float *out, const float *in, int64_t count)
{
	struct activation_call call = {.out = out, .in = in};

	tensor_split(count, GRAIN_FLOATS, relu_forward_range, &call);
}

TENSOR_CLONES
static void relu_backward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const float *in = call->in, *d_out = call->d_out;
	float *d_in = call->out;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		d_in[i] = in[i] > 0 ? d_out[i] : 0;
}

void relu_backward(float *d_in, const float *d_out, const float *in, int64_t count)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in};

	tensor_split(count, GRAIN_FLOATS, relu_backward_range, &call);
}

/* The sigmoid that a gate is multiplied with. */
enum gate { GATE_SILU, GATE_GELU };

TENSOR_INLINE void gate_sigmoids(const enum gate kind, float *s, const float *gate, int64_t count)
{
	if (kind == GATE_SILU)
		sigmoids(s, gate, count);
	else
		gelu_gates(s, gate, count);
}

/* Derivative of x s, with s the sigmoid of gate x. */
TENSOR_INLINE float gate_slope(const enum gate kind, float x, float s)
{
	return kind == GATE_SILU ? s * (1.0f + x * (1.0f - s)) : gelu_slope(x, s);
}

TENSOR_INLINE void gate_forward_rows(const enum gate kind, const struct activation_call *call,
				     int64_t begin, int64_t end)
{
	const int64_t width = call->width;

	for (int64_t row = begin; row < end; row++)
		for (int64_t first = 0; first < width; first += BLOCK) {
			const int64_t count = block_length(width - first);
			const float *gate = call->in + row * 2 * width + first, *up = gate + width;
			float *out = call->out + row * width + first, s[BLOCK];

			gate_sigmoids(kind, s, gate, count);
			for (int64_t i = 0; i < count; i++)
				out[i] = gate[i] * s[i] * up[i];
		}
}

TENSOR_INLINE void gate_backward_rows(const enum gate kind, const struct activation_call *call,
				      int64_t begin, int64_t end)
{
	const int64_t width = call->width;

	for (int64_t row = begin; row < end; row++)
		for (int64_t first = 0; first < width; first += BLOCK) {
			const int64_t count = block_length(width - first);
			const float *gate = call->in + row * 2 * width + first, *up = gate + width;
			const float *d_out = call->d_out + row * width + first;
			float *d_gate = call->out + row * 2 * width + first;
			float *d_up = d_gate + width, s[BLOCK];

			gate_sigmoids(kind, s, gate, count);
			for (int64_t i = 0; i < count; i++) {
				d_up[i] = d_out[i] * gate[i] * s[i];
				d_gate[i] = d_out[i] * up[i] * gate_slope(kind, gate[i], s[i]);
			}
		}
}

TENSOR_CLONES
static void silu_forward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	(void)worker;
	gate_forward_rows(GATE_SILU, context, begin, end);
}

TENSOR_CLONES
static void gelu_gate_forward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	(void)worker;
	gate_forward_rows(GATE_GELU, context, begin, end);
}

TENSOR_CLONES
static void silu_backward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	(void)worker;
	gate_backward_rows(GATE_SILU, context, begin, end);
}

TENSOR_CLONES
static void gelu_gate_backward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	(void)worker;
	gate_backward_rows(GATE_GELU, context, begin, end);
}

void silu_gate_forward(float *out, const float *in, int64_t rows, int64_t width)
{
	struct activation_call call = {.out = out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, silu_forward_rows, &call);
}

void silu_gate_backward(float *d_in, const float *d_out, const float *in, int64_t rows,
			int64_t width)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, silu_backward_rows, &call);
}

void gelu_gate_forward(float *out, const float *in, int64_t rows, int64_t width)
{
	struct activation_call call = {.out = out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, gelu_gate_forward_rows, &call);
}

void gelu_gate_backward(float *d_in, const float *d_out, const float *in, int64_t rows,
			int64_t width)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, gelu_gate_backward_rows, &call);
}
