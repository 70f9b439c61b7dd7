/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading tokenisers: which files there are decides.
 *
 * Order: tokenizer.ggml.* keys of a GGUF file; vocab.json with merges.txt;
 * tokenizer.json; none, which means bytes.  The ids of the tokens that begin
 * and end a text are those of config.json, or of the GGUF file.
 */
#include "backbone/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "backbone/checkpoint.h"
#include "backbone/config.h"
#include "backbone/gguf.h"
#include "base/file.h"

#define VOCABULARY_NAME "vocab.json"
#define MERGES_NAME "merges.txt"
#define TOKENIZER_NAME "tokenizer.json"
#define TOKENS_KEY "tokenizer.ggml.tokens"
#define MERGES_KEY "tokenizer.ggml.merges"
#define SCORES_KEY "tokenizer.ggml.scores"

/* SentencePiece vocabularies begin with unknown, begin and end; then come the bytes. */
#define PIECE_BYTES_FIRST 3

/* Checks an id and remembers its text. */
static int id_take(struct tokenizer *tokenizer, const char *path, const char *text,
		   const json_t *id, struct error *error)
{
	const json_int_t value = json_integer_value(id);

	if (!json_is_integer(id) || value < 0 || value >= tokenizer->vocabulary)
		return error_at(error, ERR_INVALID, path, 0, text,
				"its id is not a whole number below the model's %lld tokens",
				(long long)tokenizer->vocabulary);
	tokenizer->texts[value] = text;
	return 0;
}

static int ids_take(struct tokenizer *tokenizer, const char *path, json_t *ids,
		    struct error *error)
{
	const char *text;
	json_t *id;

	if (!json_is_object(ids) || json_object_size(ids) == 0)
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"the vocabulary is not an object of tokens and their ids");
	tokenizer->ids = json_incref(ids);
	json_object_foreach(ids, text, id) {
		const int code = id_take(tokenizer, path, text, id, error);

		if (code)
			return code;
	}
	return 0;
}

/* "left right"; the first of equal ones counts. */
static int merge_add(struct tokenizer *tokenizer, const char *pair, size_t length)
{
	if (json_object_getn(tokenizer->merges, pair, length))
		return 0;
	return json_object_setn_new_nocheck(
		       tokenizer->merges, pair, length,
		       json_integer((json_int_t)json_object_size(tokenizer->merges)))
		       ? ERR_NO_MEMORY : 0;
}

static int merges_read(struct tokenizer *tokenizer, const char *folder, struct error *error)
{
	char path[4096], *text = NULL;
	size_t size;
	int code = file_join(path, sizeof(path), folder, MERGES_NAME, error);

	if (!code)
		code = file_read_all(path, &text, &size, error);
	if (code)
		return code;
	tokenizer->merges = json_object();
	for (char *line = text; line && *line && !code;) {
		const size_t length = strcspn(line, "\r\n");
		char *next = line + length;

		next += strspn(next, "\r\n");
		if (length && strncmp(line, "#version", 8) != 0 && memchr(line, ' ', length))
			code = merge_add(tokenizer, line, length);
		line = next;
	}
	free(text);
	return code ? error_set(error, code, "out of memory for %s", path) : 0;
}

static int bpe_files_read(struct tokenizer *tokenizer, const char *folder, struct error *error)
{
	struct config config;
	int code = config_open(&config, folder, VOCABULARY_NAME, error);

	if (code)
		return code;
	tokenizer->kind = TOKENIZER_BPE;
	tokenizer->source = VOCABULARY_NAME " and " MERGES_NAME;
	code = ids_take(tokenizer, config.path, config.root, error);
	config_close(&config);
	return code ? code : merges_read(tokenizer, folder, error);
}

/* Merges are "left right" or, in newer files, ["left", "right"]. */
static int merges_take(struct tokenizer *tokenizer, const char *path, const json_t *merges,
		       struct error *error)
{
	size_t index;
	json_t *merge;

	tokenizer->merges = json_object();
	json_array_foreach(merges, index, merge) {
		const char *left = json_string_value(json_array_get(merge, 0));
		const char *right = json_string_value(json_array_get(merge, 1));
		char pair[512];
		int length = -1;

		if (json_is_string(merge))
			length = snprintf(pair, sizeof(pair), "%s", json_string_value(merge));
		else if (left && right)
			length = snprintf(pair, sizeof(pair), "%s %s", left, right);
		if (length < 3)
			return error_at(error, ERR_INVALID, path, 0, "model.merges",
					"entry %zu is not a pair of tokens", index);
		if ((size_t)length < sizeof(pair) && merge_add(tokenizer, pair, (size_t)length))
			return error_set(error, ERR_NO_MEMORY, "out of memory for %s", path);
	}
	return 0;
}

static int added_take(struct tokenizer *tokenizer, const char *path, const json_t *added,
		      struct error *error)
{
	size_t index;
	json_t *token;

	json_array_foreach(added, index, token) {
		const char *text = json_string_value(json_object_get(token, "content"));
		const int code = id_take(tokenizer, path, text ? text : "(none)",
					 json_object_get(token, "id"), error);

		if (code)
			return code;
	}
	return 0;
}

static int tokenizer_json_read(struct tokenizer *tokenizer, const char *folder,
			       struct error *error)
{
	struct config config;
	const json_t *model;
	const char *type;
	bool bytes;
	int code = config_open(&config, folder, TOKENIZER_NAME, error);

	if (code)
		return code;
	model = json_object_get(config.root, "model");
	type = json_string_value(json_object_get(model, "type"));
	bytes = json_is_true(json_object_get(model, "byte_fallback"));
	tokenizer->kind = bytes ? TOKENIZER_PIECES : TOKENIZER_BPE;
	tokenizer->source = TOKENIZER_NAME;
	tokenizer->holder = config.root;
	if (type && strcmp(type, "BPE") != 0)
		return error_at(error, ERR_UNSUPPORTED, config.path, 0, "model.type",
				"%s is not supported; BPE is", type);
	code = ids_take(tokenizer, config.path, json_object_get(model, "vocab"), error);
	if (!code)
		code = added_take(tokenizer, config.path,
				  json_object_get(config.root, "added_tokens"), error);
	if (!code)
		code = merges_take(tokenizer, config.path, json_object_get(model, "merges"),
				   error);
	return code;
}

/* The elements of an array of text as an object: text to index. */
static int strings_take(const struct gguf *file, const char *key, json_t **object,
			struct error *error)
{
	const struct gguf_value *value = gguf_value(file, key);
	const unsigned char *bytes = value ? value->bytes : NULL;

	*object = json_object();
	if (!value || value->kind != GGUF_ARRAY || value->element != GGUF_STRING)
		return error_at(error, ERR_INVALID, file->path, 0, key,
				"is not there as a list of text");
	for (uint64_t i = 0; i < value->count; i++) {
		const char *text;
		size_t length;

		bytes = gguf_next_string(bytes, &text, &length);
		if (memchr(text, 0, length) || json_object_getn(*object, text, length))
			continue;
		if (json_object_setn_new_nocheck(*object, text, length,
						 json_integer((json_int_t)i)))
			return error_set(error, ERR_NO_MEMORY, "out of memory for %s", file->path);
	}
	return 0;
}

static int scores_take(struct tokenizer *tokenizer, const struct gguf *file, struct error *error)
{
	const struct gguf_value *value = gguf_value(file, SCORES_KEY);

	if (!value || value->element != GGUF_F32 || value->count > (uint64_t)tokenizer->vocabulary)
		return error_at(error, ERR_INVALID, file->path, 0, SCORES_KEY,
				"is not there as a list of numbers, one a token");
	tokenizer->scores = calloc((size_t)tokenizer->vocabulary, sizeof(*tokenizer->scores));
	if (!tokenizer->scores)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", file->path);
	for (uint64_t i = 0; i < value->count; i++) {
		float score;

		memcpy(&score, value->bytes + 4 * i, sizeof(score));
		tokenizer->scores[i] = score == score ? (double)score : 0;
	}
	return 0;
}

static int end_read(struct tokenizer *tokenizer, const struct gguf *file, struct error *error)
{
	int64_t start = -1, end = -1;
	bool found;
	int code = gguf_integer(file, "tokenizer.ggml.eos_token_id", &end, &found, error);

	if (!code && tokenizer->kind == TOKENIZER_PIECES)
		code = gguf_integer(file, "tokenizer.ggml.bos_token_id", &start, &found, error);
	if (code)
		return code;
	tokenizer->end = end < tokenizer->vocabulary && end >= 0 ? (int32_t)end : -1;
	tokenizer->start = start < tokenizer->vocabulary && start >= 0 ? (int32_t)start : -1;
	return 0;
}

/* The keys of an open file; the kind stays TOKENIZER_BYTES when it has none. */
static int gguf_keys_read(struct tokenizer *tokenizer, struct gguf *file, struct error *error)
{
	const char *model = NULL;
	json_t *ids = NULL;
	bool found;
	int code = gguf_text(file, "tokenizer.ggml.model", &model, &found, error);

	if (code || !found || strcmp(model, "none") == 0 || strcmp(model, "no_vocab") == 0)
		return code;
	if (strcmp(model, "gpt2") != 0 && strcmp(model, "llama") != 0)
		return error_at(error, ERR_UNSUPPORTED, file->path, 0, "tokenizer.ggml.model",
				"%s is not supported; gpt2 and llama are", model);
	tokenizer->kind = model[0] == 'g' ? TOKENIZER_BPE : TOKENIZER_PIECES;
	tokenizer->source = "the GGUF file";
	code = strings_take(file, TOKENS_KEY, &ids, error);
	if (!code)
		code = ids_take(tokenizer, file->path, ids, error);
	json_decref(ids);
	if (!code && tokenizer->kind == TOKENIZER_BPE)
		code = strings_take(file, MERGES_KEY, &tokenizer->merges, error);
	else if (!code)
		code = scores_take(tokenizer, file, error);
	return code ? code : end_read(tokenizer, file, error);
}

static int gguf_read(struct tokenizer *tokenizer, const char *path, struct error *error)
{
	struct gguf file;
	int code = gguf_open(&file, path, error);

	if (code)
		return code;
	code = gguf_keys_read(tokenizer, &file, error);
	gguf_close(&file);
	return code;
}

/* config.json's ids of the ends; a list of ids counts as its first. */
static void ends_read(struct tokenizer *tokenizer, const struct config *config)
{
	const json_t *end = json_object_get(config->root, "eos_token_id");
	const json_t *start = json_object_get(config->root, "bos_token_id");

	if (json_is_array(end))
		end = json_array_get(end, 0);
	if (json_is_integer(end) && json_integer_value(end) >= 0 &&
	    json_integer_value(end) < tokenizer->vocabulary)
		tokenizer->end = (int32_t)json_integer_value(end);
	if (tokenizer->kind != TOKENIZER_BPE && json_is_integer(start) &&
	    json_integer_value(start) >= 0 && json_integer_value(start) < tokenizer->vocabulary)
		tokenizer->start = (int32_t)json_integer_value(start);
}

/* No tokeniser: where bytes are, by the family of the model. */
static int bytes_choose(struct tokenizer *tokenizer, const struct config *config,
			struct error *error)
{
	const char *type = json_string_value(json_object_get(config->root, "model_type"));

	if (type && strcmp(type, "llama") == 0)
		tokenizer->first_byte = PIECE_BYTES_FIRST;
	if (tokenizer->first_byte + 256 <= tokenizer->vocabulary)
		return 0;
	return error_at(error, ERR_UNSUPPORTED, config->path, 0, NULL,
			"no tokeniser beside it, and %lld tokens have no room for bytes; add "
			TOKENIZER_NAME ", or " VOCABULARY_NAME " and " MERGES_NAME,
			(long long)tokenizer->vocabulary);
}

static bool is_there(const char *folder, const char *name)
{
	char path[4096];

	return !file_join(path, sizeof(path), folder, name, NULL) && file_exists(path);
}

static int files_read(struct tokenizer *tokenizer, const char *path, struct error *error)
{
	if (checkpoint_is_gguf(path))
		return gguf_read(tokenizer, path, error);
	if (is_there(path, VOCABULARY_NAME) && is_there(path, MERGES_NAME))
		return bpe_files_read(tokenizer, path, error);
	if (is_there(path, TOKENIZER_NAME))
		return tokenizer_json_read(tokenizer, path, error);
	return 0;
}

int tokenizer_open(struct tokenizer *tokenizer, const char *path, int64_t vocabulary,
		   struct error *error)
{
	struct config config;
	int code;

	memset(tokenizer, 0, sizeof(*tokenizer));
	tokenizer->source = "none: bytes";
	tokenizer->vocabulary = vocabulary;
	tokenizer->start = tokenizer->end = -1;
	tokenizer->texts = calloc((size_t)vocabulary + 1, sizeof(*tokenizer->texts));
	if (!tokenizer->texts)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a vocabulary");
	code = files_read(tokenizer, path, error);
	if (!code) {
		code = checkpoint_config(&config, path, error);
		if (!code) {
			ends_read(tokenizer, &config);
			if (tokenizer->kind == TOKENIZER_BYTES)
				code = bytes_choose(tokenizer, &config, error);
			config_close(&config);
		}
	}
	if (code)
		tokenizer_close(tokenizer);
	return code;
}

void tokenizer_close(struct tokenizer *tokenizer)
{
	json_decref(tokenizer->ids);
	json_decref(tokenizer->merges);
	json_decref(tokenizer->holder);
	free(tokenizer->scores);
	free(tokenizer->texts);
	memset(tokenizer, 0, sizeof(*tokenizer));
}
