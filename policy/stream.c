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
	if (window < 1 || (keep < 0 && keep != POLICY_STREAM_CACHED) || keep >= window)
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

/* The oldest step goes, what was computed stays; false when the cache must be built again. */
static bool slide_cache(struct policy_stream *stream)
{
	const int64_t slots = slots_of(stream);
	const struct backbone *backbone = stream->net->backbone;

	if (backbone_cache_positions_left(backbone, stream->cache) < 2 * slots ||
	    backbone_cache_forget(backbone, stream->cache, slots, NULL))
		return false;
	move_steps(stream, 1, stream->history - 1);
	stream->history--;
	return true;
}

static int slide(struct policy_stream *stream, struct error *error)
{
	const bool cached = stream->keep == POLICY_STREAM_CACHED;
	const int64_t kept = cached ? stream->window - 1 : stream->keep;

	if (cached && slide_cache(stream))
		return 0;
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

/* Takes the new step in; the tokens up to *end are then to be run. */
static int step_begin(struct policy_stream *stream, const float *state, float returns,
		      int32_t timestep, int64_t *end, struct error *error)
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
	*end = (at + 1) * slots - 1;
	return status;
}

static void step_end(struct policy_stream *stream, int status)
{
	arena_reset(&stream->scratch);
	stream->pending = status == 0;
}

int policy_stream_decide(struct policy_stream *stream, const float *state, float returns,
			 int32_t timestep, float *logits, struct error *error)
{
	int64_t end;
	int status = step_begin(stream, state, returns, timestep, &end, error);

	if (!status)
		status = run_to(stream, end, logits, error);
	step_end(stream, status);
	return status;
}

/* Streams that are to run `tokens` tokens each, all in one call. */
struct together {
	struct policy_stream *const *streams;
	const int64_t *ends; /* of all streams */
	int64_t count, tokens;
	struct backbone_cache **caches;
	float *embeds, *hidden; /* (members, tokens, H) */
	int64_t members;
};

static bool is_member(const struct together *together, int64_t i)
{
	return together->ends[i] - backbone_cache_tokens(together->streams[i]->cache) ==
	       together->tokens;
}

static int together_allocate(struct together *together, struct arena *arena, int64_t width)
{
	const size_t count = (size_t)together->count;
	const size_t floats = (size_t)(together->tokens * width);

	together->caches = arena_calloc(arena, count, sizeof(*together->caches));
	together->embeds = arena_calloc(arena, count, floats * sizeof(float));
	together->hidden = arena_calloc(arena, count, floats * sizeof(float));
	return together->caches && together->embeds && together->hidden ? 0 : ERR_NO_MEMORY;
}

/* Runs the members, then reads their logits. */
static int together_run(struct together *together, float *logits, struct error *error)
{
	struct policy_stream *first = together->streams[0];
	const int64_t width = first->net->width, floats = together->tokens * width;
	int64_t *member = arena_calloc(&first->scratch, (size_t)together->count, sizeof(*member));
	int status = member ? together_allocate(together, &first->scratch, width) : ERR_NO_MEMORY;

	if (status)
		return error_set(error, status, "out of memory for %lld streams",
				 (long long)together->count);
	for (int64_t i = 0; i < together->count; i++) {
		struct policy_stream *stream = together->streams[i];

		if (!is_member(together, i))
			continue;
		memcpy(together->embeds + together->members * floats,
		       stream->embeds + backbone_cache_tokens(stream->cache) * width,
		       (size_t)floats * sizeof(float));
		together->caches[together->members] = stream->cache;
		member[together->members++] = i;
	}
	status = backbone_extend_many(first->net->backbone, &first->scratch, together->caches,
				      together->members, together->embeds, together->tokens,
				      together->hidden, error);
	for (int64_t m = 0; m < together->members && !status; m++)
		policy_net_decide(first->net, together->hidden + (m + 1) * floats - width,
				  together->streams[member[m]]->embeds +
					  (together->ends[member[m]] - 1) * width,
				  logits + member[m] * POOL_ACTIONS);
	return status;
}

int policy_stream_decide_many(struct policy_stream *const *streams, int64_t count,
			      const float *states, const float *returns, const int32_t *timesteps,
			      float *logits, struct error *error)
{
	const int64_t features = count > 0 ? streams[0]->net->shape.features : 0;
	int64_t *ends = calloc((size_t)count + 1, sizeof(*ends));
	struct together together = {.streams = streams, .ends = ends, .count = count,
				    .tokens = features + 2};
	int status = ends ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for streams");

	for (int64_t i = 0; i < count && !status; i++)
		status = step_begin(streams[i], states + i * features, returns[i], timesteps[i],
				    &ends[i], error);
	for (int64_t i = 0; i < count && !status; i++)
		if (!is_member(&together, i))
			status = run_to(streams[i], ends[i], logits + i * POOL_ACTIONS, error);
	if (!status && count > 0)
		status = together_run(&together, logits, error);
	for (int64_t i = 0; i < count; i++)
		step_end(streams[i], status);
	free(ends);
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
