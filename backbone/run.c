/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward, backward and streaming: sizes are checked here, and the wiring of
 * the architecture computes.
 */
#include "backbone/pass.h"

#include <stdlib.h>

/* Positions that the model has; the rest of the sizes is the caller's promise. */
static int tokens_check(const struct backbone *backbone, int64_t batch, int64_t tokens,
			struct error *error)
{
	const struct backbone_weight *positions = backbone->decoder.positions;
	const bool limited = backbone->decoder.rope_table || (positions && positions->used);

	if (batch < 1 || tokens < 1)
		return error_set(error, ERR_RANGE, "%lld sequences of %lld tokens: need at least "
				 "one of each", (long long)batch, (long long)tokens);
	if (limited && tokens > backbone->shape.max_positions)
		return error_set(error, ERR_RANGE,
				 "%lld tokens are more than the %lld positions of %s; shorten the "
				 "window", (long long)tokens,
				 (long long)backbone->shape.max_positions, backbone->directory);
	return 0;
}

bool backbone_checkpoint_activations(struct backbone *backbone, bool on)
{
	if (on && !backbone->architecture->pass->checkpoints)
		return false;
	backbone->checkpoint_activations = on;
	return true;
}

int backbone_forward(const struct backbone *backbone, struct arena *arena, const float *embeds,
		     int64_t batch, int64_t tokens, float *hidden, struct backbone_tape **tape,
		     struct rng *dropout_rng, struct error *error)
{
	struct backbone_call call = {.backbone = backbone, .arena = arena, .batch = batch,
				     .tokens = tokens, .rows = batch * tokens,
				     .dropout_rng = dropout_rng};
	const struct arena_mark mark = arena_save(arena);
	int code = tokens_check(backbone, batch, tokens, error);

	if (code)
		return code;
	if (backbone->device) {
		code = backbone->device->forward(&call, embeds, hidden, tape, error);
		if (code || !tape)
			arena_restore(arena, mark);
		return code;
	}
	code = backbone->architecture->pass->forward(&call, embeds, hidden, tape);
	if (code || !tape)
		arena_restore(arena, mark);
	if (code)
		return error_set(error, code, "out of memory for %lld sequences of %lld tokens",
				 (long long)batch, (long long)tokens);
	return 0;
}

int backbone_backward(struct backbone *backbone, struct arena *arena,
		      const struct backbone_tape *tape, const float *d_hidden, float *d_embeds,
		      struct error *error)
{
	struct backbone_call call = {.backbone = backbone, .arena = arena, .batch = tape->batch,
				     .tokens = tape->tokens, .rows = tape->batch * tape->tokens};
	const struct arena_mark mark = arena_save(arena);
	int code;

	if (backbone->device)
		return backbone->device->backward(&call, tape, d_hidden, d_embeds, error);
	code = backbone->architecture->pass->backward(&call, tape, d_hidden, d_embeds);
	arena_restore(arena, mark);
	if (code)
		return error_set(error, code, "out of memory for %lld sequences of %lld tokens",
				 (long long)tape->batch, (long long)tape->tokens);
	return 0;
}

static int device_cache_new(const struct backbone *backbone, struct backbone_cache *cache,
			    struct backbone_cache **out, struct error *error)
{
	const int code = backbone->device->cache_new(backbone, cache, error);

	cache->free_device = backbone->device->cache_free;
	if (code)
		backbone_cache_free(cache);
	else
		*out = cache;
	return code;
}

int backbone_cache_new(const struct backbone *backbone, int64_t max_tokens,
		       struct backbone_cache **out, struct error *error)
{
	struct backbone_cache *cache = calloc(1, sizeof(*cache));
	const int64_t width = backbone->architecture->pass->cache_width(backbone);
	size_t bytes;

	*out = NULL;
	if (!cache)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a cache");
	cache->max_tokens = max_tokens;
	if (backbone->device && max_tokens >= 1)
		return device_cache_new(backbone, cache, out, error);
	if (max_tokens >= 1 && !__builtin_mul_overflow((size_t)width * sizeof(float),
						       (size_t)max_tokens, &bytes))
		cache->memory = malloc(bytes);
	if (!cache->memory) {
		free(cache);
		return error_set(error, max_tokens < 1 ? ERR_RANGE : ERR_NO_MEMORY,
				 "cannot make a cache of %lld tokens", (long long)max_tokens);
	}
	*out = cache;
	return 0;
}

size_t backbone_cache_bytes(const struct backbone *backbone, int64_t max_tokens)
{
	const int64_t width = backbone->architecture->pass->cache_width(backbone);

	return (size_t)(width * max_tokens) * sizeof(float);
}

void backbone_cache_free(struct backbone_cache *cache)
{
	if (cache && cache->free_device)
		cache->free_device(cache);
	if (cache)
		free(cache->memory);
	free(cache);
}

int64_t backbone_cache_tokens(const struct backbone_cache *cache)
{
	return cache->tokens;
}

void backbone_cache_truncate(struct backbone_cache *cache, int64_t tokens)
{
	if (tokens >= 0 && tokens < cache->tokens)
		cache->tokens = tokens;
}

int backbone_extend(const struct backbone *backbone, struct arena *arena,
		    struct backbone_cache *cache, const float *embeds, int64_t tokens,
		    float *hidden, struct error *error)
{
	struct backbone_call call = {.backbone = backbone, .arena = arena, .batch = 1,
				     .tokens = tokens, .rows = tokens, .cache = cache};
	const struct arena_mark mark = arena_save(arena);
	int code = 0;

	if (tokens < 1)
		return error_set(error, ERR_RANGE, "nothing to add to the cache: %lld tokens",
				 (long long)tokens);
	code = tokens_check(backbone, 1, cache->tokens + tokens, error);
	if (code)
		return code;
	if (cache->tokens + tokens > cache->max_tokens)
		return error_set(error, ERR_RANGE, "%lld tokens do not fit in a cache of %lld",
				 (long long)(cache->tokens + tokens),
				 (long long)cache->max_tokens);
	if (backbone->device) {
		code = backbone->device->extend(&call, embeds, hidden, error);
	} else {
		code = backbone->architecture->pass->forward(&call, embeds, hidden, NULL);
		arena_restore(arena, mark);
		if (code)
			error_set(error, code, "out of memory for %lld tokens", (long long)tokens);
	}
	if (code)
		return code;
	cache->tokens += tokens;
	return 0;
}

