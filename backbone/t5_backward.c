/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backward of T5: the parts of t5_forward.c in reverse.
 *
 * One array `d` (rows, H) carries the gradient of the residual stream of the
 * decoder down, and then that of the encoder; every cross-attention adds to
 * the gradient of the encoder's result.
 */
#include "backbone/t5.h"

#include <string.h>

/* Gradients on the way, shared by all layers. */
struct gradients {
	float *d;         /* (rows, H) residual stream */
	float *d_norm;    /* (rows, H) output of a norm */
	float *d_q, *d_kv; /* (rows, N), (rows, 2N) */
	float *d_mix;     /* (rows, N) */
	float *d_up, *d_act; /* (rows, F or 2F), (rows, F) */
	float *d_bias;    /* (batch, heads, distances) of the stack under way */
	float *d_memory;  /* (rows, H) the encoder's result */
};

struct stack_call {
	struct backbone_call *call;
	const struct t5_stack *stack;
	struct attention_bias bias; /* its extents; backward needs no values */
	const struct t5_stack_tape *tape;
	bool cross;
	struct gradients *gradients;
};

static int gradients_make(struct backbone_call *call, struct gradients *gradients)
{
	const struct backbone *backbone = call->backbone;
	const struct attention_shape shape = t5_attention_shape(call, true, NULL);
	const int64_t width = backbone->shape.width, inner = shape.q_stride;
	const int64_t ffn = backbone->shape.ffn_width;
	bool failed = false;

	gradients->d = backbone_array(call, true, NULL, width, &failed);
	gradients->d_norm = backbone_array(call, true, NULL, width, &failed);
	gradients->d_memory = backbone_array(call, true, NULL, width, &failed);
	gradients->d_q = backbone_array(call, true, NULL, inner, &failed);
	gradients->d_kv = backbone_array(call, true, NULL, 2 * inner, &failed);
	gradients->d_mix = backbone_array(call, true, NULL, inner, &failed);
	gradients->d_up = backbone_array(
		call, true, NULL, ffn * backbone_activation_inputs(backbone->t5->activation),
		&failed);
	gradients->d_act = backbone_array(call, true, NULL, ffn, &failed);
	call->attention_scratch =
		backbone_floats(call->arena, attention_scratch_floats(&shape));
	return failed || !call->attention_scratch ? ERR_NO_MEMORY : 0;
}

static int project_backward(const struct stack_call *run,
			    const struct backbone_projection *projection, float *d_in, bool add,
			    const float *d_out, int64_t stride,
			    const struct projection_tape *tape)
{
	const struct projection_call call =
		backbone_projection_call(run->call, projection, stride);

	return projection_backward(&call, d_in, add, d_out, tape);
}

static int ffn_backward(const struct stack_call *run, const struct t5_block *block,
			const struct t5_ffn_arrays *kept)
{
	const struct backbone *backbone = run->call->backbone;
	const enum backbone_activation activation = backbone->t5->activation;
	const struct norm_shape norm_shape = t5_norm_shape(run->call);
	const struct gradients *g = run->gradients;
	const int64_t ffn = backbone->shape.ffn_width;
	const int64_t stride = ffn * backbone_activation_inputs(activation);
	int code = project_backward(run, &block->down, g->d_act, false, g->d,
				    backbone->shape.width, &kept->down_tape);

	if (code)
		return code;
	backbone_activation_backward(activation, g->d_up, g->d_act, kept->up, run->call->rows,
				     ffn);
	code = project_backward(run, &block->up, g->d_norm, false, g->d_up + stride - ffn, stride,
				&kept->up_tape);
	if (!code && block->gate.weight)
		code = project_backward(run, &block->gate, g->d_norm, true, g->d_up, stride,
					&kept->gate_tape);
	if (!code)
		backbone_norm_backward(&block->ffn_norm, &norm_shape, g->d, g->d_norm, kept->in,
				       kept->stats);
	return code;
}

/* Reverse of attention_part(); `cross`: the gradient of keys and values goes to d_memory. */
static int attention_part_backward(const struct stack_call *run,
				   const struct t5_attention *attention, bool cross,
				   const struct t5_attention_arrays *kept)
{
	const struct backbone_call *call = run->call;
	const struct attention_shape shape =
		cross ? t5_attention_shape(call, call->backbone->options.bidirectional, NULL)
		      : t5_attention_shape(call, run->stack->bidirectional, &run->bias);
	const struct norm_shape norm_shape = t5_norm_shape(call);
	const struct gradients *g = run->gradients;
	const int64_t inner = shape.q_stride;
	float *d_source = cross ? g->d_memory : g->d_norm;
	int code = project_backward(run, &attention->out, g->d_mix, false, g->d,
				    call->backbone->shape.width, &kept->out_tape);

	if (code)
		return code;
	attention_backward(g->d_q, g->d_kv, g->d_kv + inner, g->d_bias, g->d_mix, kept->q,
			   kept->kv, kept->kv + inner, kept->weights, call->attention_scratch,
			   &shape);
	code = project_backward(run, &attention->q, g->d_norm, false, g->d_q, inner,
				&kept->q_tape);
	if (!code)
		code = project_backward(run, &attention->k, d_source, true, g->d_kv, 2 * inner,
					&kept->k_tape);
	if (!code)
		code = project_backward(run, &attention->v, d_source, true, g->d_kv + inner,
					2 * inner, &kept->v_tape);
	if (!code)
		backbone_norm_backward(&attention->norm, &norm_shape, g->d, g->d_norm, kept->in,
				       kept->stats);
	return code;
}

static int block_backward(const struct stack_call *run, int64_t index)
{
	const struct t5_block *block = &run->stack->blocks[index];
	const struct t5_block_tape *kept = &run->tape->blocks[index];
	int code = ffn_backward(run, block, &kept->ffn);

	if (!code && run->cross)
		code = attention_part_backward(run, &block->cross, true, &kept->cross);
	if (!code)
		code = attention_part_backward(run, &block->self, false, &kept->self);
	return code;
}

/* Gathers the gradient by distance into that of the table by bucket. */
static void bias_backward(const struct stack_call *run)
{
	const struct backbone *backbone = run->call->backbone;
	const int64_t heads = backbone->shape.heads, stride = run->bias.stride;
	float *table = run->stack->distance_bias->param.gradient;
	const float *d_bias = run->gradients->d_bias;

	for (int64_t i = 0; i < stride; i++) {
		float *row = table + heads * t5_bucket(backbone->t5, run->stack->two_sided,
						       i - run->bias.zero);

		for (int64_t item = 0; item < run->call->batch * heads; item++)
			row[item % heads] += d_bias[item * stride + i];
	}
}

static int bias_gradient_make(struct stack_call *run)
{
	const struct backbone_call *call = run->call;
	const size_t heads = (size_t)(call->batch * call->backbone->shape.heads);

	run->bias = t5_bias_extents(run->stack, call->tokens);
	run->gradients->d_bias = NULL;
	if (!run->stack->distance_bias->param.gradient)
		return 0;
	run->gradients->d_bias =
		arena_calloc(call->arena, heads * (size_t)run->bias.stride, sizeof(float));
	return run->gradients->d_bias ? 0 : ERR_NO_MEMORY;
}

/* d becomes the gradient of the stack's input, from that of its result. */
static int stack_backward(struct stack_call *run, const float *d_result)
{
	const struct norm_shape norm_shape = t5_norm_shape(run->call);
	int code = bias_gradient_make(run);

	if (code)
		return code;
	memset(run->gradients->d, 0,
	       (size_t)(norm_shape.rows * norm_shape.width) * sizeof(float));
	backbone_norm_backward(&run->stack->final_norm, &norm_shape, run->gradients->d, d_result,
			       run->tape->final_in, run->tape->final_stats);
	for (int64_t i = run->stack->run_layers - 1; i >= 0 && !code; i--)
		code = block_backward(run, i);
	if (!code && run->gradients->d_bias)
		bias_backward(run);
	return code;
}

static void add(float *sum, const float *term, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		sum[i] += term[i];
}

int t5_backward(struct backbone_call *call, const struct backbone_tape *kept,
		const float *d_hidden, float *d_embeds)
{
	const struct t5_tape *tape = (const struct t5_tape *)kept;
	const struct t5 *t5 = call->backbone->t5;
	const enum backbone_decoder_input fed = call->backbone->options.decoder_input;
	const int64_t floats = call->rows * call->backbone->shape.width;
	const size_t bytes = (size_t)floats * sizeof(float);
	const bool direct = d_embeds && fed == DECODER_READS_INPUTS;
	struct gradients gradients = {0};
	struct stack_call run = {.call = call, .stack = &t5->decoder, .tape = &tape->decoder,
				 .cross = true, .gradients = &gradients};
	int code = gradients_make(call, &gradients);

	if (!code && fed != DECODER_ABSENT) {
		memset(gradients.d_memory, 0, bytes);
		code = stack_backward(&run, d_hidden);
		d_hidden = gradients.d_memory;
		if (!code && fed == DECODER_READS_ENCODER)
			add(gradients.d_memory, gradients.d, floats);
		else if (!code && direct)
			memcpy(d_embeds, gradients.d, bytes);
	}
	run.stack = &t5->encoder;
	run.tape = &tape->encoder;
	run.cross = false;
	if (!code)
		code = stack_backward(&run, d_hidden);
	if (code || !d_embeds)
		return code;
	if (direct)
		add(d_embeds, gradients.d, floats);
	else
		memcpy(d_embeds, gradients.d, bytes);
	return 0;
}
