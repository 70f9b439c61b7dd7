/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OPT (Zhang et al. 2022) as a function of input embeddings.
 *
 * Learned positions, the first two rows of whose table are not used; biases
 * everywhere; ReLU.  OPT-350M alone normalises after each residual sum and not
 * before, has no final norm, and embeds its words in a narrower space, with a
 * map in front of the layers and one behind them.
 */
#include "backbone/pass.h"

#include <stdio.h>
#include <string.h>

#define POSITION_OFFSET 2

static const char *const prefixes[] = {"model.", "", NULL};
static const char *const lora_targets[] = {"q_proj", "v_proj", NULL};

/* What the rest of the file asks of config.json besides sizes. */
struct opt_settings {
	bool norm_before, no_final_norm, bias;
};

static int sizes_read(struct backbone *backbone, const struct config *config, struct error *error)
{
	struct backbone_shape *shape = &backbone->shape;
	const struct config_integer fields[] = {
		{"num_hidden_layers", &shape->layers, 1, LAYERS_MAX, true},
		{"hidden_size", &shape->inner_width, 1, WIDTH_MAX, true},
		{"word_embed_proj_dim", &shape->width, 1, WIDTH_MAX, false},
		{"num_attention_heads", &shape->heads, 1, HEADS_MAX, true},
		{"ffn_dim", &shape->ffn_width, 1, FFN_MAX, true},
		{"vocab_size", &shape->vocabulary, 1, VOCABULARY_MAX, true},
		{"max_position_embeddings", &shape->max_positions, 1, POSITIONS_MAX, true},
	};
	const int code = config_integers(config, fields, sizeof(fields) / sizeof(fields[0]), error);

	if (code)
		return code;
	if (shape->width == 0)
		shape->width = shape->inner_width;
	if (shape->inner_width % shape->heads)
		return error_at(error, ERR_INVALID, config->path, 0, "num_attention_heads",
				"%lld heads do not divide hidden_size %lld",
				(long long)shape->heads, (long long)shape->inner_width);
	shape->kv_heads = shape->heads;
	return 0;
}

static int settings_read(struct backbone *backbone, const struct config *config,
			 struct opt_settings *settings, struct error *error)
{
	struct decoder *decoder = &backbone->decoder;
	const char *activation = NULL;
	int code = config_text(config, "activation_function", &activation, error);

	if (code)
		return code;
	if (activation && strcmp(activation, "relu") != 0)
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, "activation_function",
				"%s is not supported; relu is", activation);
	*settings = (struct opt_settings){.norm_before = true, .bias = true};
	decoder->activation = ACTIVATION_RELU;
	decoder->norm_epsilon = 1e-5;
	backbone->initializer_range = 0.02;
	code = config_real(config, "init_std", 0, 10, &backbone->initializer_range, error);
	if (!code)
		code = config_flag(config, "do_layer_norm_before", &settings->norm_before, error);
	if (!code)
		code = config_flag(config, "_remove_final_layer_norm", &settings->no_final_norm,
				   error);
	if (!code)
		code = config_flag(config, "enable_bias", &settings->bias, error);
	if (!code)
		code = config_flag_is(config, "layer_norm_elementwise_affine", true, error);
	decoder->norm_after = !settings->norm_before;
	return code;
}

static void layer_declare(struct backbone *backbone, int64_t index, bool bias)
{
	struct backbone_layer *layer = &backbone->decoder.layers[index];
	const int64_t width = backbone->shape.inner_width, ffn = layer->ffn_width;
	const int64_t inner = layer->heads * backbone->decoder.head_width;
	const struct projection_row rows[] = {
		{ROLE_Q, "self_attn.q_proj", width, inner, START_NORMAL, bias},
		{ROLE_K, "self_attn.k_proj", width, inner, START_NORMAL, bias},
		{ROLE_V, "self_attn.v_proj", width, inner, START_NORMAL, bias},
		{ROLE_OUT, "self_attn.out_proj", inner, width, START_RESIDUAL, bias},
		{ROLE_UP, "fc1", width, ffn, START_NORMAL, bias},
		{ROLE_DOWN, "fc2", ffn, width, START_RESIDUAL, bias},
	};
	const bool used = index < backbone->decoder.run_layers;
	char path[32];

	snprintf(path, sizeof(path), "decoder.layers.%d", (int)index);
	backbone_rows_declare(backbone, layer, rows, sizeof(rows) / sizeof(rows[0]), used, path);
	backbone_norm_declare(backbone, &layer->attention_norm, true, used,
			      "%s.self_attn_layer_norm", path);
	backbone_norm_declare(backbone, &layer->ffn_norm, true, used,
			      "%s.final_layer_norm", path);
}

/* The maps between the width of the embeddings and that of the layers. */
static void ends_declare(struct backbone *backbone)
{
	const struct backbone_shape *shape = &backbone->shape;
	struct backbone_projection *in = &backbone->decoder.project_in;
	struct backbone_projection *out = &backbone->decoder.project_out;

	in->in = out->out = shape->width;
	in->out = out->in = shape->inner_width;
	in->layout = out->layout = LINEAR_OUT_IN;
	backbone_projection_declare(backbone, in, START_NORMAL, false, true,
				    "decoder.project_in");
	backbone_projection_declare(backbone, out, START_NORMAL, false, true,
				    "decoder.project_out");
}

static int opt_configure(struct backbone *backbone, const struct config *config,
			 struct error *error)
{
	const struct backbone_shape *shape = &backbone->shape;
	struct decoder *decoder = &backbone->decoder;
	struct opt_settings settings;
	int code = sizes_read(backbone, config, error);

	if (!code)
		code = settings_read(backbone, config, &settings, error);
	if (!code)
		code = backbone_reserve(backbone, 7 + 16 * (size_t)shape->layers, error);
	if (!code)
		code = backbone_layers_read(backbone, config, error);
	if (code)
		return code;
	decoder->head_width = shape->inner_width / shape->heads;
	backbone->token_embedding = backbone_declare(
		backbone, START_NORMAL, 2, (int64_t[]){shape->vocabulary, shape->width},
		"decoder.embed_tokens.weight");
	backbone->token_embedding->optional = true;
	code = backbone_lm_head_declare(backbone, config, true, error);
	decoder->position_offset = POSITION_OFFSET;
	decoder->positions = backbone_declare(
		backbone, START_NORMAL, 2,
		(int64_t[]){shape->max_positions + POSITION_OFFSET, shape->inner_width},
		"decoder.embed_positions.weight");
	decoder->positions->used = true;
	for (int64_t i = 0; i < shape->layers; i++)
		layer_declare(backbone, i, settings.bias);
	if (settings.norm_before && !settings.no_final_norm)
		backbone_norm_declare(backbone, &decoder->final_norm, true, true,
				      "decoder.final_layer_norm");
	if (shape->width != shape->inner_width)
		ends_declare(backbone);
	return code;
}

const struct architecture architecture_opt = {
	.name = "opt",
	.class_name = "OPTModel",
	.prefixes = prefixes,
	.lora_targets = lora_targets,
	.pass = &decoder_pass,
	.configure = opt_configure,
};
