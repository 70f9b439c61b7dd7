/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GPT-2 (Radford et al. 2019) as a function of input embeddings.
 *
 * Learned positions `wpe` are added to the input (unless no_positions: the
 * paper's released code left them out); LayerNorm with bias before attention
 * and feed-forward; one fused projection c_attn gives q, k and v; weights lie
 * (in, out), as Conv1D keeps them.  Dropout of the base model is not applied.
 */
#include "backbone/pass.h"

#include <string.h>

static const char *const prefixes[] = {"", "transformer.", NULL};
static const char *const lora_targets[] = {"c_attn", NULL};

static int sizes_read(struct backbone *backbone, const struct config *config, struct error *error)
{
	struct backbone_shape *shape = &backbone->shape;
	const struct config_integer fields[] = {
		{"n_layer", &shape->layers, 1, LAYERS_MAX, true},
		{"n_embd", &shape->width, 1, WIDTH_MAX, true},
		{"n_head", &shape->heads, 1, HEADS_MAX, true},
		{"n_inner", &shape->ffn_width, 1, FFN_MAX, false},
		{"vocab_size", &shape->vocabulary, 1, VOCABULARY_MAX, true},
		{"n_positions", &shape->max_positions, 1, POSITIONS_MAX, true},
	};
	const int code = config_integers(config, fields, sizeof(fields) / sizeof(fields[0]), error);

	if (code)
		return code;
	if (shape->ffn_width == 0)
		shape->ffn_width = 4 * shape->width;
	if (shape->width % shape->heads)
		return error_at(error, ERR_INVALID, config->path, 0, "n_head",
				"%lld heads do not divide n_embd %lld", (long long)shape->heads,
				(long long)shape->width);
	shape->kv_heads = shape->heads;
	return 0;
}

static int settings_read(struct backbone *backbone, const struct config *config,
			 struct error *error)
{
	struct decoder *decoder = &backbone->decoder;
	const char *activation = NULL;
	int code = config_text(config, "activation_function", &activation, error);

	if (code)
		return code;
	if (activation && strcmp(activation, "gelu_new") != 0 &&
	    strcmp(activation, "gelu_pytorch_tanh") != 0)
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, "activation_function",
				"%s is not supported; gelu_new and gelu_pytorch_tanh are",
				activation);
	decoder->activation = ACTIVATION_GELU_NEW;
	decoder->norm_epsilon = 1e-5;
	backbone->initializer_range = 0.02;
	code = config_real(config, "layer_norm_epsilon", 0, 1, &decoder->norm_epsilon, error);
	if (!code)
		code = config_real(config, "initializer_range", 0, 10,
				   &backbone->initializer_range, error);
	if (!code)
		code = config_flag_is(config, "scale_attn_weights", true, error);
	if (!code)
		code = config_flag_is(config, "scale_attn_by_inverse_layer_idx", false, error);
	if (!code)
		code = config_flag_is(config, "add_cross_attention", false, error);
	return code;
}

static void projection_set(struct backbone_projection *projection, int64_t in, int64_t out)
{
	projection->in = in;
	projection->out = out;
	projection->layout = LINEAR_IN_OUT;
}

static void layer_declare(struct backbone *backbone, int64_t index)
{
	struct backbone_layer *layer = &backbone->decoder.layers[index];
	const int64_t width = backbone->shape.width, ffn = layer->ffn_width;
	const int64_t inner = layer->heads * backbone->decoder.head_width;
	struct backbone_projection *p = layer->projections;
	const bool used = index < backbone->decoder.run_layers;
	const int at = (int)index;

	projection_set(&p[ROLE_Q], width, 3 * inner);
	projection_set(&p[ROLE_OUT], inner, width);
	projection_set(&p[ROLE_UP], width, ffn);
	projection_set(&p[ROLE_DOWN], ffn, width);
	backbone_norm_declare(backbone, &layer->attention_norm, true, used, "h.%d.ln_1", at);
	backbone_projection_declare(backbone, &p[ROLE_Q], START_NORMAL, true, used,
				    "h.%d.attn.c_attn", at);
	backbone_projection_declare(backbone, &p[ROLE_OUT], START_RESIDUAL, true, used,
				    "h.%d.attn.c_proj", at);
	backbone_norm_declare(backbone, &layer->ffn_norm, true, used, "h.%d.ln_2", at);
	backbone_projection_declare(backbone, &p[ROLE_UP], START_NORMAL, true, used,
				    "h.%d.mlp.c_fc", at);
	backbone_projection_declare(backbone, &p[ROLE_DOWN], START_RESIDUAL, true, used,
				    "h.%d.mlp.c_proj", at);
}

static int gpt2_configure(struct backbone *backbone, const struct config *config,
			  struct error *error)
{
	const struct backbone_shape *shape = &backbone->shape;
	struct decoder *decoder = &backbone->decoder;
	int code = sizes_read(backbone, config, error);

	if (!code)
		code = settings_read(backbone, config, error);
	if (!code)
		code = backbone_reserve(backbone, 5 + 12 * (size_t)shape->layers, error);
	if (!code)
		code = backbone_layers_read(backbone, config, error);
	if (code)
		return code;
	decoder->head_width = shape->width / shape->heads;
	backbone->token_embedding = backbone_declare(
		backbone, START_NORMAL, 2, (int64_t[]){shape->vocabulary, shape->width},
		"wte.weight");
	backbone->token_embedding->optional = true;
	code = backbone_lm_head_declare(backbone, config, true, error);
	decoder->positions = backbone_declare(
		backbone, START_NORMAL, 2, (int64_t[]){shape->max_positions, shape->width},
		"wpe.weight");
	decoder->positions->used = !backbone->options.no_positions;
	decoder->positions->optional = backbone->options.no_positions;
	for (int64_t i = 0; i < shape->layers; i++)
		layer_declare(backbone, i);
	backbone_norm_declare(backbone, &decoder->final_norm, true, true, "ln_f");
	return code;
}

const struct architecture architecture_gpt2 = {
	.name = "gpt2",
	.class_name = "GPT2Model",
	.prefixes = prefixes,
	.lora_targets = lora_targets,
	.pass = &decoder_pass,
	.configure = gpt2_configure,
};
