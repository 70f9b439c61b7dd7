/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Llama (Touvron et al. 2023) as a function of input embeddings.
 *
 * RMSNorm before attention and feed-forward; rotary positions on queries and
 * keys, plain, linear or as Llama 3 stretches them; grouped key/value heads; a
 * SiLU-gated feed-forward; weights lie (out, in).  Other ways of stretching
 * positions are refused, not guessed.
 */
#include "backbone/pass.h"

#include <stdio.h>
#include <string.h>

static const char *const prefixes[] = {"model.", "", NULL};
static const char *const lora_targets[] = {"q_proj", "v_proj", NULL};

static int sizes_read(struct backbone *backbone, const struct config *config, struct error *error)
{
	struct backbone_shape *shape = &backbone->shape;
	int64_t *head_width = &backbone->decoder.head_width;
	const struct config_integer fields[] = {
		{"num_hidden_layers", &shape->layers, 1, LAYERS_MAX, true},
		{"hidden_size", &shape->width, 1, WIDTH_MAX, true},
		{"num_attention_heads", &shape->heads, 1, HEADS_MAX, true},
		{"num_key_value_heads", &shape->kv_heads, 1, HEADS_MAX, false},
		{"head_dim", head_width, 2, WIDTH_MAX, false},
		{"intermediate_size", &shape->ffn_width, 1, FFN_MAX, true},
		{"vocab_size", &shape->vocabulary, 1, VOCABULARY_MAX, true},
		{"max_position_embeddings", &shape->max_positions, 1, POSITIONS_MAX, true},
	};
	const int code = config_integers(config, fields, sizeof(fields) / sizeof(fields[0]), error);

	if (code)
		return code;
	if (shape->kv_heads == 0)
		shape->kv_heads = shape->heads;
	if (shape->heads % shape->kv_heads)
		return error_at(error, ERR_INVALID, config->path, 0, "num_key_value_heads",
				"%lld does not divide num_attention_heads %lld",
				(long long)shape->kv_heads, (long long)shape->heads);
	if (*head_width == 0 && shape->width % shape->heads)
		return error_at(error, ERR_INVALID, config->path, 0, "num_attention_heads",
				"%lld does not divide hidden_size %lld", (long long)shape->heads,
				(long long)shape->width);
	if (*head_width == 0)
		*head_width = shape->width / shape->heads;
	if (*head_width % 2)
		return error_at(error, ERR_INVALID, config->path, 0, "num_attention_heads",
				"head width %lld is odd; rotary positions need pairs",
				(long long)*head_width);
	return 0;
}

/* "rope_scaling.factor" */
static const char *key_in(char *key, size_t size, const char *object, const char *name)
{
	snprintf(key, size, "%s.%s", object, name);
	return key;
}

static int rope_bounds_read(struct rope_scaling *scaling, const struct config *config,
			    const char *object, struct error *error)
{
	const struct {
		const char *name;
		double *value;
	} rows[] = {
		{"factor", &scaling->factor},
		{"low_freq_factor", &scaling->low_turns},
		{"high_freq_factor", &scaling->high_turns},
		{"original_max_position_embeddings", &scaling->original_positions},
	};
	const size_t count = scaling->kind == ROPE_SCALING_LLAMA3 ? 4 : 1;
	char key[80];
	int code = 0;

	for (size_t i = 0; i < count && !code; i++) {
		key_in(key, sizeof(key), object, rows[i].name);
		code = config_real(config, key, 0, 1e9, rows[i].value, error);
		if (!code && *rows[i].value == 0)
			code = error_at(error, ERR_INVALID, config->path, 0, key,
					"is missing; give a number above 0");
	}
	if (!code && count == 4 && scaling->low_turns >= scaling->high_turns)
		code = error_at(error, ERR_INVALID, config->path, 0, key_in(key, sizeof(key),
				object, "high_freq_factor"), "%g is not above low_freq_factor %g",
				scaling->high_turns, scaling->low_turns);
	return code;
}

/* The way of stretching that `object` names. */
static int rope_scaling_read(struct rope_scaling *scaling, const struct config *config,
			     const char *object, struct error *error)
{
	const char *kind = NULL;
	char key[80];
	int code = config_text(config, key_in(key, sizeof(key), object, "rope_type"), &kind, error);

	if (!code && !kind) /* its name in older files */
		code = config_text(config, key_in(key, sizeof(key), object, "type"), &kind, error);
	if (code)
		return code;
	if (!kind)
		return error_at(error, ERR_INVALID, config->path, 0,
				key_in(key, sizeof(key), object, "rope_type"),
				"is missing; default, linear and llama3 are supported");
	if (strcmp(kind, "default") == 0)
		return 0;
	if (strcmp(kind, "linear") == 0)
		scaling->kind = ROPE_SCALING_LINEAR;
	else if (strcmp(kind, "llama3") == 0)
		scaling->kind = ROPE_SCALING_LLAMA3;
	else
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, key,
				"%s is not supported; default, linear and llama3 are", kind);
	return rope_bounds_read(scaling, config, object, error);
}

/* rope_theta and rope_scaling, or the one object rope_parameters of newer files. */
static int rope_read(struct decoder *decoder, const struct config *config, struct error *error)
{
	struct rope_scaling *scaling = &decoder->rope_scaling;
	bool nested = false, scaled = false;
	int code = config_object(config, "rope_parameters", &nested, error);

	decoder->rope_theta = 10000;
	if (!code)
		code = config_object(config, "rope_scaling", &scaled, error);
	if (!code)
		code = config_real(config, "rope_theta", 0, 1e12, &decoder->rope_theta, error);
	if (!code && nested)
		code = config_real(config, "rope_parameters.rope_theta", 0, 1e12,
				   &decoder->rope_theta, error);
	if (!code && nested)
		code = rope_scaling_read(scaling, config, "rope_parameters", error);
	else if (!code && scaled)
		code = rope_scaling_read(scaling, config, "rope_scaling", error);
	return code;
}

static int settings_read(struct backbone *backbone, const struct config *config,
			 struct error *error)
{
	struct decoder *decoder = &backbone->decoder;
	const char *activation = NULL;
	int code = config_text(config, "hidden_act", &activation, error);

	if (code)
		return code;
	if (activation && strcmp(activation, "silu") != 0)
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, "hidden_act",
				"%s is not supported; silu is", activation);
	decoder->activation = ACTIVATION_SILU_GATE;
	decoder->norm_epsilon = 1e-6;
	backbone->initializer_range = 0.02;
	code = config_real(config, "rms_norm_eps", 0, 1, &decoder->norm_epsilon, error);
	if (!code)
		code = rope_read(decoder, config, error);
	if (!code)
		code = config_real(config, "initializer_range", 0, 10,
				   &backbone->initializer_range, error);
	if (!code)
		code = config_flag_is(config, "mlp_bias", false, error);
	return code;
}

static void layer_declare(struct backbone *backbone, int64_t index, bool attention_bias)
{
	const struct backbone_shape *shape = &backbone->shape;
	struct backbone_layer *layer = &backbone->decoder.layers[index];
	const int64_t q_width = layer->heads * backbone->decoder.head_width;
	const int64_t kv_width = layer->kv_heads * backbone->decoder.head_width;
	const struct projection_row rows[] = {
		{ROLE_Q, "self_attn.q_proj", shape->width, q_width, START_NORMAL, attention_bias},
		{ROLE_K, "self_attn.k_proj", shape->width, kv_width, START_NORMAL, attention_bias},
		{ROLE_V, "self_attn.v_proj", shape->width, kv_width, START_NORMAL, attention_bias},
		{ROLE_OUT, "self_attn.o_proj", q_width, shape->width, START_RESIDUAL,
		 attention_bias},
		{ROLE_GATE, "mlp.gate_proj", shape->width, layer->ffn_width, START_NORMAL, false},
		{ROLE_UP, "mlp.up_proj", shape->width, layer->ffn_width, START_NORMAL, false},
		{ROLE_DOWN, "mlp.down_proj", layer->ffn_width, shape->width, START_RESIDUAL, false},
	};
	const bool used = index < backbone->decoder.run_layers;
	char path[32];

	snprintf(path, sizeof(path), "layers.%d", (int)index);
	backbone_rows_declare(backbone, layer, rows, sizeof(rows) / sizeof(rows[0]), used, path);
	backbone_norm_declare(backbone, &layer->attention_norm, false, used,
			      "%s.input_layernorm", path);
	backbone_norm_declare(backbone, &layer->ffn_norm, false, used,
			      "%s.post_attention_layernorm", path);
}

static int llama_configure(struct backbone *backbone, const struct config *config,
			   struct error *error)
{
	const struct backbone_shape *shape = &backbone->shape;
	struct decoder *decoder = &backbone->decoder;
	bool attention_bias = false;
	int code = sizes_read(backbone, config, error);

	if (!code)
		code = settings_read(backbone, config, error);
	if (!code)
		code = config_flag(config, "attention_bias", &attention_bias, error);
	if (!code)
		code = backbone_reserve(backbone, 3 + 13 * (size_t)shape->layers, error);
	if (!code)
		code = backbone_layers_read(backbone, config, error);
	if (code)
		return code;
	backbone->token_embedding = backbone_declare(
		backbone, START_NORMAL, 2, (int64_t[]){shape->vocabulary, shape->width},
		"embed_tokens.weight");
	backbone->token_embedding->optional = true;
	code = backbone_lm_head_declare(backbone, config, false, error);
	for (int64_t i = 0; i < shape->layers; i++)
		layer_declare(backbone, i, attention_bias);
	backbone_norm_declare(backbone, &decoder->final_norm, false, true, "norm");
	return code;
}

const struct architecture architecture_llama = {
	.name = "llama",
	.class_name = "LlamaModel",
	.prefixes = prefixes,
	.lora_targets = lora_targets,
	.pass = &decoder_pass,
	.configure = llama_configure,
};
