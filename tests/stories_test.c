/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real pre-trained model: stories260K (Llama architecture, grouped heads).
 *
 * From token 1, greedy decoding through the key/value cache, with the token
 * embeddings as output layer (they are tied), must give the tokens that the
 * model is known to write.  Needs shared/weights/stories260K; without it the
 * test says so and counts as skipped (exit status 77).
 */
#include <stdio.h>
#include <stdlib.h>

#include "backbone/backbone.h"
#include "base/file.h"

#define EXIT_SKIPPED 77

static const int64_t wanted[] = {403, 407, 261, 378, 432, 383, 286, 261,
				 376, 298, 315, 421, 395, 317, 426, 338};

#define COUNT ((int64_t)(sizeof(wanted) / sizeof(wanted[0])))

static int64_t likeliest(const struct backbone_param *embedding, const float *hidden)
{
	const int64_t width = embedding->shape[1];
	int64_t best = 0;
	double best_score = -1e300;

	for (int64_t token = 0; token < embedding->shape[0]; token++) {
		double score = 0;

		for (int64_t i = 0; i < width; i++)
			score += (double)embedding->value[token * width + i] * hidden[i];
		if (score > best_score) {
			best_score = score;
			best = token;
		}
	}
	return best;
}

static int decode(const struct backbone *backbone, struct arena *arena, struct error *error)
{
	const struct backbone_param *embedding = backbone_token_embedding(backbone);
	struct backbone_cache *cache = NULL;
	int64_t token = 1;
	float *hidden;
	int code;

	if (!embedding)
		return error_set(error, ERR_INVALID, "the checkpoint has no token embeddings");
	hidden = arena_alloc(arena, (size_t)embedding->shape[1] * sizeof(float));
	code = backbone_cache_new(backbone, COUNT, &cache, error);
	for (int64_t i = 0; !code && i < COUNT; i++) {
		code = backbone_extend(backbone, arena, cache,
				       embedding->value + token * embedding->shape[1], 1, hidden,
				       error);
		if (code)
			break;
		token = likeliest(embedding, hidden);
		if (token != wanted[i])
			code = error_set(error, ERR_FAILED, "token %lld is %lld, not %lld",
					 (long long)i, (long long)token, (long long)wanted[i]);
	}
	backbone_cache_free(cache);
	return code;
}

int main(void)
{
	const char *shared = getenv("AQMLLM_SHARED_DIR");
	struct backbone *backbone = NULL;
	struct error error = {0};
	struct arena arena;
	char folder[4096], text[1500];
	int code;

	snprintf(folder, sizeof(folder), "%s/weights/stories260K",
		 shared && shared[0] ? shared : "../shared");
	if (!file_is_folder(folder)) {
		printf("SKIP stories260K: no folder %s; set AQMLLM_SHARED_DIR\n", folder);
		return EXIT_SKIPPED;
	}
	arena_init(&arena);
	code = backbone_open(&backbone, folder, NULL, &error);
	if (!code)
		code = decode(backbone, &arena, &error);
	printf("%s stories260K: %s\n", code ? "FAIL" : "PASS",
	       code ? error_format(&error, text, sizeof(text))
		    : "greedy decoding gives the known tokens");
	backbone_close(backbone);
	arena_free(&arena);
	return code != 0;
}
