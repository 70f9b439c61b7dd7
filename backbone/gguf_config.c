/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From GGUF's keys to the settings of config.json.
 *
 * What a file of one architecture may say beyond the table of settings is
 * looked at here: variants that change the arithmetic are refused by name.
 */
#include "backbone/gguf_config.h"

#include <stdio.h>
#include <string.h>

#include "backbone/gguf_names.h"

#define EMBEDDING_NAME "token_embd.weight"
#define TOKENS_KEY "tokenizer.ggml.tokens"

struct reading {
	struct gguf *file;
	const struct gguf_architecture *architecture;
	json_t *root;
	struct error *error;
};

/* "llama.block_count" */
static void key_text(const struct reading *reading, const char *key, char *text, size_t size)
{
	snprintf(text, size, "%s.%s", reading->architecture->name, key);
}

static int setting_read(const struct reading *reading, const struct gguf_setting *setting)
{
	char key[128];
	bool found = false;
	int64_t whole = 0;
	double real = 0;
	int code;

	key_text(reading, setting->key, key, sizeof(key));
	if (setting->real)
		code = gguf_real(reading->file, key, &real, &found, reading->error);
	else
		code = gguf_integer(reading->file, key, &whole, &found, reading->error);
	if (code)
		return code;
	if (!found && setting->required)
		return error_at(reading->error, ERR_INVALID, reading->file->path, 0, key,
				"is missing; convert the model again");
	if (!found)
		return 0;
	return json_object_set_new(reading->root, setting->setting,
				   setting->real ? json_real(real) : json_integer(whole))
		       ? ERR_NO_MEMORY : 0;
}

/* The vocabulary's size: its own key, or the rows of the embedding, or the tokenizer's list. */
static int vocabulary_read(const struct reading *reading)
{
	const struct gguf_tensor *embedding = gguf_find(reading->file, EMBEDDING_NAME);
	const struct gguf_value *tokens = gguf_value(reading->file, TOKENS_KEY);
	int64_t size = 0;

	if (json_object_get(reading->root, "vocab_size"))
		return 0;
	if (embedding && embedding->dims == 2)
		size = embedding->shape[1];
	else if (tokens && tokens->kind == GGUF_ARRAY && tokens->count <= INT64_MAX)
		size = (int64_t)tokens->count;
	if (size < 1)
		return error_at(reading->error, ERR_INVALID, reading->file->path, 0,
				EMBEDDING_NAME, "is missing, and nothing else tells the size of "
				"the vocabulary");
	return json_object_set_new(reading->root, "vocab_size", json_integer(size)) ? ERR_NO_MEMORY
										    : 0;
}

/* ERR_UNSUPPORTED unless a whole-number key is missing or `wanted`. */
static int only(const struct reading *reading, const char *suffix, int64_t wanted, const char *why)
{
	char key[128];
	int64_t value = wanted;
	bool found;
	int code;

	key_text(reading, suffix, key, sizeof(key));
	code = gguf_integer(reading->file, key, &value, &found, reading->error);
	if (!code && value != wanted)
		code = error_at(reading->error, ERR_UNSUPPORTED, reading->file->path, 0, key,
				"%lld: %s", (long long)value, why);
	return code;
}

/* Scaled rotary positions become `rope_scaling`, which the architecture judges. */
static int scaling_read(const struct reading *reading)
{
	const char *kind = NULL;
	double factor = 1;
	bool found, linear;
	char key[128];
	int code;

	key_text(reading, "rope.scale_linear", key, sizeof(key));
	code = gguf_real(reading->file, key, &factor, &linear, reading->error);
	key_text(reading, "rope.scaling.factor", key, sizeof(key));
	if (!code)
		code = gguf_real(reading->file, key, &factor, &found, reading->error);
	key_text(reading, "rope.scaling.type", key, sizeof(key));
	if (!code)
		code = gguf_text(reading->file, key, &kind, &found, reading->error);
	if (code)
		return code;
	if (gguf_find(reading->file, "rope_freqs.weight"))
		kind = "rope_freqs.weight";
	else if (!kind && linear && factor != 1)
		kind = "linear";
	if (!kind || strcmp(kind, "none") == 0)
		return 0;
	return json_object_set_new(reading->root, "rope_scaling",
				   json_pack("{s:s, s:f}", "type", kind, "factor", factor))
		       ? ERR_NO_MEMORY : 0;
}

static int llama_read(const struct reading *reading)
{
	const json_t *heads = json_object_get(reading->root, "num_attention_heads");
	const json_t *width = json_object_get(reading->root, "hidden_size");
	const json_t *head = json_object_get(reading->root, "head_dim");
	const bool bias = gguf_find(reading->file, "blk.0.attn_q.bias") != NULL;
	int64_t head_width = json_integer_value(head);
	int code;

	if (!head && json_integer_value(heads) > 0)
		head_width = json_integer_value(width) / json_integer_value(heads);
	code = only(reading, "expert_count", 0, "mixtures of experts are not supported");
	if (!code)
		code = only(reading, "rope.dimension_count", head_width,
			    "only rotation of whole heads is supported");
	if (!code)
		code = only(reading, "attention.value_length", head_width,
			    "only values as wide as keys are supported");
	if (!code)
		code = scaling_read(reading);
	if (!code && json_object_set_new(reading->root, "attention_bias", json_boolean(bias)))
		code = ERR_NO_MEMORY;
	return code;
}

static int settings_read(const struct reading *reading)
{
	const bool tied = gguf_find(reading->file, "output.weight") == NULL;
	int code = 0;

	for (const struct gguf_setting *s = reading->architecture->settings; s->key && !code; s++)
		code = setting_read(reading, s);
	if (!code)
		code = vocabulary_read(reading);
	if (!code && json_object_set_new(reading->root, "tie_word_embeddings", json_boolean(tied)))
		code = ERR_NO_MEMORY;
	if (!code && strcmp(reading->architecture->name, "llama") == 0)
		code = llama_read(reading);
	return code;
}

int gguf_config(struct gguf *file, json_t **root, struct error *error)
{
	struct reading reading = {.file = file, .error = error};
	const char *name = NULL;
	bool found;
	int code = gguf_text(file, "general.architecture", &name, &found, error);

	if (code)
		return code;
	if (!found)
		return error_at(error, ERR_INVALID, file->path, 0, "general.architecture",
				"is missing; not the file of a model");
	reading.architecture = gguf_architecture(name);
	if (!reading.architecture)
		return error_at(error, ERR_UNSUPPORTED, file->path, 0, "general.architecture",
				"%s is not supported in GGUF files; there are: %s", name,
				gguf_architectures());
	reading.root = json_pack("{s:s}", "model_type", reading.architecture->name);
	code = reading.root ? settings_read(&reading) : ERR_NO_MEMORY;
	if (code == ERR_NO_MEMORY)
		error_set(error, code, "out of memory for the settings of %s", file->path);
	if (code)
		json_decref(reading.root);
	else
		*root = reading.root;
	return code;
}
