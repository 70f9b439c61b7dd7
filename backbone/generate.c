/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Greedy generation.
 */
#include "backbone/generate.h"

#include <stdlib.h>
#include <string.h>

#include "tensor/linear.h"

int generator_new(struct generator *generator, const struct backbone *backbone,
		  int64_t max_tokens, struct error *error)
{
	const struct backbone_shape *shape = backbone_shape(backbone);
	const size_t floats = (size_t)(max_tokens * shape->width);
	int code = 0;

	memset(generator, 0, sizeof(*generator));
	arena_init(&generator->arena);
	generator->backbone = backbone;
	generator->max_tokens = max_tokens;
	generator->embedding = backbone_token_embedding(backbone);
	generator->head = backbone_lm_head(backbone);
	if (!generator->embedding || !generator->head)
		code = error_set(error, ERR_UNSUPPORTED,
				 "the checkpoint has no %s, so it cannot generate tokens",
				 generator->embedding ? "language-model head" : "token embedding");
	if (!code)
		code = backbone_cache_new(backbone, max_tokens, &generator->cache, error);
	if (!code) {
		generator->embeds = malloc(floats * sizeof(float));
		generator->hidden = malloc(floats * sizeof(float));
		generator->logits = calloc((size_t)shape->vocabulary, sizeof(float));
		if (!generator->embeds || !generator->hidden || !generator->logits)
			code = error_set(error, ERR_NO_MEMORY, "out of memory for %lld tokens",
					 (long long)max_tokens);
	}
	if (code)
		generator_free(generator);
	return code;
}

void generator_free(struct generator *generator)
{
	backbone_cache_free(generator->cache);
	arena_free(&generator->arena);
	free(generator->embeds);
	free(generator->hidden);
	free(generator->logits);
	memset(generator, 0, sizeof(*generator));
}

void generator_restart(struct generator *generator)
{
	backbone_cache_truncate(generator->cache, 0);
}

int generator_feed(struct generator *generator, const int32_t *tokens, int64_t count,
		   struct error *error)
{
	const struct backbone_param *head = generator->head;
	const int64_t width = generator->embedding->shape[1];
	const struct linear_shape shape =
		linear_shape_dense(1, width, head->shape[0], LINEAR_OUT_IN);
	int code;

	if (count < 1 || count > generator->max_tokens)
		return error_set(error, ERR_RANGE, "%lld tokens at once; 1 to %lld are possible",
				 (long long)count, (long long)generator->max_tokens);
	for (int64_t i = 0; i < count; i++)
		memcpy(generator->embeds + i * width,
		       generator->embedding->value + tokens[i] * width,
		       (size_t)width * sizeof(float));
	code = backbone_extend(generator->backbone, &generator->arena, generator->cache,
			       generator->embeds, count, generator->hidden, error);
	if (!code)
		linear_forward(generator->logits, generator->hidden + (count - 1) * width,
			       head->value, NULL, NULL, &shape);
	return code;
}

int32_t generator_best(const struct generator *generator)
{
	int32_t best = 0;

	for (int32_t i = 1; i < generator->head->shape[0]; i++)
		if (generator->logits[i] > generator->logits[best])
			best = i;
	return best;
}
