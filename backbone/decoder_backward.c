/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backward of the decoder: the layers of decoder.c in reverse.
 *
 * One array `d` (rows, H) carries the gradient of the residual stream down;
 * each half of a layer adds the gradient that came through its norm.  The
 * gradient of the input is always computed, that of a weight only where one
 * is asked for.
 */
#include "backbone/decoder.h"

#include <string.h>

#include "tensor/activation.h"

/* Gradients on the way, shared by all layers. */
struct backward_arrays {
	float *d;      /* (rows, H) residual stream */
	float *d_norm; /* (rows, H) output of a norm */
	float *d_act;  /* (rows, F) */
	float *d_up;   /* (rows, F or 2F) */
	float *d_mix;  /* (rows, heads x head_width) */
	float *d_qkv;  /* (rows, q | k | v) */
};

static int arrays_make(struct backbone_call *call, struct backward_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = decoder_attention_shape(call);
	const int64_t rows = call->rows, width = backbone->shape.width;
	struct arena *arena = call->arena;

	arrays->d = backbone_floats(arena, rows * width);
	arrays->d_norm = backbone_floats(arena, rows * width);
	arrays->d_act = backbone_floats(arena, rows * backbone->shape.ffn_width);
	arrays->d_up = backbone_floats(arena, rows * decoder_up_width(backbone));
	arrays->d_mix = backbone_floats(arena, rows * decoder_q_width(backbone));
	arrays->d_qkv = backbone_floats(arena, rows * shape.q_stride);
	call->attention_scratch = backbone_floats(arena, attention_scratch_floats(&shape));
	return arrays->d && arrays->d_norm && arrays->d_act && arrays->d_up && arrays->d_mix &&
	       arrays->d_qkv && call->attention_scratch ? 0 : ERR_NO_MEMORY;
}

/* Adds to the norm's gradients, and to d_in the gradient of its input. */
static void norm_backward(const struct backbone_call *call, const struct backbone_norm *norm,
			  float *d_in, const float *d_out, const float *in, const float *stats)
{
	const struct norm_shape shape = decoder_norm_shape(call);
	const struct backbone_param *weight = &norm->weight->param;

	if (weight->gradient)
		norm_backward_weight(weight->gradient,
				     norm->bias ? norm->bias->param.gradient : NULL, d_out, in,
				     stats, &shape);
	norm_backward_input(d_in, d_out, in, stats, weight->value, norm->bias != NULL, &shape);
}

/* Reverse of projections_forward(): d_in is the sum over the projections. */
static int projections_backward(const struct backbone_call *call,
				const struct backbone_layer *layer, enum projection_role first,
				enum projection_role last, float *d_in, const float *d_out,
				int64_t stride, const struct projection_tape *tapes)
{
	bool add = false;
	int code = 0;

	for (int role = first; role <= (int)last && !code; role++) {
		const struct projection_call projection =
			decoder_projection(call, layer, (enum projection_role)role, stride);

		if (!projection.projection->weight)
			continue;
		code = projection_backward(&projection, d_in, add, d_out, &tapes[role]);
		d_out += projection.projection->out;
		add = true;
	}
	return code;
}

static int ffn_backward(const struct backbone_call *call, const struct backbone_layer *layer,
			const struct layer_arrays *kept, struct backward_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const int64_t ffn = backbone->shape.ffn_width;
	const struct projection_call down =
		decoder_projection(call, layer, ROLE_DOWN, backbone->shape.width);
	int code = projection_backward(&down, arrays->d_act, false, arrays->d,
				       &kept->projections[ROLE_DOWN]);

	if (code)
		return code;
	if (backbone->decoder.activation == ACTIVATION_SILU_GATE)
		silu_gate_backward(arrays->d_up, arrays->d_act, kept->up, call->rows, ffn);
	else
		gelu_new_backward(arrays->d_up, arrays->d_act, kept->up, call->rows * ffn);
	code = projections_backward(call, layer, ROLE_GATE, ROLE_UP, arrays->d_norm, arrays->d_up,
				    decoder_up_width(backbone), kept->projections);
	if (!code)
		norm_backward(call, &layer->ffn_norm, arrays->d, arrays->d_norm, kept->mid,
			      kept->stats2);
	return code;
}

static int attention_part_backward(const struct backbone_call *call,
				   const struct backbone_layer *layer,
				   const struct layer_arrays *kept,
				   struct backward_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = decoder_attention_shape(call);
	const struct rope_shape q_rope = decoder_rope_shape(call, backbone->shape.heads);
	const struct rope_shape k_rope = decoder_rope_shape(call, backbone->shape.kv_heads);
	const struct projection_call out =
		decoder_projection(call, layer, ROLE_OUT, backbone->shape.width);
	const int64_t k_place = decoder_q_width(backbone);
	const int64_t v_place = k_place + decoder_kv_width(backbone);
	float *d_qkv = arrays->d_qkv;
	int code = projection_backward(&out, arrays->d_mix, false, arrays->d,
				       &kept->projections[ROLE_OUT]);

	if (code)
		return code;
	attention_backward(d_qkv, d_qkv + k_place, d_qkv + v_place, arrays->d_mix, kept->qkv,
			   kept->qkv + k_place, kept->qkv + v_place, kept->weights,
			   call->attention_scratch, &shape);
	if (backbone->decoder.rope_table) {
		rope_backward(d_qkv, backbone->decoder.rope_table, &q_rope);
		rope_backward(d_qkv + k_place, backbone->decoder.rope_table, &k_rope);
	}
	code = projections_backward(call, layer, ROLE_Q, ROLE_V, arrays->d_norm, d_qkv,
				    shape.q_stride, kept->projections);
	if (!code)
		norm_backward(call, &layer->attention_norm, arrays->d, arrays->d_norm, kept->in,
			      kept->stats1);
	return code;
}

static void input_backward(const struct backbone_call *call, const float *d)
{
	const struct backbone_weight *positions = call->backbone->decoder.positions;
	const int64_t width = call->backbone->shape.width;

	if (!positions || !positions->param.gradient)
		return;
	for (int64_t row = 0; row < call->rows; row++) {
		float *gradient = positions->param.gradient + row % call->tokens * width;

		for (int64_t i = 0; i < width; i++)
			gradient[i] += d[row * width + i];
	}
}

int decoder_backward(struct backbone_call *call, const struct backbone_tape *kept,
		     const float *d_hidden, float *d_embeds)
{
	const struct decoder_tape *tape = (const struct decoder_tape *)kept;
	const struct decoder *decoder = &call->backbone->decoder;
	const size_t bytes = (size_t)(call->rows * call->backbone->shape.width) * sizeof(float);
	struct backward_arrays arrays;
	int code = arrays_make(call, &arrays);

	if (code)
		return code;
	memset(arrays.d, 0, bytes);
	norm_backward(call, &decoder->final_norm, arrays.d, d_hidden, tape->final_in,
		      tape->final_stats);
	for (int64_t i = decoder->run_layers - 1; i >= 0 && !code; i--) {
		code = ffn_backward(call, &decoder->layers[i], &tape->layers[i], &arrays);
		if (!code)
			code = attention_part_backward(call, &decoder->layers[i],
						       &tape->layers[i], &arrays);
	}
	if (code)
		return code;
	input_backward(call, arrays.d);
	if (d_embeds)
		memcpy(d_embeds, arrays.d, bytes);
	return 0;
}
