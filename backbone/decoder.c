/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward of a causal transformer (gpt2, opt, llama):
 *
 *     x = embeds [+ positions]
 *     x = x + out(attention(q, k, v of norm1(x)))        q, k rotated if there is a table
 *     x = x + down(act(up(norm2(x))))                    in every layer
 *     hidden = final_norm(x)
 *
 * With norm_after (OPT-350M) a layer is x = norm1(x + out(attention(q, k, v of
 * x))), x = norm2(x + down(act(up(x)))); project_in and project_out then stand
 * at the two ends.
 *
 * q, k and v lie side by side in one array, whether one fused projection or
 * three write it.  A cache receives keys and values after their rotation, and
 * attention then reads them from there.
 */
#include "backbone/decoder.h"

#include <math.h>
#include <string.h>

int64_t decoder_q_width(const struct backbone *backbone, const struct backbone_layer *layer)
{
	return layer->heads * backbone->decoder.head_width;
}

int64_t decoder_kv_width(const struct backbone *backbone, const struct backbone_layer *layer)
{
	return layer->kv_heads * backbone->decoder.head_width;
}

/* All planes of the cache are as wide as the widest layer's. */
static int64_t plane_width(const struct backbone *backbone)
{
	int64_t widest = 0;

	for (int64_t i = 0; i < backbone->decoder.run_layers; i++) {
		const int64_t width = decoder_kv_width(backbone, &backbone->decoder.layers[i]);

		widest = width > widest ? width : widest;
	}
	return widest;
}

static int64_t cache_width(const struct backbone *backbone)
{
	return 2 * backbone->decoder.run_layers * plane_width(backbone);
}

int64_t decoder_up_width(const struct backbone *backbone, const struct backbone_layer *layer)
{
	return layer->ffn_width *
	       backbone_activation_inputs(backbone->decoder.activation);
}

static int64_t qkv_width(const struct backbone *backbone, const struct backbone_layer *layer)
{
	return decoder_q_width(backbone, layer) + 2 * decoder_kv_width(backbone, layer);
}

struct norm_shape decoder_norm_shape(const struct backbone_call *call)
{
	const struct norm_shape shape = {
		.rows = call->rows, .width = call->backbone->shape.inner_width,
		.epsilon = (float)call->backbone->decoder.norm_epsilon};

	return shape;
}

struct attention_shape decoder_attention_shape(const struct backbone_call *call,
					       const struct backbone_layer *layer)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = {
		.batch = call->batch, .tokens = call->tokens, .keys = call->tokens,
		.heads = layer->heads, .kv_heads = layer->kv_heads,
		.width = backbone->decoder.head_width, .q_stride = qkv_width(backbone, layer),
		.kv_stride = qkv_width(backbone, layer),
		.out_stride = decoder_q_width(backbone, layer),
		.scale = 1.0f / sqrtf((float)backbone->decoder.head_width)};

	return shape;
}

/* Position of the first token that follows. */
static int64_t cache_position(const struct backbone_cache *cache)
{
	return cache ? cache->forgotten + cache->tokens : 0;
}

struct rope_shape decoder_rope_shape(const struct backbone_call *call,
				     const struct backbone_layer *layer, int64_t heads)
{
	const struct rope_shape shape = {
		.batch = call->batch, .tokens = call->tokens, .heads = heads,
		.width = call->backbone->decoder.head_width,
		.row_stride = qkv_width(call->backbone, layer),
		.first_position = cache_position(call->cache)};

	return shape;
}

static void norm_forward(const struct backbone_call *call, const struct backbone_norm *norm,
			 float *out, float *stats, const float *in)
{
	const struct norm_shape shape = decoder_norm_shape(call);

	backbone_norm_forward(norm, &shape, out, stats, in);
}

/* Projections [first, last] of the layer, side by side in rows of `stride`. */
static int projections_forward(const struct backbone_call *call, const struct backbone_layer *layer,
			       enum projection_role first, enum projection_role last, float *out,
			       int64_t stride, const float *in, struct projection_tape *tapes)
{
	int code = 0;

	for (int role = first; role <= (int)last && !code; role++) {
		const struct projection_call projection =
			backbone_projection_call(call, &layer->projections[role], stride);

		if (!projection.projection->weight)
			continue;
		code = projection_forward(&projection, out, in, NULL,
					  tapes ? &tapes[role] : NULL);
		out += projection.projection->out;
	}
	return code;
}

/* Rotation and attention, in qkv (rows, q | k | v) and mix (rows, q), over the call's cache. */
static void attend(const struct backbone_call *call, int64_t index, float *qkv, float *mix,
		   float *weights)
{
	const struct backbone *backbone = call->backbone;
	const struct backbone_layer *layer = &backbone->decoder.layers[index];
	const struct rope_shape q_rope = decoder_rope_shape(call, layer, layer->heads);
	const struct rope_shape k_rope = decoder_rope_shape(call, layer, layer->kv_heads);
	struct attention_shape shape = decoder_attention_shape(call, layer);
	float *keys = qkv + decoder_q_width(backbone, layer);
	const float *k = keys, *v = k + decoder_kv_width(backbone, layer);

	if (backbone->decoder.rope_table) {
		rope_forward(qkv, backbone->decoder.rope_table, &q_rope);
		rope_forward(keys, backbone->decoder.rope_table, &k_rope);
	}
	if (call->cache)
		backbone_cache_append(call, index, &shape, &k, &v);
	attention_forward(mix, weights, qkv, k, v, call->attention_scratch, &shape);
}

/* Each sequence of the batch over its own cache. */
static void attend_each(const struct backbone_call *call, int64_t index,
			const struct layer_arrays *arrays)
{
	const struct backbone_layer *layer = &call->backbone->decoder.layers[index];
	const int64_t qkv = call->tokens * qkv_width(call->backbone, layer);
	const int64_t mix = call->tokens * decoder_q_width(call->backbone, layer);
	struct backbone_call one = *call;

	one.batch = 1;
	one.rows = call->tokens;
	for (int64_t i = 0; i < call->batch; i++) {
		one.cache = call->caches[i];
		attend(&one, index, arrays->qkv + i * qkv, arrays->mix + i * mix, NULL);
	}
}

static int attention_part(const struct backbone_call *call, int64_t index,
			  struct layer_arrays *arrays, struct projection_tape *tapes)
{
	const struct backbone *backbone = call->backbone;
	const struct backbone_layer *layer = &backbone->decoder.layers[index];
	const struct projection_call out =
		backbone_projection_call(call, &layer->projections[ROLE_OUT],
					 backbone->shape.inner_width);
	const bool after = backbone->decoder.norm_after;
	int code;

	if (!after)
		norm_forward(call, &layer->attention_norm, arrays->norm1, arrays->stats1,
			     arrays->in);
	code = projections_forward(call, layer, ROLE_Q, ROLE_V, arrays->qkv,
				   qkv_width(backbone, layer),
				   after ? arrays->in : arrays->norm1, tapes);
	if (code)
		return code;
	if (call->caches)
		attend_each(call, index, arrays);
	else
		attend(call, index, arrays->qkv, arrays->mix, arrays->weights);
	code = projection_forward(&out, arrays->mid, arrays->mix, arrays->in,
				  tapes ? &tapes[ROLE_OUT] : NULL);
	if (!code && after)
		norm_forward(call, &layer->attention_norm, arrays->norm1, arrays->stats1,
			     arrays->mid);
	return code;
}

/* `again`: only what backward reads, so not a sum that ends the layer. */
static int ffn_part(const struct backbone_call *call, const struct backbone_layer *layer,
		    struct layer_arrays *arrays, struct projection_tape *tapes, bool again)
{
	const struct backbone *backbone = call->backbone;
	const struct projection_call down =
		backbone_projection_call(call, &layer->projections[ROLE_DOWN],
					 backbone->shape.inner_width);
	const bool after = backbone->decoder.norm_after;
	int code;

	if (!after)
		norm_forward(call, &layer->ffn_norm, arrays->norm2, arrays->stats2, arrays->mid);
	code = projections_forward(call, layer, ROLE_GATE, ROLE_UP, arrays->up,
				   decoder_up_width(backbone, layer),
				   after ? arrays->norm1 : arrays->norm2, tapes);
	if (code)
		return code;
	backbone_activation_forward(backbone->decoder.activation, arrays->act, arrays->up,
				    call->rows, layer->ffn_width);
	if (again && !after && !down.projection->lora_a) {
		tapes[ROLE_DOWN].in = arrays->act;
		return 0;
	}
	code = projection_forward(&down, arrays->out, arrays->act,
				  after ? arrays->norm1 : arrays->mid,
				  tapes ? &tapes[ROLE_DOWN] : NULL);
	if (!code && after)
		norm_forward(call, &layer->ffn_norm, arrays->norm2, arrays->stats2, arrays->out);
	return code;
}

static bool roles_train(const struct backbone_layer *layer, enum projection_role first,
			enum projection_role last)
{
	for (int role = first; role <= (int)last; role++)
		if (projection_trains(&layer->projections[role]))
			return true;
	return false;
}

/* What backward of this layer reads becomes its own; the rest stays shared. */
static int arrays_own(const struct backbone_call *call, const struct backbone_layer *layer,
		      struct layer_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape attention = decoder_attention_shape(call, layer);
	const int64_t width = backbone->shape.inner_width;
	const bool after = backbone->decoder.norm_after; /* then the norms carry the stream on */
	bool failed = false;

	arrays->mid = backbone_array(call, true, NULL, width, &failed);
	arrays->out = backbone_array(call, true, NULL, width, &failed);
	arrays->stats1 = backbone_array(call, true, NULL, 2, &failed);
	arrays->stats2 = backbone_array(call, true, NULL, 2, &failed);
	arrays->qkv = backbone_array(call, true, NULL, qkv_width(backbone, layer), &failed);
	arrays->up = backbone_array(call, true, NULL, decoder_up_width(backbone, layer), &failed);
	arrays->norm1 = backbone_array(call, after || roles_train(layer, ROLE_Q, ROLE_V),
				       arrays->norm1, width, &failed);
	arrays->norm2 = backbone_array(call, after || roles_train(layer, ROLE_GATE, ROLE_UP),
				       arrays->norm2, width, &failed);
	arrays->mix = backbone_array(call, roles_train(layer, ROLE_OUT, ROLE_OUT), arrays->mix,
				     decoder_q_width(backbone, layer), &failed);
	arrays->act = backbone_array(call, roles_train(layer, ROLE_DOWN, ROLE_DOWN), arrays->act,
				     layer->ffn_width, &failed);
	arrays->weights = backbone_floats(call->arena, attention_weights_floats(&attention));
	return failed || !arrays->weights ? ERR_NO_MEMORY : 0;
}

/* The arrays of a call without a tape: every layer works in place on `x`. */
static int arrays_share(struct backbone_call *call, struct layer_arrays *arrays)
{
	const struct backbone *backbone = call->backbone;
	const struct backbone_layer *widest = &backbone->decoder.widest;
	struct attention_shape shape = decoder_attention_shape(call, widest);
	bool failed = false;
	const bool after = backbone->decoder.norm_after;
	float *x = backbone_array(call, true, NULL, backbone->shape.inner_width, &failed);

	if (call->cache)
		shape.keys = call->cache->tokens + call->tokens;
	for (int64_t i = 0; i < call->batch && call->caches; i++)
		if (call->caches[i]->tokens + call->tokens > shape.keys)
			shape.keys = call->caches[i]->tokens + call->tokens;
	*arrays = (struct layer_arrays){
		.in = x, .mid = x, .out = x,
		.norm1 = backbone_array(call, !after, x, backbone->shape.inner_width, &failed),
		.qkv = backbone_array(call, true, NULL, qkv_width(backbone, widest), &failed),
		.mix = backbone_array(call, true, NULL, decoder_q_width(backbone, widest),
				      &failed),
		.up = backbone_array(call, true, NULL, decoder_up_width(backbone, widest),
				     &failed),
		.act = backbone_array(call, true, NULL, widest->ffn_width, &failed),
	};
	arrays->norm2 = arrays->norm1;
	call->attention_scratch =
		backbone_floats(call->arena, attention_scratch_floats(&shape));
	return failed || !call->attention_scratch ? ERR_NO_MEMORY : 0;
}

/* x = embeds, mapped to the inner width where that differs, plus positions where there are any. */
static int input_forward(const struct backbone_call *call, float *x, const float *embeds,
			 struct decoder_tape *tape)
{
	const struct backbone *backbone = call->backbone;
	const struct backbone_weight *positions = backbone->decoder.positions;
	const int64_t width = backbone->shape.inner_width;
	const struct projection_call map =
		backbone_projection_call(call, &backbone->decoder.project_in, width);
	int code = 0;

	if (map.projection->weight && tape && projection_trains(map.projection))
		embeds = backbone_floats_copy(call, embeds, call->rows * backbone->shape.width);
	if (!embeds)
		return ERR_NO_MEMORY;
	if (map.projection->weight)
		code = projection_forward(&map, x, embeds, NULL, tape ? &tape->project_in : NULL);
	else
		memcpy(x, embeds, (size_t)(call->rows * width) * sizeof(*x));
	if (code || !positions || !positions->used)
		return code;
	for (int64_t row = 0; row < call->rows; row++) {
		const struct backbone_cache *cache =
			call->caches ? call->caches[row / call->tokens] : call->cache;
		const float *position = positions->param.value +
					(backbone->decoder.position_offset + cache_position(cache) +
					 row % call->tokens) * width;

		for (int64_t i = 0; i < width; i++)
			x[row * width + i] += position[i];
	}
	return 0;
}

/* hidden = x, through the final norm and the map to the outer width where there are any. */
static int output_forward(const struct backbone_call *call, float *hidden, const float *x,
			  struct decoder_tape *tape)
{
	const struct decoder *decoder = &call->backbone->decoder;
	const struct backbone_shape *shape = &call->backbone->shape;
	const struct projection_call map =
		backbone_projection_call(call, &decoder->project_out, shape->width);
	float *normed = hidden;

	if (decoder->final_norm.weight && map.projection->weight)
		normed = backbone_floats(call->arena, call->rows * shape->inner_width);
	if (!normed)
		return ERR_NO_MEMORY;
	if (decoder->final_norm.weight) {
		norm_forward(call, &decoder->final_norm, normed, tape ? tape->final_stats : NULL,
			     x);
		x = normed;
	}
	if (map.projection->weight)
		return projection_forward(&map, hidden, x, NULL,
					  tape ? &tape->project_out : NULL);
	if (x != hidden)
		memcpy(hidden, x, (size_t)(call->rows * shape->width) * sizeof(*x));
	return 0;
}

/* One layer from arrays->in; with `tapes` the arrays that backward reads are made its own. */
static int layer_forward(const struct backbone_call *call, int64_t index,
			 struct layer_arrays *arrays, struct projection_tape *tapes, bool again)
{
	const struct backbone_layer *layer = &call->backbone->decoder.layers[index];
	int code = tapes ? arrays_own(call, layer, arrays) : 0;

	if (!code)
		code = attention_part(call, index, arrays, tapes);
	return code ? code : ffn_part(call, layer, arrays, tapes, again);
}

int decoder_layer_again(const struct backbone_call *call, const struct decoder_tape *tape,
			int64_t index, struct layer_arrays *arrays)
{
	const struct layer_arrays *kept = &tape->layers[index];
	struct rng rng = kept->dropout_rng;
	struct backbone_call again = *call;
	struct projection_tape tapes[ROLE_COUNT] = {0};
	int code;

	again.dropout_rng = tape->dropout ? &rng : NULL;
	*arrays = (struct layer_arrays){.in = kept->in};
	code = layer_forward(&again, index, arrays, tapes, true);
	memcpy(arrays->projections, tapes, sizeof(tapes));
	return code;
}

int decoder_input(const struct backbone_call *call, float *x, const float *embeds)
{
	return input_forward(call, x, embeds, NULL);
}

int decoder_layer_map(struct backbone_call *call, int64_t index, const float *in, float *out)
{
	const int64_t floats = call->rows * call->backbone->shape.inner_width;
	struct layer_arrays arrays;
	int code = arrays_share(call, &arrays);

	arrays.in = in;
	if (!code)
		code = layer_forward(call, index, &arrays, NULL, false);
	if (!code)
		memcpy(out, call->backbone->decoder.norm_after ? arrays.norm2 : arrays.out,
		       (size_t)floats * sizeof(*out));
	return code;
}

static int layers_forward(struct backbone_call *call, const struct layer_arrays *shared,
			  struct decoder_tape *tape, const float **last)
{
	const struct decoder *decoder = &call->backbone->decoder;
	const float *x = shared->in;
	int code = 0;

	for (int64_t i = 0; i < decoder->run_layers && !code; i++) {
		struct layer_arrays arrays = *shared;
		struct projection_tape *tapes = tape ? tape->layers[i].projections : NULL;

		arrays.in = x;
		code = layer_forward(call, i, &arrays, tapes, false);
		x = decoder->norm_after ? arrays.norm2 : arrays.out;
		if (tape) {
			memcpy(arrays.projections, tapes, sizeof(arrays.projections));
			tape->layers[i] = arrays;
		}
	}
	*last = x;
	return code;
}

/* As layers_forward(); `x` (run_layers + 1, rows, H) holds the input and takes all that follow. */
static int layers_checkpoint(const struct backbone_call *call, const struct layer_arrays *shared,
			     struct decoder_tape *tape, float *x, const float **last)
{
	const struct decoder *decoder = &call->backbone->decoder;
	const int64_t floats = call->rows * call->backbone->shape.inner_width;
	int code = 0;

	for (int64_t i = 0; i < decoder->run_layers && !code; i++) {
		struct layer_arrays arrays = *shared;

		tape->layers[i] = (struct layer_arrays){.in = x};
		if (call->dropout_rng)
			tape->layers[i].dropout_rng = *call->dropout_rng;
		arrays.in = x;
		x += floats;
		if (decoder->norm_after)
			arrays.norm2 = x;
		else
			arrays.out = x;
		code = layer_forward(call, i, &arrays, NULL, false);
	}
	*last = x;
	return code;
}

static struct decoder_tape *tape_make(const struct backbone_call *call)
{
	struct decoder_tape *tape = arena_calloc(call->arena, 1, sizeof(*tape));

	if (!tape)
		return NULL;
	tape->call = (struct backbone_tape){call->batch, call->tokens};
	tape->checkpoints = call->backbone->checkpoint_activations;
	tape->dropout = call->dropout_rng != NULL;
	tape->layers = arena_calloc(call->arena, (size_t)call->backbone->decoder.run_layers,
				    sizeof(*tape->layers));
	tape->final_stats = backbone_floats(call->arena, call->rows * 2);
	return tape->layers && tape->final_stats ? tape : NULL;
}

/* Layers whose inputs alone stay; what they worked in is given back. */
static int forward_checkpoints(struct backbone_call *call, const float *embeds,
			       struct decoder_tape *tape, const float **last)
{
	const int64_t floats = call->rows * call->backbone->shape.inner_width;
	float *inputs = backbone_floats(call->arena,
					floats * (call->backbone->decoder.run_layers + 1));
	int code = inputs ? input_forward(call, inputs, embeds, tape) : ERR_NO_MEMORY;
	const struct arena_mark mark = arena_save(call->arena);
	struct layer_arrays shared;

	if (!code)
		code = arrays_share(call, &shared);
	if (!code)
		code = layers_checkpoint(call, &shared, tape, inputs, last);
	arena_restore(call->arena, mark);
	return code;
}

static int forward_layers(struct backbone_call *call, const float *embeds,
			  struct decoder_tape *tape, const float **last)
{
	struct layer_arrays shared;
	int code = arrays_share(call, &shared);

	if (!code)
		code = input_forward(call, shared.out, embeds, tape);
	return code ? code : layers_forward(call, &shared, tape, last);
}

static int decoder_forward(struct backbone_call *call, const float *embeds, float *hidden,
			   struct backbone_tape **out)
{
	struct decoder_tape *tape = out ? tape_make(call) : NULL;
	const float *last;
	int code;

	if (out && !tape)
		return ERR_NO_MEMORY;
	if (tape && tape->checkpoints)
		code = forward_checkpoints(call, embeds, tape, &last);
	else
		code = forward_layers(call, embeds, tape, &last);
	if (!code)
		code = output_forward(call, hidden, last, tape);
	if (code || !tape)
		return code;
	tape->final_in = last;
	*out = &tape->call;
	return 0;
}

const struct backbone_pass decoder_pass = {
	.forward = decoder_forward,
	.backward = decoder_backward,
	.checkpoints = true,
	.cache_width = cache_width,
	.plane_width = plane_width,
};
