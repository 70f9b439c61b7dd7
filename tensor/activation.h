/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Activations of feed-forward layers.
 */
#ifndef TENSOR_ACTIVATION_H
#define TENSOR_ACTIVATION_H

#include <stdint.h>

/* out = gelu(in), tanh form ("gelu_new"); `count` elements; out may be in. */
void gelu_new_forward(float *out, const float *in, int64_t count);

/* d_in = d_out x gelu'(in); d_in may be d_out. */
void gelu_new_backward(float *d_in, const float *d_out, const float *in, int64_t count);

/* out = max(in, 0); out may be in. */
void relu_forward(float *out, const float *in, int64_t count);

/* d_in = d_out where in > 0, else 0; d_in may be d_out. */
void relu_backward(float *d_in, const float *d_out, const float *in, int64_t count);

/* out = silu(gate) x up.  in is (rows, 2 width): gate, then up; out (rows, width). */
void silu_gate_forward(float *out, const float *in, int64_t rows, int64_t width);

/* d_in (rows, 2 width) from d_out (rows, width). */
void silu_gate_backward(float *d_in, const float *d_out, const float *in, int64_t rows,
			int64_t width);

/* out = gelu(gate) x up, tanh form; laid out as for silu_gate. */
void gelu_gate_forward(float *out, const float *in, int64_t rows, int64_t width);
void gelu_gate_backward(float *d_in, const float *d_out, const float *in, int64_t rows,
			int64_t width);

#endif
