/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of a stream: embeddings of its steps side by side in one array,
 * the cache a prefix of them.
 *
 * Tokens are kept after the LayerNorm, which works on each token alone, so a
 * step is embedded once in its life, except where an encoder looks back: the
 * first steps kept when a full window slides then begin a window, and are
 * embedded again as such.  Rebuilding is nothing but an extension from an empty
 * cache, so there is one path through the network.
 */
#include "policy/stream.h"

#include <stdlib.h>
#include <string.h>

#define PAST (POLICY_ENCODER_TAPS - 1)

static int64_t slots_of(const struct policy_stream *stream)
{
	return stream->net->shape.features + 2;
}

static int allocate(struct policy_stream *stream, int64_t tokens)
{
	const size_t window = (size_t)stream->window;
	const size_t floats = (size_t)(tokens * stream->net->width);

	stream->states =
		calloc((PAST + window) * (size_t)stream->net->shape.features, sizeof(float));
	stream->returns = calloc(window, sizeof(float));
	stream->actions = calloc(window, sizeof(float));
	stream->timesteps = calloc(window, sizeof(int32_t));
	stream->embeds = calloc(floats, sizeof(float));
	stream->hidden = calloc(floats, sizeof(float));
	return stream->states && stream->returns && stream->actions && stream->timesteps &&
			       stream->embeds && stream->hidden
		       ? 0
		       : ERR_NO_MEMORY;
}

/* One whole window of zeros: a backbone that cannot take it says so now, and memory is touched. */
static int rehearse(struct policy_stream *stream, int64_t tokens, struct error *error)
{
	const int status = backbone_extend(stream->net->backbone, &stream->scratch, stream->cache,
					   stream->embeds, tokens, stream->hidden, error);

	arena_reset(&stream->scratch);
	backbone_cache_truncate(stream->cache, 0);
	return status;
}

int policy_stream_new(struct policy_stream *stream, const struct policy_net *net, int64_t window,
		      int64_t keep, struct error *error)
{
	const int64_t tokens = window * (net->shape.features + 2);
	int status;

	memset(stream, 0, sizeof(*stream));
	arena_init(&stream->scratch);
	if (window < 1 || keep < 0 || keep >= window)
		return error_set(error, ERR_RANGE, "a window of %lld steps cannot keep %lld",
				 (long long)window, (long long)keep);
	stream->net = net;
	stream->window = window;
	stream->keep = keep;
	if (allocate(stream, tokens))
		status =
			error_set(error, ERR_NO_MEMORY, "window of %lld tokens", (long long)tokens);
	else
		status = backbone_cache_new(net->backbone, tokens, &stream->cache, error);
	if (!status)
		status = rehearse(stream, tokens, error);
	if (status)
		policy_stream_free(stream);
	return status;
}

void policy_stream_free(struct policy_stream *stream)
{
	if (stream->cache)
		backbone_cache_free(stream->cache);
	free(stream->states);
	free(stream->returns);
	free(stream->actions);
	free(stream->timesteps);
	free(stream->embeds);
	free(stream->hidden);
	arena_free(&stream->scratch);
	memset(stream, 0, sizeof(*stream));
}

void policy_stream_reset(struct policy_stream *stream)
{
	backbone_cache_truncate(stream->cache, 0);
	stream->history = 0;
	stream->pending = false;
}

/* Embeds steps [first, first + count); what they look back at is all that is held before them. */
static int embed(struct policy_stream *stream, int64_t first, int64_t count, struct error *error)
{
	const int64_t features = stream->net->shape.features;
	const struct policy_batch batch = {.batch = 1,
					   .steps = count,
					   .states = stream->states + (PAST + first) * features,
					   .returns = stream->returns + first,
					   .actions = stream->actions + first,
					   .timesteps = stream->timesteps + first,
					   .past = stream->states + first * features};

	return policy_net_embed(stream->net, &stream->scratch, &batch,
				stream->embeds + first * slots_of(stream) * stream->net->width,
				error);
}

static void move_steps(struct policy_stream *stream, int64_t dropped, int64_t kept)
{
	const int64_t features = stream->net->shape.features;
	const int64_t step = slots_of(stream) * stream->net->width;
	const size_t count = (size_t)kept;

	memmove(stream->states + PAST * features, stream->states + (PAST + dropped) * features,
		(size_t)features * count * sizeof(float));
	memmove(stream->returns, stream->returns + dropped, count * sizeof(float));
	memmove(stream->actions, stream->actions + dropped, count * sizeof(float));
	memmove(stream->timesteps, stream->timesteps + dropped, count * sizeof(int32_t));
	memmove(stream->embeds, stream->embeds + dropped * step,
		(size_t)step * count * sizeof(float));
}

static int slide(struct policy_stream *stream, struct error *error)
{
	const int64_t kept = stream->keep;

	move_steps(stream, stream->history - kept, kept);
	stream->history = kept;
	backbone_cache_truncate(stream->cache, 0);
	if (kept == 0 || stream->net->shape.encoder == POLICY_ENCODER_linear)
		return 0;
	return embed(stream, 0, kept < PAST ? kept : PAST, error);
}

/* Runs the tokens between the cache's end and `end`; logits of the last one. */
static int run_to(struct policy_stream *stream, int64_t end, float *logits, struct error *error)
{
	const int64_t width = stream->net->width;
	const int64_t start = backbone_cache_tokens(stream->cache);
	int status =
		backbone_extend(stream->net->backbone, &stream->scratch, stream->cache,
				stream->embeds + start * width, end - start, stream->hidden, error);

	if (!status)
		policy_net_decide(stream->net, stream->hidden + (end - start - 1) * width,
				  stream->embeds + (end - 1) * width, logits);
	return status;
}

int policy_stream_decide(struct policy_stream *stream, const float *state, float returns,
			 int32_t timestep, float *logits, struct error *error)
{
	const int64_t slots = slots_of(stream), features = stream->net->shape.features;
	int64_t at;
	int status = 0;

	if (stream->history == stream->window)
		status = slide(stream, error);
	at = stream->history;
	if (backbone_cache_tokens(stream->cache) > at * slots)
		backbone_cache_truncate(stream->cache, at * slots);
	memcpy(stream->states + (PAST + at) * features, state, (size_t)features * sizeof(float));
	stream->returns[at] = returns;
	stream->actions[at] = 0;
	stream->timesteps[at] = timestep;
	if (!status)
		status = embed(stream, at, 1, error);
	if (!status)
		status = run_to(stream, (at + 1) * slots - 1, logits, error);
	arena_reset(&stream->scratch);
	stream->pending = status == 0;
	return status;
}

void policy_stream_acted(struct policy_stream *stream, int action)
{
	const int64_t slots = slots_of(stream), width = stream->net->width;
	const int64_t at = stream->history;

	if (!stream->pending)
		return;
	stream->actions[at] = policy_action_input(action);
	policy_net_embed_action(stream->net, stream->actions[at], stream->timesteps[at],
				stream->embeds + ((at + 1) * slots - 1) * width);
	stream->history++;
	stream->pending = false;
}
