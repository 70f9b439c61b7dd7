/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward and backward of the decision network.
 *
 * Sizes: N = batch x steps rows, S = F + 2 slots of a step, H width, U units of a
 * feature's encoder.  Tokens lie as (N, S, H), so one slot of all steps is a strided
 * matrix that GEMM writes and reads in place.
 *
 *   act_i   = encoder_i(s_i and its past)           (N, U)
 *   token   = projection + timestep row             (N, S, H)
 *   embeds  = LayerNorm(token)                      (N, S, H)
 *   hidden  = backbone(embeds)                      (N, S, H)
 *   logits  = read[:, F, :] head^T + bias           (N, 3)
 *
 * where read is hidden, or hidden + embeds with `residual`.
 */
#include <string.h>

#include "policy/net.h"
#include "tensor/gemm.h"
#include "tensor/norm.h"

#define EPSILON 1e-5f

struct policy_tape {
	int64_t batch, steps, rows, slots;
	const float *states, *past, *returns, *actions;
	const int32_t *timesteps;
	float *lagged;	    /* (F, N, taps) */
	float *activations; /* (N, U) of each feature, one after the other */
	float *tokens;	    /* (N, S, H), before the norm */
	float *stats;	    /* (N S, 2) */
	float *embeds;	    /* (N, S, H) */
	float *hidden;	    /* (N, S, H) */
	float *read;	    /* (N, H): what the head reads with a residual; else NULL */
	struct backbone_tape *backbone;
};

static struct policy_net_linear projection_of(const struct policy_net *net, int64_t feature)
{
	const bool shared = net->shape.shared_last && feature == net->shape.features - 1;

	return net->project[shared ? feature - 1 : feature];
}

static struct norm_shape norm_shape_of(const struct policy_net *net, int64_t tokens)
{
	return (struct norm_shape){.rows = tokens, .width = net->width, .epsilon = EPSILON};
}

static int64_t units_before(const struct policy_net *net, int64_t feature)
{
	int64_t units = 0;

	for (int64_t i = 0; i < feature; i++)
		units += policy_net_units(net, i);
	return units;
}

static int allocate_tape(const struct policy_net *net, struct arena *arena,
			 struct policy_tape *tape)
{
	const int64_t features = net->shape.features, rows = tape->rows;
	const size_t all = (size_t)(rows * tape->slots * net->width) * sizeof(float);
	const size_t units = (size_t)(rows * units_before(net, features));

	tape->lagged =
		arena_alloc(arena, (size_t)(features * rows * POLICY_ENCODER_TAPS) * sizeof(float));
	tape->activations = arena_alloc(arena, units * sizeof(float));
	tape->tokens = arena_alloc(arena, all);
	tape->stats = arena_alloc(arena, (size_t)(rows * tape->slots * 2) * sizeof(float));
	tape->embeds = arena_alloc(arena, all);
	tape->hidden = arena_alloc(arena, all);
	if (net->shape.residual)
		tape->read = arena_alloc(arena, (size_t)(rows * net->width) * sizeof(float));
	return tape->lagged && tape->activations && tape->tokens && tape->stats && tape->embeds &&
			       tape->hidden && (tape->read || !net->shape.residual)
		       ? 0
		       : ERR_NO_MEMORY;
}

static int make_tape(const struct policy_net *net, struct arena *arena,
		     const struct policy_batch *batch, struct policy_tape **out,
		     struct error *error)
{
	struct policy_tape *tape = arena_alloc(arena, sizeof(*tape));

	if (!tape)
		return error_set(error, ERR_NO_MEMORY, "activations of the policy");
	*tape = (struct policy_tape){
		.batch = batch->batch,
		.steps = batch->steps,
		.rows = batch->batch * batch->steps,
		.slots = net->shape.features + 2,
		.states = batch->states,
		.past = batch->past,
		.returns = batch->returns,
		.actions = batch->actions,
		.timesteps = batch->timesteps,
	};
	*out = tape;
	if (allocate_tape(net, arena, tape))
		return error_set(error, ERR_NO_MEMORY, "activations of the policy");
	for (int64_t n = 0; n < tape->rows; n++)
		if (batch->timesteps[n] < 0 || batch->timesteps[n] >= net->shape.timesteps)
			return error_set(error, ERR_RANGE, "timestep %d of a table of %lld",
					 batch->timesteps[n], (long long)net->shape.timesteps);
	return 0;
}

static struct encoder_pass encoder_of(const struct policy_net *net, const struct policy_tape *tape,
				      int64_t feature)
{
	struct encoder_pass pass = {
		.rows = tape->rows,
		.units = policy_net_units(net, feature),
		.banks = policy_net_banks(net, feature),
		.lagged = tape->lagged + feature * tape->rows * POLICY_ENCODER_TAPS,
	};

	for (int b = 0; b < pass.banks; b++) {
		const struct policy_net_linear *bank = &net->encoder[feature][b];

		pass.bank[b] = (struct encoder_bank){
			.taps = policy_net_taps(net, feature, b),
			.channels = policy_net_channels(net, feature, b),
			.weight = bank->weight->value,
			.bias = bank->bias->value,
			.d_weight = bank->weight->gradient,
			.d_bias = bank->bias->gradient,
		};
	}
	return pass;
}

static float *activations_of(const struct policy_net *net, const struct policy_tape *tape,
			     int64_t feature)
{
	return tape->activations + tape->rows * units_before(net, feature);
}

static void encode_feature(const struct policy_net *net, struct policy_tape *tape, int64_t feature)
{
	const struct encoder_pass pass = encoder_of(net, tape, feature);

	encoder_gather(tape->lagged + feature * tape->rows * POLICY_ENCODER_TAPS, tape->states,
		       tape->past, tape->batch, tape->steps, net->shape.features, feature);
	encoder_forward(&pass, activations_of(net, tape, feature));
}

static void project_feature(const struct policy_net *net, struct policy_tape *tape, int64_t feature)
{
	const int64_t units = policy_net_units(net, feature), width = net->width;
	const struct policy_net_linear linear = projection_of(net, feature);
	float *out = tape->tokens + (1 + feature) * width;

	gemm_run(&(struct gemm){.transpose_b = true,
				.m = tape->rows,
				.n = width,
				.k = units,
				.alpha = 1,
				.a = activations_of(net, tape, feature),
				.a_stride = units,
				.b = linear.weight->value,
				.b_stride = units,
				.c = out,
				.c_stride = tape->slots * width});
	for (int64_t n = 0; n < tape->rows; n++)
		for (int64_t h = 0; h < width; h++)
			out[n * tape->slots * width + h] += linear.bias->value[h];
}

static void project_scalar(const struct policy_net *net, const struct policy_net_linear *linear,
			   float x, float *token)
{
	for (int64_t h = 0; h < net->width; h++)
		token[h] = x * linear->weight->value[h] + linear->bias->value[h];
}

static void add_time(const struct policy_net *net, struct policy_tape *tape)
{
	const int64_t width = net->width;

	for (int64_t n = 0; n < tape->rows; n++) {
		const float *time = net->timestep->value + tape->timesteps[n] * width;

		for (int64_t s = 0; s < tape->slots; s++)
			for (int64_t h = 0; h < width; h++)
				tape->tokens[(n * tape->slots + s) * width + h] += time[h];
	}
}

static void embed_tape(const struct policy_net *net, struct policy_tape *tape)
{
	const int64_t step = tape->slots * net->width;
	const struct norm_shape shape = norm_shape_of(net, tape->rows * tape->slots);

	for (int64_t i = 0; i < net->shape.features; i++) {
		encode_feature(net, tape, i);
		project_feature(net, tape, i);
	}
	for (int64_t n = 0; n < tape->rows; n++) {
		float *tokens = tape->tokens + n * step;

		project_scalar(net, &net->returns, tape->returns[n], tokens);
		project_scalar(net, &net->action, tape->actions[n], tokens + step - net->width);
	}
	add_time(net, tape);
	layernorm_forward(tape->embeds, tape->stats, tape->tokens, net->norm.weight->value,
			  net->norm.bias->value, &shape);
}

int policy_net_embed(const struct policy_net *net, struct arena *arena,
		     const struct policy_batch *batch, float *embeds, struct error *error)
{
	const struct arena_mark mark = arena_save(arena);
	struct policy_tape *tape;
	int status = make_tape(net, arena, batch, &tape, error);

	if (!status) {
		embed_tape(net, tape);
		memcpy(embeds, tape->embeds,
		       (size_t)(tape->rows * tape->slots * net->width) * sizeof(float));
	}
	arena_restore(arena, mark);
	return status;
}

void policy_net_embed_action(const struct policy_net *net, float action, int32_t timestep,
			     float *embed)
{
	const struct norm_shape shape = norm_shape_of(net, 1);
	const float *time = net->timestep->value + timestep * net->width;

	project_scalar(net, &net->action, action, embed);
	for (int64_t h = 0; h < net->width; h++)
		embed[h] += time[h];
	layernorm_forward(embed, NULL, embed, net->norm.weight->value, net->norm.bias->value,
			  &shape);
}

/* logits of `rows` hidden states, `stride` floats apart. */
static void decide_rows(const struct policy_net *net, const float *hidden, int64_t rows,
			int64_t stride, float *logits)
{
	gemm_run(&(struct gemm){.transpose_b = true,
				.m = rows,
				.n = POOL_ACTIONS,
				.k = net->width,
				.alpha = 1,
				.a = hidden,
				.a_stride = stride,
				.b = net->head.weight->value,
				.b_stride = net->width,
				.c = logits,
				.c_stride = POOL_ACTIONS});
	for (int64_t n = 0; n < rows; n++)
		for (int c = 0; c < POOL_ACTIONS; c++)
			logits[n * POOL_ACTIONS + c] += net->head.bias->value[c];
}

void policy_net_decide(const struct policy_net *net, const float *hidden, const float *embed,
		       float *logits)
{
	float skip[POOL_ACTIONS] = {0};

	decide_rows(net, hidden, 1, net->width, logits);
	if (!net->shape.residual)
		return;
	for (int c = 0; c < POOL_ACTIONS; c++)
		for (int64_t h = 0; h < net->width; h++)
			skip[c] += embed[h] * net->head.weight->value[c * net->width + h];
	for (int c = 0; c < POOL_ACTIONS; c++)
		logits[c] += skip[c];
}

/* What the head reads: first row and floats between rows. */
static const float *head_input(const struct policy_net *net, const struct policy_tape *tape,
			       int64_t *stride)
{
	*stride = tape->read ? net->width : tape->slots * net->width;
	return tape->read ? tape->read : tape->hidden + net->shape.features * net->width;
}

static void add_residual(const struct policy_net *net, struct policy_tape *tape)
{
	const int64_t width = net->width;

	for (int64_t n = 0; tape->read && n < tape->rows; n++) {
		const int64_t at = (n * tape->slots + net->shape.features) * width;

		for (int64_t h = 0; h < width; h++)
			tape->read[n * width + h] = tape->hidden[at + h] + tape->embeds[at + h];
	}
}

int policy_net_forward(const struct policy_net *net, struct arena *arena,
		       const struct policy_batch *batch, float *logits,
		       struct policy_tape **tape_out, struct rng *dropout_rng, struct error *error)
{
	struct policy_tape *tape;
	int64_t stride;
	const float *read;
	int status = make_tape(net, arena, batch, &tape, error);

	if (status)
		return status;
	embed_tape(net, tape);
	status = backbone_forward(net->backbone, arena, tape->embeds, tape->batch,
				  tape->steps * tape->slots, tape->hidden,
				  tape_out ? &tape->backbone : NULL, dropout_rng, error);
	if (status)
		return status;
	add_residual(net, tape);
	read = head_input(net, tape, &stride);
	decide_rows(net, read, tape->rows, stride, logits);
	if (tape_out)
		*tape_out = tape;
	return 0;
}

/* Head: adds to its gradients, sets d_hidden (N, S, H), zero but for the slot it reads. */
static void backward_head(struct policy_net *net, const struct policy_tape *tape,
			  const float *d_logits, float *d_hidden)
{
	const int64_t width = net->width, stride = tape->slots * width;
	const int64_t slot = net->shape.features * width;
	int64_t read_stride;
	const float *read = head_input(net, tape, &read_stride);

	memset(d_hidden, 0, (size_t)(tape->rows * stride) * sizeof(float));
	gemm_run(&(struct gemm){.m = tape->rows,
				.n = width,
				.k = POOL_ACTIONS,
				.alpha = 1,
				.a = d_logits,
				.a_stride = POOL_ACTIONS,
				.b = net->head.weight->value,
				.b_stride = width,
				.c = d_hidden + slot,
				.c_stride = stride});
	gemm_run(&(struct gemm){.transpose_a = true,
				.m = POOL_ACTIONS,
				.n = width,
				.k = tape->rows,
				.alpha = 1,
				.beta = 1,
				.a = d_logits,
				.a_stride = POOL_ACTIONS,
				.b = read,
				.b_stride = read_stride,
				.c = net->head.weight->gradient,
				.c_stride = width});
	for (int64_t n = 0; n < tape->rows; n++)
		for (int c = 0; c < POOL_ACTIONS; c++)
			net->head.bias->gradient[c] += d_logits[n * POOL_ACTIONS + c];
}

/* Return or action token: d_token of slot `slot` against its scalar input x (N). */
static void backward_scalar(const struct policy_net *net, const struct policy_tape *tape,
			    const struct policy_net_linear *linear, const float *d_tokens,
			    int64_t slot, const float *x)
{
	const int64_t width = net->width;

	for (int64_t n = 0; n < tape->rows; n++) {
		const float *d = d_tokens + (n * tape->slots + slot) * width;

		for (int64_t h = 0; h < width; h++) {
			linear->weight->gradient[h] += d[h] * x[n];
			linear->bias->gradient[h] += d[h];
		}
	}
}

static void backward_feature(const struct policy_net *net, const struct policy_tape *tape,
			     int64_t feature, const float *d_tokens, float *d_act)
{
	const int64_t units = policy_net_units(net, feature), width = net->width;
	const int64_t stride = tape->slots * width;
	const struct policy_net_linear linear = projection_of(net, feature);
	const struct encoder_pass pass = encoder_of(net, tape, feature);
	const float *act = activations_of(net, tape, feature);
	const float *d = d_tokens + (1 + feature) * width;

	gemm_run(&(struct gemm){.transpose_a = true,
				.m = width,
				.n = units,
				.k = tape->rows,
				.alpha = 1,
				.beta = 1,
				.a = d,
				.a_stride = stride,
				.b = act,
				.b_stride = units,
				.c = linear.weight->gradient,
				.c_stride = units});
	for (int64_t n = 0; n < tape->rows; n++)
		for (int64_t h = 0; h < width; h++)
			linear.bias->gradient[h] += d[n * stride + h];
	gemm_run(&(struct gemm){.m = tape->rows,
				.n = units,
				.k = width,
				.alpha = 1,
				.a = d,
				.a_stride = stride,
				.b = linear.weight->value,
				.b_stride = units,
				.c = d_act,
				.c_stride = units});
	encoder_backward(&pass, act, d_act);
}

static void backward_time(const struct policy_net *net, const struct policy_tape *tape,
			  const float *d_tokens)
{
	const int64_t width = net->width;

	for (int64_t n = 0; n < tape->rows; n++) {
		float *d_time = net->timestep->gradient + tape->timesteps[n] * width;

		for (int64_t s = 0; s < tape->slots; s++)
			for (int64_t h = 0; h < width; h++)
				d_time[h] += d_tokens[(n * tape->slots + s) * width + h];
	}
}

/* d_embeds -> own gradients; d_tokens and d_act are scratch. */
static void backward_tokens(struct policy_net *net, const struct policy_tape *tape,
			    const float *d_embeds, float *d_tokens, float *d_act)
{
	const struct norm_shape shape = norm_shape_of(net, tape->rows * tape->slots);

	norm_backward_weight(net->norm.weight->gradient, net->norm.bias->gradient, d_embeds,
			     tape->tokens, tape->stats, &shape);
	memset(d_tokens, 0, (size_t)(shape.rows * shape.width) * sizeof(float));
	norm_backward_input(d_tokens, d_embeds, tape->tokens, tape->stats, net->norm.weight->value,
			    1, &shape);
	backward_scalar(net, tape, &net->returns, d_tokens, 0, tape->returns);
	backward_scalar(net, tape, &net->action, d_tokens, tape->slots - 1, tape->actions);
	for (int64_t i = 0; i < net->shape.features; i++)
		backward_feature(net, tape, i, d_tokens, d_act);
	backward_time(net, tape, d_tokens);
}

/* The head's gradient reaches the embedding that it reads directly, too. */
static void backward_residual(const struct policy_net *net, const struct policy_tape *tape,
			      const float *d_logits, float *d_embeds)
{
	const int64_t stride = tape->slots * net->width;

	if (!tape->read)
		return;
	gemm_run(&(struct gemm){.m = tape->rows,
				.n = net->width,
				.k = POOL_ACTIONS,
				.alpha = 1,
				.beta = 1,
				.a = d_logits,
				.a_stride = POOL_ACTIONS,
				.b = net->head.weight->value,
				.b_stride = net->width,
				.c = d_embeds + net->shape.features * net->width,
				.c_stride = stride});
}

int policy_net_backward(struct policy_net *net, struct arena *arena, const struct policy_tape *tape,
			const float *d_logits, struct error *error)
{
	const struct arena_mark mark = arena_save(arena);
	const size_t all = (size_t)(tape->rows * tape->slots * net->width) * sizeof(float);
	float *d_hidden = arena_alloc(arena, all);
	float *d_embeds = arena_alloc(arena, all);
	float *d_act = arena_alloc(arena, (size_t)(tape->rows * net->shape.feature_dim) *
						  POLICY_ENCODER_BANKS * sizeof(float));
	int status = ERR_NO_MEMORY;

	if (!d_hidden || !d_embeds || !d_act) {
		error_set(error, ERR_NO_MEMORY, "gradients of the policy");
		goto done;
	}
	backward_head(net, tape, d_logits, d_hidden);
	status = backbone_backward(net->backbone, arena, tape->backbone, d_hidden, d_embeds, error);
	if (!status) {
		backward_residual(net, tape, d_logits, d_embeds);
		backward_tokens(net, tape, d_embeds, d_hidden, d_act);
	}
done:
	arena_restore(arena, mark);
	return status;
}

const float *policy_tape_hidden(const struct policy_tape *tape)
{
	return tape->hidden;
}

const float *policy_tape_embeds(const struct policy_tape *tape)
{
	return tape->embeds;
}
