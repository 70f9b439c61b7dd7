/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Activations of feed-forward layers.
 *
 * gelu_new (Hendrycks, Gimpel 2016, tanh form): x/2 (1 + tanh u) with
 * u = sqrt(2/pi) (x + 0.044715 x^3).  As (1 + tanh u) / 2 = sigmoid(2u) = s,
 * it is x s, and its derivative s + x s (1 - s) 2 u'.
 * SiLU gate (Shazeer 2020, SwiGLU): a s(a) b, derivative s(a) (1 + a (1 - s(a))).
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

TENSOR_INLINE float gelu_gate(float x)
{
	return vector_sigmoid(TWO_ROOT_TWO_OVER_PI * (x + CUBIC * x * x * x));
}

TENSOR_CLONES
static void gelu_forward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const float *in = call->in;
	float *out = call->out;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		out[i] = in[i] * gelu_gate(in[i]);
}

void gelu_new_forward(float *out, const float *in, int64_t count)
{
	struct activation_call call = {.out = out, .in = in};

	tensor_split(count, GRAIN_FLOATS, gelu_forward_range, &call);
}

TENSOR_CLONES
static void gelu_backward_range(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const float *in = call->in, *d_out = call->d_out;
	float *d_in = call->out;

	(void)worker;
	for (int64_t i = begin; i < end; i++) {
		const float x = in[i], s = gelu_gate(x);
		const float slope = TWO_ROOT_TWO_OVER_PI * (1.0f + 3.0f * CUBIC * x * x);

		d_in[i] = d_out[i] * (s + x * s * (1.0f - s) * slope);
	}
}

void gelu_new_backward(float *d_in, const float *d_out, const float *in, int64_t count)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in};

	tensor_split(count, GRAIN_FLOATS, gelu_backward_range, &call);
}

TENSOR_CLONES
static void silu_forward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const int64_t width = call->width;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		const float *gate = call->in + row * 2 * width, *up = gate + width;
		float *out = call->out + row * width;

		for (int64_t i = 0; i < width; i++)
			out[i] = gate[i] * vector_sigmoid(gate[i]) * up[i];
	}
}

void silu_gate_forward(float *out, const float *in, int64_t rows, int64_t width)
{
	struct activation_call call = {.out = out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, silu_forward_rows, &call);
}

TENSOR_CLONES
static void silu_backward_rows(void *context, int worker, int64_t begin, int64_t end)
{
	const struct activation_call *call = context;
	const int64_t width = call->width;

	(void)worker;
	for (int64_t row = begin; row < end; row++) {
		const float *gate = call->in + row * 2 * width, *up = gate + width;
		const float *d_out = call->d_out + row * width;
		float *d_gate = call->out + row * 2 * width, *d_up = d_gate + width;

		for (int64_t i = 0; i < width; i++) {
			const float s = vector_sigmoid(gate[i]), g = d_out[i];

			d_up[i] = g * gate[i] * s;
			d_gate[i] = g * up[i] * s * (1.0f + gate[i] * (1.0f - s));
		}
	}
}

void silu_gate_backward(float *d_in, const float *d_out, const float *in, int64_t rows,
			int64_t width)
{
	struct activation_call call = {.out = d_in, .d_out = d_out, .in = in, .width = width};

	tensor_split(rows, 1 + GRAIN_FLOATS / width, silu_backward_rows, &call);
}
