/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward of T5:
 *
 *     x = x + out(attention(q of norm(x), k, v of norm(x)))    bias by distance
 *     x = x + out(attention(q of norm(x), k, v of encoded))    decoder only
 *     x = x + down(act(up(norm(x))))                           in every block
 *     result = final_norm(x)
 *
 * first for the encoder, from the embeddings, then for the decoder.  A cache
 * holds keys and values: one plane for each attention of the encoder, two for
 * each block of the decoder (self, cross).  A bidirectional encoder cannot go
 * on from kept keys, since earlier results change too: its cache holds the
 * embeddings, and every call runs all of them again.
 */
#include "backbone/t5.h"

#include <math.h>
#include <string.h>

/* Arrays that all layers of a call without a tape share. */
struct scratch {
	float *x;       /* (rows, H) residual stream */
	float *norm;    /* (rows, H) */
	float *q, *kv;  /* (rows, N), (rows, 2N) */
	float *mix;     /* (rows, N) */
	float *up, *act; /* (rows, F or 2F), (rows, F) */
};

/* What one run through a stack works on. */
struct stack_call {
	struct backbone_call *call;
	const struct t5_stack *stack;
	struct attention_bias bias;
	const float *memory; /* (rows, H) the encoder's result; NULL: no cross-attention */
	struct scratch scratch;
	struct t5_stack_tape *tape; /* may be NULL */
};

int64_t t5_attention_width(const struct backbone *backbone)
{
	return backbone->shape.heads * backbone->t5->head_width;
}

struct norm_shape t5_norm_shape(const struct backbone_call *call)
{
	const struct norm_shape shape = {
		.rows = call->rows, .width = call->backbone->shape.width,
		.epsilon = (float)call->backbone->t5->norm_epsilon};

	return shape;
}

struct attention_shape t5_attention_shape(const struct backbone_call *call, bool bidirectional,
					  const struct attention_bias *bias)
{
	const int64_t heads = call->backbone->shape.heads, width = call->backbone->t5->head_width;
	const struct attention_shape shape = {
		.batch = call->batch, .tokens = call->tokens, .keys = call->tokens,
		.heads = heads, .kv_heads = heads, .width = width, .q_stride = heads * width,
		.kv_stride = 2 * heads * width, .out_stride = heads * width, .scale = 1,
		.bidirectional = bidirectional, .bias = bias};

	return shape;
}

int64_t t5_bucket(const struct t5 *t5, bool two_sided, int64_t distance)
{
	const int64_t buckets = two_sided ? t5->buckets / 2 : t5->buckets, near = buckets / 2;
	const int64_t side = two_sided && distance > 0 ? buckets : 0;
	int64_t far, steps = -distance;

	if (distance > 0)
		steps = two_sided ? distance : 0;
	if (steps < near)
		return side + steps;
	far = near + (int64_t)(logf((float)steps / (float)near) /
			       (float)log((double)t5->max_distance / (double)near) *
			       (float)(buckets - near));
	return side + (far < buckets ? far : buckets - 1);
}

struct attention_bias t5_bias_extents(const struct t5_stack *stack, int64_t keys)
{
	const struct attention_bias bias = {
		.stride = stack->bidirectional ? 2 * keys - 1 : keys, .zero = keys - 1};

	return bias;
}

/* The stack's table by bucket, spread over distances. */
static int bias_make(struct stack_call *run, int64_t keys)
{
	const struct backbone *backbone = run->call->backbone;
	const int64_t heads = backbone->shape.heads;
	const float *table = run->stack->distance_bias->param.value;
	float *values;

	run->bias = t5_bias_extents(run->stack, keys);
	values = backbone_floats(run->call->arena, heads * run->bias.stride);
	if (!values)
		return ERR_NO_MEMORY;
	for (int64_t i = 0; i < run->bias.stride; i++) {
		const float *row = table + heads * t5_bucket(backbone->t5, run->stack->two_sided,
							     i - run->bias.zero);

		for (int64_t head = 0; head < heads; head++)
			values[head * run->bias.stride + i] = row[head];
	}
	run->bias.values = values;
	return 0;
}

static int scratch_make(struct backbone_call *call, struct scratch *scratch)
{
	const struct backbone *backbone = call->backbone;
	const int64_t width = backbone->shape.width, inner = t5_attention_width(backbone);
	const int64_t ffn = backbone->shape.ffn_width;
	struct attention_shape shape = t5_attention_shape(call, true, NULL);
	bool failed = false;

	if (call->cache)
		shape.keys = call->cache->tokens + call->tokens;
	scratch->x = backbone_array(call, true, NULL, width, &failed);
	scratch->norm = backbone_array(call, true, NULL, width, &failed);
	scratch->q = backbone_array(call, true, NULL, inner, &failed);
	scratch->kv = backbone_array(call, true, NULL, 2 * inner, &failed);
	scratch->mix = backbone_array(call, true, NULL, inner, &failed);
	scratch->up = backbone_array(
		call, true, NULL, ffn * backbone_activation_inputs(backbone->t5->activation),
		&failed);
	scratch->act = backbone_array(call, true, NULL, ffn, &failed);
	call->attention_scratch =
		backbone_floats(call->arena, attention_scratch_floats(&shape));
	return failed || !call->attention_scratch ? ERR_NO_MEMORY : 0;
}

/* Arrays of an attention: with a tape, what backward reads is its own. */
static int attention_arrays(const struct stack_call *run, const struct t5_attention *attention,
			    const struct attention_shape *shape, bool self,
			    struct t5_attention_arrays *arrays)
{
	const struct backbone_call *call = run->call;
	const struct scratch *scratch = &run->scratch;
	const int64_t width = call->backbone->shape.width, inner = shape->q_stride;
	const bool own = run->tape;
	const bool norm_read = projection_trains(&attention->q) ||
			       (self && (projection_trains(&attention->k) ||
					 projection_trains(&attention->v)));
	bool failed = false;

	arrays->out = backbone_array(call, own, scratch->x, width, &failed);
	arrays->norm = backbone_array(call, own && norm_read, scratch->norm, width, &failed);
	arrays->q = backbone_array(call, own, scratch->q, inner, &failed);
	arrays->kv = backbone_array(call, own, scratch->kv, 2 * inner, &failed);
	arrays->mix = backbone_array(call, own && projection_trains(&attention->out), scratch->mix,
				     inner, &failed);
	if (own) {
		arrays->stats = backbone_array(call, true, NULL, 2, &failed);
		arrays->weights = backbone_floats(call->arena, attention_weights_floats(shape));
		failed = failed || !arrays->weights;
	}
	return failed ? ERR_NO_MEMORY : 0;
}

static int project(const struct stack_call *run, const struct backbone_projection *projection,
		   float *out, int64_t stride, const float *in, const float *residual,
		   struct projection_tape *tape)
{
	const struct projection_call call =
		backbone_projection_call(run->call, projection, stride);

	return projection_forward(&call, out, in, residual, run->tape ? tape : NULL);
}

/* Self-attention, or over `memory` when that is not NULL. */
static int attention_part(const struct stack_call *run, const struct t5_attention *attention,
			  const float *memory, int64_t plane, struct t5_attention_arrays *arrays)
{
	const struct backbone_call *call = run->call;
	struct attention_shape shape =
		memory ? t5_attention_shape(call, call->backbone->options.bidirectional, NULL)
		       : t5_attention_shape(call, run->stack->bidirectional, &run->bias);
	const struct norm_shape norm_shape = t5_norm_shape(call);
	const int64_t inner = shape.q_stride;
	const float *k, *v, *source;
	int code = attention_arrays(run, attention, &shape, !memory, arrays);

	if (code)
		return code;
	source = memory ? memory : arrays->norm;
	k = arrays->kv;
	v = k + inner;
	backbone_norm_forward(&attention->norm, &norm_shape, arrays->norm, arrays->stats,
			      arrays->in);
	code = project(run, &attention->q, arrays->q, inner, arrays->norm, NULL, &arrays->q_tape);
	if (!code)
		code = project(run, &attention->k, arrays->kv, 2 * inner, source, NULL,
			       &arrays->k_tape);
	if (!code)
		code = project(run, &attention->v, arrays->kv + inner, 2 * inner, source, NULL,
			       &arrays->v_tape);
	if (code)
		return code;
	if (call->cache)
		backbone_cache_append(call, plane, &shape, &k, &v);
	attention_forward(arrays->mix, arrays->weights, arrays->q, k, v, call->attention_scratch,
			  &shape);
	return project(run, &attention->out, arrays->out, call->backbone->shape.width,
		       arrays->mix, arrays->in, &arrays->out_tape);
}

static int ffn_arrays(const struct stack_call *run, const struct t5_block *block,
		      struct t5_ffn_arrays *arrays)
{
	const struct backbone_call *call = run->call;
	const struct backbone *backbone = call->backbone;
	const struct scratch *scratch = &run->scratch;
	const int64_t width = backbone->shape.width, ffn = backbone->shape.ffn_width;
	const bool own = run->tape;
	const bool norm_read = projection_trains(&block->gate) || projection_trains(&block->up);
	bool failed = false;

	arrays->out = backbone_array(call, own, scratch->x, width, &failed);
	arrays->norm = backbone_array(call, own && norm_read, scratch->norm, width, &failed);
	arrays->up = backbone_array(
		call, own, scratch->up, ffn * backbone_activation_inputs(backbone->t5->activation),
		&failed);
	arrays->act = backbone_array(call, own && projection_trains(&block->down), scratch->act,
				     ffn, &failed);
	if (own)
		arrays->stats = backbone_array(call, true, NULL, 2, &failed);
	return failed ? ERR_NO_MEMORY : 0;
}

static int ffn_part(const struct stack_call *run, const struct t5_block *block,
		    struct t5_ffn_arrays *arrays)
{
	const struct backbone *backbone = run->call->backbone;
	const enum backbone_activation activation = backbone->t5->activation;
	const struct norm_shape norm_shape = t5_norm_shape(run->call);
	const int64_t ffn = backbone->shape.ffn_width;
	const int64_t stride = ffn * backbone_activation_inputs(activation);
	int code = ffn_arrays(run, block, arrays);

	if (code)
		return code;
	backbone_norm_forward(&block->ffn_norm, &norm_shape, arrays->norm, arrays->stats,
			      arrays->in);
	if (block->gate.weight)
		code = project(run, &block->gate, arrays->up, stride, arrays->norm, NULL,
			       &arrays->gate_tape);
	if (!code)
		code = project(run, &block->up, arrays->up + stride - ffn, stride, arrays->norm,
			       NULL, &arrays->up_tape);
	if (code)
		return code;
	backbone_activation_forward(activation, arrays->act, arrays->up, run->call->rows, ffn);
	return project(run, &block->down, arrays->out, backbone->shape.width, arrays->act,
		       arrays->in, &arrays->down_tape);
}

/* All parts of one block; *x is the residual stream before it, and then after it. */
static int block_forward(const struct stack_call *run, int64_t index, const float **x)
{
	const struct t5_block *block = &run->stack->blocks[index];
	const int64_t planes = run->memory ? 2 : 1;
	const int64_t plane = run->stack->first_plane + index * planes;
	struct t5_block_tape unkept = {0};
	struct t5_block_tape *arrays = run->tape ? &run->tape->blocks[index] : &unkept;
	int code;

	arrays->self.in = *x;
	code = attention_part(run, &block->self, NULL, plane, &arrays->self);
	*x = arrays->self.out;
	if (!code && run->memory) {
		arrays->cross.in = *x;
		code = attention_part(run, &block->cross, run->memory, plane + 1,
				      &arrays->cross);
		*x = arrays->cross.out;
	}
	arrays->ffn.in = *x;
	if (!code)
		code = ffn_part(run, block, &arrays->ffn);
	*x = arrays->ffn.out;
	return code;
}

static int stack_tape_make(const struct stack_call *run)
{
	struct t5_stack_tape *tape = run->tape;

	tape->blocks = arena_calloc(run->call->arena, (size_t)run->stack->run_layers,
				    sizeof(*tape->blocks));
	tape->final_stats = backbone_floats(run->call->arena, 2 * run->call->rows);
	return tape->blocks && tape->final_stats ? 0 : ERR_NO_MEMORY;
}

/* result (rows, H) of a stack from its input. */
static int stack_forward(struct stack_call *run, float *result, const float *input)
{
	const struct backbone_call *call = run->call;
	const struct norm_shape norm_shape = t5_norm_shape(call);
	const int64_t past = call->cache ? call->cache->tokens : 0;
	const float *x = input;
	int code = bias_make(run, past + call->tokens);

	if (!code && run->tape)
		code = stack_tape_make(run);
	for (int64_t i = 0; i < run->stack->run_layers && !code; i++)
		code = block_forward(run, i, &x);
	if (code)
		return code;
	if (run->tape)
		run->tape->final_in = x;
	backbone_norm_forward(&run->stack->final_norm, &norm_shape, result,
			      run->tape ? run->tape->final_stats : NULL, x);
	return 0;
}

static int stacks_forward(struct backbone_call *call, const float *embeds, float *hidden,
			  struct t5_tape *tape)
{
	const struct t5 *t5 = call->backbone->t5;
	const enum backbone_decoder_input fed = call->backbone->options.decoder_input;
	const int64_t floats = call->rows * call->backbone->shape.width;
	struct stack_call run = {.call = call, .stack = &t5->encoder,
				 .tape = tape ? &tape->encoder : NULL};
	float *encoded = fed == DECODER_ABSENT ? hidden : backbone_floats(call->arena, floats);
	int code = encoded ? scratch_make(call, &run.scratch) : ERR_NO_MEMORY;

	if (!code)
		code = stack_forward(&run, encoded, embeds);
	if (code || fed == DECODER_ABSENT)
		return code;
	run.stack = &t5->decoder;
	run.memory = encoded;
	run.tape = tape ? &tape->decoder : NULL;
	return stack_forward(&run, hidden, fed == DECODER_READS_INPUTS ? embeds : encoded);
}

/* A cache of embeddings: all of them are run, and the new ones' results given out. */
static int whole_forward(struct backbone_call *call, const float *embeds, float *hidden)
{
	const int64_t width = call->backbone->shape.width, past = call->cache->tokens;
	const int64_t tokens = past + call->tokens;
	struct backbone_call whole = *call;
	float *all = backbone_floats(call->arena, tokens * width);
	int code;

	if (!all)
		return ERR_NO_MEMORY;
	memcpy(call->cache->memory + past * width, embeds,
	       (size_t)(call->tokens * width) * sizeof(float));
	whole.cache = NULL;
	whole.tokens = whole.rows = tokens;
	code = stacks_forward(&whole, call->cache->memory, all, NULL);
	if (!code)
		memcpy(hidden, all + past * width,
		       (size_t)(call->tokens * width) * sizeof(float));
	return code;
}

static int t5_forward(struct backbone_call *call, const float *embeds, float *hidden,
		      struct backbone_tape **out)
{
	struct t5_tape *tape = NULL;
	const float *kept = embeds;
	int code;

	if (call->cache && call->backbone->options.bidirectional)
		return whole_forward(call, embeds, hidden);
	if (out) {
		tape = arena_calloc(call->arena, 1, sizeof(*tape));
		kept = backbone_floats_copy(call, embeds,
					    call->rows * call->backbone->shape.width);
	}
	if (!kept || (out && !tape))
		return ERR_NO_MEMORY;
	code = stacks_forward(call, kept, hidden, tape);
	if (code || !out)
		return code;
	tape->call = (struct backbone_tape){call->batch, call->tokens};
	*out = &tape->call;
	return 0;
}

static int64_t cache_width(const struct backbone *backbone)
{
	const struct t5 *t5 = backbone->t5;
	const int64_t planes = t5->encoder.run_layers + 2 * t5->decoder.run_layers;

	return backbone->options.bidirectional ? backbone->shape.width
					       : 2 * planes * t5_attention_width(backbone);
}

const struct backbone_pass t5_pass = {
	.forward = t5_forward,
	.backward = t5_backward,
	.cache_width = cache_width,
};
