/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tables of names, one pair an architecture, read in both directions.
 */
#include "backbone/gguf_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct gguf_setting gpt2_settings[] = {
	{"block_count", "n_layer", false, true},
	{"embedding_length", "n_embd", false, true},
	{"attention.head_count", "n_head", false, true},
	{"feed_forward_length", "n_inner", false, false},
	{"context_length", "n_positions", false, true},
	{"vocab_size", "vocab_size", false, false},
	{"attention.layer_norm_epsilon", "layer_norm_epsilon", true, true},
	{0},
};

static const struct gguf_name gpt2_names[] = {
	{"token_embd", "wte", GGUF_STRAIGHT},
	{"position_embd", "wpe", GGUF_STRAIGHT},
	{"output_norm", "ln_f", GGUF_STRAIGHT},
	{"output", "lm_head", GGUF_STRAIGHT},
	{"blk.%d.attn_norm", "h.%d.ln_1", GGUF_STRAIGHT},
	{"blk.%d.attn_qkv", "h.%d.attn.c_attn", GGUF_TRANSPOSED},
	{"blk.%d.attn_output", "h.%d.attn.c_proj", GGUF_TRANSPOSED},
	{"blk.%d.ffn_norm", "h.%d.ln_2", GGUF_STRAIGHT},
	{"blk.%d.ffn_up", "h.%d.mlp.c_fc", GGUF_TRANSPOSED},
	{"blk.%d.ffn_down", "h.%d.mlp.c_proj", GGUF_TRANSPOSED},
	{0},
};

static const struct gguf_setting llama_settings[] = {
	{"block_count", "num_hidden_layers", false, true},
	{"embedding_length", "hidden_size", false, true},
	{"attention.head_count", "num_attention_heads", false, true},
	{"attention.head_count_kv", "num_key_value_heads", false, false},
	{"attention.key_length", "head_dim", false, false},
	{"feed_forward_length", "intermediate_size", false, true},
	{"context_length", "max_position_embeddings", false, true},
	{"vocab_size", "vocab_size", false, false},
	{"attention.layer_norm_rms_epsilon", "rms_norm_eps", true, true},
	{"rope.freq_base", "rope_theta", true, false},
	{0},
};

static const struct gguf_name llama_names[] = {
	{"token_embd", "embed_tokens", GGUF_STRAIGHT},
	{"output_norm", "norm", GGUF_STRAIGHT},
	{"output", "lm_head", GGUF_STRAIGHT},
	{"blk.%d.attn_norm", "layers.%d.input_layernorm", GGUF_STRAIGHT},
	{"blk.%d.attn_q", "layers.%d.self_attn.q_proj", GGUF_ROTARY_Q},
	{"blk.%d.attn_k", "layers.%d.self_attn.k_proj", GGUF_ROTARY_K},
	{"blk.%d.attn_v", "layers.%d.self_attn.v_proj", GGUF_STRAIGHT},
	{"blk.%d.attn_output", "layers.%d.self_attn.o_proj", GGUF_STRAIGHT},
	{"blk.%d.ffn_norm", "layers.%d.post_attention_layernorm", GGUF_STRAIGHT},
	{"blk.%d.ffn_gate", "layers.%d.mlp.gate_proj", GGUF_STRAIGHT},
	{"blk.%d.ffn_up", "layers.%d.mlp.up_proj", GGUF_STRAIGHT},
	{"blk.%d.ffn_down", "layers.%d.mlp.down_proj", GGUF_STRAIGHT},
	{0},
};

static const struct gguf_architecture architectures[] = {
	{"gpt2", gpt2_settings, gpt2_names},
	{"llama", llama_settings, llama_names},
};

const struct gguf_architecture *gguf_architecture(const char *name)
{
	for (size_t i = 0; i < sizeof(architectures) / sizeof(architectures[0]); i++)
		if (strcmp(architectures[i].name, name) == 0)
			return &architectures[i];
	return NULL;
}

const char *gguf_architectures(void)
{
	return "gpt2, llama";
}

/* Matches `pattern` with its %d against `name`; `rest` is what follows. */
static bool pattern_match(const char *pattern, const char *name, int *layer, const char **rest)
{
	const char *hole = strstr(pattern, "%d");
	const size_t before = hole ? (size_t)(hole - pattern) : strlen(pattern);
	char *end;
	long number;

	if (strncmp(pattern, name, before) != 0)
		return false;
	*rest = name + before;
	if (!hole)
		return true;
	if (**rest < '0' || **rest > '9')
		return false;
	number = strtol(*rest, &end, 10);
	if (number > 1 << 20 || strncmp(hole + 2, end, strlen(hole + 2)) != 0)
		return false;
	*layer = (int)number;
	*rest = end + strlen(hole + 2);
	return true;
}

/* Fills the pattern's %d, and appends `rest`. */
static void pattern_fill(char *text, size_t size, const char *pattern, int layer, const char *rest)
{
	const char *hole = strstr(pattern, "%d");

	if (hole)
		snprintf(text, size, "%.*s%d%s%s", (int)(hole - pattern), pattern, layer, hole + 2,
			 rest);
	else
		snprintf(text, size, "%s%s", pattern, rest);
}

bool gguf_name(const struct gguf_architecture *architecture, const char *name, char *here,
	       size_t size, enum gguf_layout *layout)
{
	static const char *const prefixes[] = {"model.", "transformer."};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			name += strlen(prefixes[i]);
	for (const struct gguf_name *entry = architecture->names; entry->here; entry++) {
		const char *rest;
		int layer = 0;

		if (!pattern_match(entry->there, name, &layer, &rest) ||
		    (strcmp(rest, ".weight") != 0 && strcmp(rest, ".bias") != 0))
			continue;
		pattern_fill(here, size, entry->here, layer, rest);
		*layout = entry->layout;
		return true;
	}
	return false;
}

void gguf_name_there(const struct gguf_name *entry, int layer, const char *ending, char *there,
		     size_t size)
{
	char rest[16];

	snprintf(rest, sizeof(rest), ".%s", ending);
	pattern_fill(there, size, entry->there, layer, rest);
}

bool gguf_key(const struct gguf_architecture *architecture, const char *setting, char *key,
	      size_t size)
{
	for (const struct gguf_setting *s = architecture->settings; s->key; s++)
		if (strcmp(s->setting, setting) == 0) {
			snprintf(key, size, "%s.%s", architecture->name, s->key);
			return true;
		}
	return false;
}
