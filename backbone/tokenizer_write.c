/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokenisers into GGUF files.
 *
 * Where a vocabulary of pieces has merges, a token's score is minus the rank
 * of the first merge that makes it: the highest score merges first there.
 */
#include "backbone/tokenizer_write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Values of tokenizer.ggml.token_type. */
enum { TYPE_NORMAL = 1, TYPE_CONTROL = 3, TYPE_UNUSED = 5, TYPE_BYTE = 6 };

#define NEVER_MERGED (-1e9f)

static void texts_put(const struct tokenizer *tokenizer, struct gguf_head *head)
{
	char unused[32];

	gguf_put_array(head, "tokenizer.ggml.tokens", GGUF_STRING, (uint64_t)tokenizer->vocabulary);
	for (int64_t id = 0; id < tokenizer->vocabulary; id++) {
		const char *text = tokenizer->texts[id];

		snprintf(unused, sizeof(unused), "[PAD%lld]", (long long)id);
		text = text ? text : unused;
		gguf_add_text(head, text, strlen(text));
	}
}

static int token_type(const struct tokenizer *tokenizer, int64_t id)
{
	const char *text = tokenizer->texts[id];

	if (!text)
		return TYPE_UNUSED;
	if (!json_object_get(tokenizer->ids, text) || id == tokenizer->end ||
	    id == tokenizer->start)
		return TYPE_CONTROL;
	if (tokenizer->kind == TOKENIZER_PIECES && strncmp(text, "<0x", 3) == 0)
		return TYPE_BYTE;
	return TYPE_NORMAL;
}

static void types_put(const struct tokenizer *tokenizer, struct gguf_head *head)
{
	gguf_put_array(head, "tokenizer.ggml.token_type", GGUF_I32,
		       (uint64_t)tokenizer->vocabulary);
	for (int64_t id = 0; id < tokenizer->vocabulary; id++)
		gguf_add_i32(head, token_type(tokenizer, id));
}

/* In the order of their ranks, in which they were read. */
static void merges_put(const struct tokenizer *tokenizer, struct gguf_head *head)
{
	const char *pair;
	json_t *rank;

	gguf_put_array(head, "tokenizer.ggml.merges", GGUF_STRING,
		       json_object_size(tokenizer->merges));
	json_object_foreach(tokenizer->merges, pair, rank)
		gguf_add_text(head, pair, strlen(pair));
}

/* Score of every token from the merges; NULL when there is no memory. */
static float *scores_make(const struct tokenizer *tokenizer)
{
	float *scores = malloc((size_t)tokenizer->vocabulary * sizeof(*scores));
	const char *pair;
	json_t *rank;

	for (int64_t id = 0; id < tokenizer->vocabulary && scores; id++)
		scores[id] = tokenizer->scores ? (float)tokenizer->scores[id] : NEVER_MERGED;
	json_object_foreach(tokenizer->merges, pair, rank) {
		char joined[512];
		const size_t left = strcspn(pair, " ");
		const json_t *id;

		if (!scores || strlen(pair) >= sizeof(joined))
			continue;
		snprintf(joined, sizeof(joined), "%.*s%s", (int)left, pair, pair + left + 1);
		id = json_object_get(tokenizer->ids, joined);
		if (id && scores[json_integer_value(id)] == NEVER_MERGED)
			scores[json_integer_value(id)] = -(float)json_integer_value(rank);
	}
	return scores;
}

static void scores_put(const struct tokenizer *tokenizer, struct gguf_head *head)
{
	float *scores = scores_make(tokenizer);

	if (!scores)
		return;
	gguf_put_array(head, "tokenizer.ggml.scores", GGUF_F32, (uint64_t)tokenizer->vocabulary);
	for (int64_t id = 0; id < tokenizer->vocabulary; id++) {
		int32_t bits;

		memcpy(&bits, &scores[id], sizeof(bits));
		gguf_add_i32(head, bits);
	}
	free(scores);
}

void tokenizer_put(const struct tokenizer *tokenizer, struct gguf_head *head)
{
	if (tokenizer->kind == TOKENIZER_BYTES) {
		gguf_put_text(head, "tokenizer.ggml.model", "none");
		return;
	}
	gguf_put_text(head, "tokenizer.ggml.model",
		      tokenizer->kind == TOKENIZER_BPE ? "gpt2" : "llama");
	texts_put(tokenizer, head);
	types_put(tokenizer, head);
	if (tokenizer->kind == TOKENIZER_BPE) {
		gguf_put_text(head, "tokenizer.ggml.pre", "gpt-2");
		merges_put(tokenizer, head);
	} else {
		scores_put(tokenizer, head);
	}
	if (tokenizer->start >= 0)
		gguf_put_u32(head, "tokenizer.ggml.bos_token_id", (uint32_t)tokenizer->start);
	if (tokenizer->end >= 0)
		gguf_put_u32(head, "tokenizer.ggml.eos_token_id", (uint32_t)tokenizer->end);
}
