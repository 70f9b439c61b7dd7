/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the layers of every wiring are made of: norms, activations, projections.
 */
#include "backbone/pass.h"

#include <string.h>

#include "tensor/activation.h"

void backbone_norm_forward(const struct backbone_norm *norm, const struct norm_shape *shape,
			   float *out, float *stats, const float *in)
{
	if (norm->bias)
		layernorm_forward(out, stats, in, norm->weight->param.value,
				  norm->bias->param.value, shape);
	else
		rmsnorm_forward(out, stats, in, norm->weight->param.value, shape);
}

void backbone_norm_backward(const struct backbone_norm *norm, const struct norm_shape *shape,
			    float *d_in, const float *d_out, const float *in, const float *stats)
{
	const struct backbone_param *weight = &norm->weight->param;

	if (weight->gradient)
		norm_backward_weight(weight->gradient,
				     norm->bias ? norm->bias->param.gradient : NULL, d_out, in,
				     stats, shape);
	norm_backward_input(d_in, d_out, in, stats, weight->value, norm->bias != NULL, shape);
}

int64_t backbone_activation_inputs(enum backbone_activation activation)
{
	return activation == ACTIVATION_SILU_GATE || activation == ACTIVATION_GELU_GATE ? 2 : 1;
}

void backbone_activation_forward(enum backbone_activation activation, float *out, const float *in,
				 int64_t rows, int64_t width)
{
	switch (activation) {
	case ACTIVATION_GELU_NEW:
		gelu_new_forward(out, in, rows * width);
		break;
	case ACTIVATION_RELU:
		relu_forward(out, in, rows * width);
		break;
	case ACTIVATION_SILU_GATE:
		silu_gate_forward(out, in, rows, width);
		break;
	case ACTIVATION_GELU_GATE:
		gelu_gate_forward(out, in, rows, width);
		break;
	}
}

void backbone_activation_backward(enum backbone_activation activation, float *d_in,
				  const float *d_out, const float *in, int64_t rows, int64_t width)
{
	switch (activation) {
	case ACTIVATION_GELU_NEW:
		gelu_new_backward(d_in, d_out, in, rows * width);
		break;
	case ACTIVATION_RELU:
		relu_backward(d_in, d_out, in, rows * width);
		break;
	case ACTIVATION_SILU_GATE:
		silu_gate_backward(d_in, d_out, in, rows, width);
		break;
	case ACTIVATION_GELU_GATE:
		gelu_gate_backward(d_in, d_out, in, rows, width);
		break;
	}
}

struct projection_call backbone_projection_call(const struct backbone_call *call,
						const struct backbone_projection *projection,
						int64_t out_stride)
{
	const struct projection_call made = {
		.backbone = call->backbone, .projection = projection, .arena = call->arena,
		.rows = call->rows, .out_stride = out_stride, .dropout_rng = call->dropout_rng};

	return made;
}

float *backbone_array(const struct backbone_call *call, bool own, float *shared, int64_t width,
		      bool *failed)
{
	float *array =
		own || !shared ? backbone_floats(call->arena, call->rows * width) : shared;

	if (!array)
		*failed = true;
	return array;
}

const float *backbone_floats_copy(const struct backbone_call *call, const float *from,
				  int64_t count)
{
	float *copy = backbone_floats(call->arena, count);

	return copy ? memcpy(copy, from, (size_t)count * sizeof(*copy)) : NULL;
}

void backbone_cache_append(const struct backbone_call *call, int64_t index,
			   struct attention_shape *shape, const float **k, const float **v)
{
	const struct backbone_pass *pass = call->backbone->architecture->pass;
	struct backbone_cache *cache = call->cache;
	const int64_t width = shape->kv_heads * shape->width;
	const int64_t stride = pass->plane_width ? pass->plane_width(call->backbone) : width;
	const int64_t plane = cache->max_tokens * stride;
	float *keys = cache->memory + 2 * index * plane, *values = keys + plane;

	for (int64_t i = 0; i < call->tokens; i++) {
		const int64_t from = i * shape->kv_stride, to = (cache->tokens + i) * stride;

		memcpy(keys + to, *k + from, (size_t)width * sizeof(float));
		memcpy(values + to, *v + from, (size_t)width * sizeof(float));
	}
	shape->keys = cache->tokens + call->tokens;
	shape->kv_stride = stride;
	*k = keys;
	*v = values;
}
