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
	const struct backbone_layer *widest = &backbone->decoder.widest;
	const struct attention_shape shape = decoder_attention_shape(call, widest);
	const int64_t rows = call->rows, width = backbone->shape.inner_width;
	struct arena *arena = call->arena;

	arrays->d = backbone_floats(arena, rows * width);
	arrays->d_norm = backbone_floats(arena, rows * width);
	arrays->d_act = backbone_floats(arena, rows * widest->ffn_width);
	arrays->d_up = backbone_floats(arena, rows * decoder_up_width(backbone, widest));
	arrays->d_mix = backbone_floats(arena, rows * decoder_q_width(backbone, widest));
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

	backbone_norm_backward(norm, &shape, d_in, d_out, in, stats);
}

/* With norm_after: d, the gradient of a norm's output, becomes that of its input. */
static void stream_norm_backward(const struct backbone_call *call,
				 const struct backbone_norm *norm, struct backward_arrays *arrays,
				 const float *in, const float *stats)
{
	const int64_t width = call->backbone->shape.inner_width;
	float *d_out = arrays->d;

	arrays->d = arrays->d_norm;
	arrays->d_norm = d_out;
	memset(arrays->d, 0, (size_t)(call->rows * width) * sizeof(float));
	norm_backward(call, norm, arrays->d, d_out, in, stats);
}

/* Reverse of projections_forward(): the sum over the projections becomes or is added to d_in. */
static int projections_backward(const struct backbone_call *call,
				const struct backbone_layer *layer, enum projection_role first,
				enum projection_role last, float *d_in, bool add,
				const float *d_out, int64_t stride,
				const struct projection_tape *tapes)
{
	int code = 0;

	for (int role = first; role <= (int)last && !code; role++) {
		const struct projection_call projection =
			backbone_projection_call(call, &layer->projections[role], stride);

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
	const bool after = backbone->decoder.norm_after;
	const struct projection_call down = backbone_projection_call(
		call, &layer->projections[ROLE_DOWN], backbone->shape.inner_width);
	int code;

	if (after)
		stream_norm_backward(call, &layer->ffn_norm, arrays, kept->out, kept->stats2);
	code = projection_backward(&down, arrays->d_act, false, arrays->d,
				   &kept->projections[ROLE_DOWN]);
	if (code)
		return code;
	backbone_activation_backward(backbone->decoder.activation, arrays->d_up, arrays->d_act,
				     kept->up, call->rows, layer->ffn_width);
	code = projections_backward(call, layer, ROLE_GATE, ROLE_UP,
				    after ? arrays->d : arrays->d_norm, after, arrays->d_up,
				    decoder_up_width(backbone, layer), kept->projections);
	if (!code && !after)
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
	const struct attention_shape shape = decoder_attention_shape(call, layer);
	const struct rope_shape q_rope = decoder_rope_shape(call, layer, layer->heads);
	const struct rope_shape k_rope = decoder_rope_shape(call, layer, layer->kv_heads);
	const struct projection_call out = backbone_projection_call(
		call, &layer->projections[ROLE_OUT], backbone->shape.inner_width);
	const int64_t k_place = decoder_q_width(backbone, layer);
	const int64_t v_place = k_place + decoder_kv_width(backbone, layer);
	const bool after = backbone->decoder.norm_after;
	float *d_qkv = arrays->d_qkv;
	int code;

	if (after)
		stream_norm_backward(call, &layer->attention_norm, arrays, kept->mid,
				     kept->stats1);
	code = projection_backward(&out, arrays->d_mix, false, arrays->d,
				   &kept->projections[ROLE_OUT]);
	if (code)
		return code;
	attention_backward(d_qkv, d_qkv + k_place, d_qkv + v_place, NULL, arrays->d_mix, kept->qkv,
			   kept->qkv + k_place, kept->qkv + v_place, kept->weights,
			   call->attention_scratch, &shape);
	if (backbone->decoder.rope_table) {
		rope_backward(d_qkv, backbone->decoder.rope_table, &q_rope);
		rope_backward(d_qkv + k_place, backbone->decoder.rope_table, &k_rope);
	}
	code = projections_backward(call, layer, ROLE_Q, ROLE_V,
				    after ? arrays->d : arrays->d_norm, after, d_qkv,
				    shape.q_stride, kept->projections);
	if (!code && !after)
		norm_backward(call, &layer->attention_norm, arrays->d, arrays->d_norm, kept->in,
			      kept->stats1);
	return code;
}

static int layer_backward(const struct backbone_call *call, const struct decoder_tape *tape,
			  int64_t index, struct backward_arrays *arrays)
{
	const struct backbone_layer *layer = &call->backbone->decoder.layers[index];
	const struct arena_mark mark = arena_save(call->arena);
	const struct layer_arrays *kept = &tape->layers[index];
	struct layer_arrays again;
	int code = 0;

	if (tape->checkpoints) {
		code = decoder_layer_again(call, tape, index, &again);
		kept = &again;
	}
	if (!code)
		code = ffn_backward(call, layer, kept, arrays);
	if (!code)
		code = attention_part_backward(call, layer, kept, arrays);
	arena_restore(call->arena, mark);
	return code;
}

int decoder_layer_pull(struct backbone_call *call, int64_t index, const float *in,
		       const float *d_out, float *d_in)
{
	const size_t bytes =
		(size_t)(call->rows * call->backbone->shape.inner_width) * sizeof(*d_in);
	struct decoder_tape tape = {.checkpoints = true};
	struct backward_arrays arrays;
	int code = arrays_make(call, &arrays);

	tape.layers = arena_calloc(call->arena, (size_t)index + 1, sizeof(*tape.layers));
	if (code || !tape.layers)
		return ERR_NO_MEMORY;
	tape.layers[index].in = in;
	memcpy(arrays.d, d_out, bytes);
	code = layer_backward(call, &tape, index, &arrays);
	memcpy(d_in, arrays.d, bytes);
	return code;
}

/* d becomes the gradient of the last layer's result. */
static int output_backward(const struct backbone_call *call, const struct decoder_tape *tape,
			   const float *d_hidden, struct backward_arrays *arrays)
{
	const struct decoder *decoder = &call->backbone->decoder;
	const size_t bytes = (size_t)(call->rows * call->backbone->shape.inner_width) *
			     sizeof(float);
	const struct projection_call map = backbone_projection_call(
		call, &decoder->project_out, call->backbone->shape.width);
	const float *d = d_hidden;
	int code = 0;

	if (map.projection->weight) {
		code = projection_backward(&map, arrays->d_norm, false, d_hidden,
					   &tape->project_out);
		d = arrays->d_norm;
	}
	if (code)
		return code;
	if (!decoder->final_norm.weight) {
		memcpy(arrays->d, d, bytes);
		return 0;
	}
	memset(arrays->d, 0, bytes);
	norm_backward(call, &decoder->final_norm, arrays->d, d, tape->final_in,
		      tape->final_stats);
	return 0;
}

static void positions_backward(const struct backbone_call *call, const float *d)
{
	const struct backbone_weight *positions = call->backbone->decoder.positions;
	const int64_t width = call->backbone->shape.inner_width;
	const int64_t first = call->backbone->decoder.position_offset;

	if (!positions || !positions->param.gradient)
		return;
	for (int64_t row = 0; row < call->rows; row++) {
		float *gradient = positions->param.gradient +
				  (first + row % call->tokens) * width;

		for (int64_t i = 0; i < width; i++)
			gradient[i] += d[row * width + i];
	}
}

static int input_backward(const struct backbone_call *call, const struct decoder_tape *tape,
			  const float *d, float *d_embeds)
{
	const struct backbone *backbone = call->backbone;
	const int64_t floats = call->rows * backbone->shape.width;
	const struct projection_call map = backbone_projection_call(
		call, &backbone->decoder.project_in, backbone->shape.inner_width);

	positions_backward(call, d);
	if (map.projection->weight) {
		float *d_in = d_embeds ? d_embeds : backbone_floats(call->arena, floats);

		return d_in ? projection_backward(&map, d_in, false, d, &tape->project_in)
			    : ERR_NO_MEMORY;
	}
	if (d_embeds)
		memcpy(d_embeds, d, (size_t)floats * sizeof(float));
	return 0;
}

int decoder_backward(struct backbone_call *call, const struct backbone_tape *kept,
		     const float *d_hidden, float *d_embeds)
{
	const struct decoder_tape *tape = (const struct decoder_tape *)kept;
	const struct decoder *decoder = &call->backbone->decoder;
	struct backward_arrays arrays;
	int code = arrays_make(call, &arrays);

	if (!code)
		code = output_backward(call, tape, d_hidden, &arrays);
	for (int64_t i = decoder->run_layers - 1; i >= 0 && !code; i--)
		code = layer_backward(call, tape, i, &arrays);
	return code ? code : input_backward(call, tape, arrays.d, d_embeds);
}
