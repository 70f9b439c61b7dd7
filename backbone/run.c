/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forward, backward and streaming: sizes are checked here, and the wiring of
 * the architecture computes.
 */
#include "backbone/pass.h"

#include <stdlib.h>
#include <string.h>

static bool positions_limited(const struct backbone *backbone)
{
	const struct backbone_weight *positions = backbone->decoder.positions;

	return backbone->decoder.rope_table || (positions && positions->used);
}

/* Positions that the model has; the rest of the sizes is the caller's promise. */
static int tokens_check(const struct backbone *backbone, int64_t batch, int64_t tokens,
			struct error *error)
{
	if (batch < 1 || tokens < 1)
		return error_set(error, ERR_RANGE, "%lld sequences of %lld tokens: need at least "
				 "one of each", (long long)batch, (long long)tokens);
	if (positions_limited(backbone) && tokens > backbone->shape.max_positions)
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
	if (cache->tokens == 0)
		cache->forgotten = 0;
}

int backbone_cache_forget(const struct backbone *backbone, struct backbone_cache *cache,
			  int64_t tokens, struct error *error)
{
	const struct backbone_pass *pass = backbone->architecture->pass;
	int64_t width, planes;

	if (!pass->plane_width || backbone->device)
		return error_set(error, ERR_UNSUPPORTED,
				 "the cache of this %s holds nothing that it could forget",
				 backbone->shape.architecture);
	if (tokens < 0 || tokens > cache->tokens)
		return error_set(error, ERR_RANGE, "cannot forget %lld of %lld tokens",
				 (long long)tokens, (long long)cache->tokens);
	width = pass->plane_width(backbone);
	planes = pass->cache_width(backbone) / width;
	for (int64_t i = 0; i < planes; i++) {
		float *plane = cache->memory + i * cache->max_tokens * width;

		memmove(plane, plane + tokens * width,
			(size_t)((cache->tokens - tokens) * width) * sizeof(*plane));
	}
	cache->tokens -= tokens;
	cache->forgotten += tokens;
	return 0;
}

int64_t backbone_cache_positions_left(const struct backbone *backbone,
				      const struct backbone_cache *cache)
{
	return positions_limited(backbone)
		       ? backbone->shape.max_positions - cache->forgotten - cache->tokens
		       : INT64_MAX;
}

static int extend_check(const struct backbone *backbone, const struct backbone_cache *cache,
			int64_t tokens, struct error *error)
{
	int code;

	if (tokens < 1)
		return error_set(error, ERR_RANGE, "nothing to add to the cache: %lld tokens",
				 (long long)tokens);
	code = tokens_check(backbone, 1, cache->forgotten + cache->tokens + tokens, error);
	if (!code && cache->tokens + tokens > cache->max_tokens)
		code = error_set(error, ERR_RANGE, "%lld tokens do not fit in a cache of %lld",
				 (long long)(cache->tokens + tokens),
				 (long long)cache->max_tokens);
	return code;
}

int backbone_extend(const struct backbone *backbone, struct arena *arena,
		    struct backbone_cache *cache, const float *embeds, int64_t tokens,
		    float *hidden, struct error *error)
{
	struct backbone_call call = {.backbone = backbone, .arena = arena, .batch = 1,
				     .tokens = tokens, .rows = tokens, .cache = cache};
	const struct arena_mark mark = arena_save(arena);
	int code = extend_check(backbone, cache, tokens, error);

	if (code)
		return code;
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

/* One after the other, for wirings that take one cache only. */
static int extend_each(const struct backbone *backbone, struct arena *arena,
		       struct backbone_cache *const *caches, int64_t count, const float *embeds,
		       int64_t tokens, float *hidden, struct error *error)
{
	const int64_t floats = tokens * backbone->shape.width;
	int code = 0;

	for (int64_t i = 0; i < count && !code; i++) {
		code = backbone_extend(backbone, arena, caches[i], embeds + i * floats, tokens,
				       hidden + i * floats, error);
		for (int64_t j = 0; j < i && code; j++)
			backbone_cache_truncate(caches[j], caches[j]->tokens - tokens);
	}
	return code;
}

int backbone_extend_many(const struct backbone *backbone, struct arena *arena,
			 struct backbone_cache *const *caches, int64_t count, const float *embeds,
			 int64_t tokens, float *hidden, struct error *error)
{
	struct backbone_call call = {.backbone = backbone, .arena = arena, .batch = count,
				     .tokens = tokens, .rows = count * tokens, .caches = caches};
	const struct arena_mark mark = arena_save(arena);
	int code = 0;

	for (int64_t i = 0; i < count && !code; i++)
		code = extend_check(backbone, caches[i], tokens, error);
	if (code || count < 1)
		return code;
	if (!backbone->architecture->pass->plane_width || backbone->device)
		return extend_each(backbone, arena, caches, count, embeds, tokens, hidden, error);
	code = backbone->architecture->pass->forward(&call, embeds, hidden, NULL);
	arena_restore(arena, mark);
	if (code)
		return error_set(error, code, "out of memory for %lld times %lld tokens",
				 (long long)count, (long long)tokens);
	for (int64_t i = 0; i < count; i++)
		caches[i]->tokens += tokens;
	return 0;
}
