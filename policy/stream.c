/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of a stream: embeddings of its steps side by side in one array,
 * the cache a prefix of them.
 *
 * Tokens are kept after the LayerNorm, which works on each token alone, so a
 * step is embedded once in its life.  Rebuilding is nothing but an extension
 * from an empty cache, so there is one path through the network.
 */
#include "policy/stream.h"

#include <stdlib.h>
#include <string.h>

static int64_t slots_of(const struct policy_stream *stream)
{
	return stream->net->shape.features + 2;
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
	stream->embeds = calloc((size_t)(tokens * net->width), sizeof(float));
	stream->hidden = calloc((size_t)(tokens * net->width), sizeof(float));
	if (!stream->embeds || !stream->hidden)
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

static void slide(struct policy_stream *stream)
{
	const int64_t step = slots_of(stream) * stream->net->width;
	const int64_t dropped = stream->history - stream->keep;

	memmove(stream->embeds, stream->embeds + dropped * step,
		(size_t)(stream->keep * step) * sizeof(float));
	stream->history = stream->keep;
	backbone_cache_truncate(stream->cache, 0);
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
		policy_net_decide(stream->net, stream->hidden + (end - start - 1) * width, logits);
	return status;
}

int policy_stream_decide(struct policy_stream *stream, const float *state, float returns,
			 int32_t timestep, float *logits, struct error *error)
{
	const float no_action = 0;
	const struct policy_batch batch = {.batch = 1,
					   .steps = 1,
					   .states = state,
					   .returns = &returns,
					   .actions = &no_action,
					   .timesteps = &timestep};
	const int64_t slots = slots_of(stream), width = stream->net->width;
	int64_t first;
	int status;

	if (stream->history == stream->window)
		slide(stream);
	first = stream->history * slots;
	if (backbone_cache_tokens(stream->cache) > first)
		backbone_cache_truncate(stream->cache, first);
	status = policy_net_embed(stream->net, &stream->scratch, &batch,
				  stream->embeds + first * width, error);
	if (!status)
		status = run_to(stream, first + slots - 1, logits, error);
	arena_reset(&stream->scratch);
	stream->pending = status == 0;
	stream->timestep = timestep;
	return status;
}

void policy_stream_acted(struct policy_stream *stream, int action)
{
	const int64_t slots = slots_of(stream), width = stream->net->width;

	if (!stream->pending)
		return;
	policy_net_embed_action(stream->net, policy_action_input(action), stream->timestep,
				stream->embeds + ((stream->history + 1) * slots - 1) * width);
	stream->history++;
	stream->pending = false;
}
