/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * T5 (Raffel et al. 2020), its version 1.1 and what was trained on from them
 * (LM-adapted, Flan), as a function of input embeddings.
 *
 * The embeddings go into the encoder, and the encoder's result both into the
 * decoder and into its cross-attention, as in the paper's released code.  No
 * positions are added: scores get a bias by distance, one table a stack.
 * RMSNorm before every part; no bias in any projection; scores are not scaled;
 * the feed-forward is ReLU, or GELU-gated.
 *
 * As it was trained, the encoder sees all tokens at once, so that the state of
 * a step sees actions of later ones.  Unless the options ask for that form,
 * the encoder and the cross-attention are causal here.
 */
#include "backbone/t5.h"

#include <math.h>
#include <string.h>

static const char *const prefixes[] = {"", NULL};
static const char *const lora_targets[] = {"q", "v", NULL};
static const char *const embedding_aliases[] = {"encoder.embed_tokens.weight",
						"decoder.embed_tokens.weight", NULL};

static int sizes_read(struct backbone *backbone, const struct config *config, struct error *error)
{
	struct backbone_shape *shape = &backbone->shape;
	struct t5 *t5 = backbone->t5;
	const struct config_integer fields[] = {
		{"num_layers", &shape->layers, 1, LAYERS_MAX, true},
		{"num_decoder_layers", &shape->decoder_layers, 1, LAYERS_MAX, false},
		{"d_model", &shape->width, 1, WIDTH_MAX, true},
		{"d_kv", &t5->head_width, 1, WIDTH_MAX, true},
		{"d_ff", &shape->ffn_width, 1, FFN_MAX, true},
		{"num_heads", &shape->heads, 1, HEADS_MAX, true},
		{"vocab_size", &shape->vocabulary, 1, VOCABULARY_MAX, true},
		{"relative_attention_num_buckets", &t5->buckets, 4, 1 << 16, false},
		{"relative_attention_max_distance", &t5->max_distance, 3, POSITIONS_MAX, false},
	};
	int code;

	t5->buckets = 32;
	t5->max_distance = 128;
	code = config_integers(config, fields, sizeof(fields) / sizeof(fields[0]), error);
	if (code)
		return code;
	if (shape->decoder_layers == 0)
		shape->decoder_layers = shape->layers;
	shape->kv_heads = shape->heads;
	if (t5->buckets % 4)
		return error_at(error, ERR_INVALID, config->path, 0,
				"relative_attention_num_buckets", "%lld is not a multiple of 4",
				(long long)t5->buckets);
	if (t5->max_distance <= t5->buckets / 2)
		return error_at(error, ERR_INVALID, config->path, 0,
				"relative_attention_max_distance",
				"%lld is not above half of relative_attention_num_buckets %lld",
				(long long)t5->max_distance, (long long)t5->buckets);
	return 0;
}

static int settings_read(struct backbone *backbone, const struct config *config,
			 struct error *error)
{
	struct t5 *t5 = backbone->t5;
	const char *ffn = NULL;
	int code = config_text(config, "feed_forward_proj", &ffn, error);

	if (code)
		return code;
	if (!ffn || strcmp(ffn, "relu") == 0)
		t5->activation = ACTIVATION_RELU;
	else if (strcmp(ffn, "gated-gelu") == 0)
		t5->activation = ACTIVATION_GELU_GATE;
	else
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, "feed_forward_proj",
				"%s is not supported; relu and gated-gelu are", ffn);
	t5->norm_epsilon = 1e-6;
	backbone->initializer_range = 1;
	code = config_real(config, "layer_norm_epsilon", 0, 1, &t5->norm_epsilon, error);
	if (!code)
		code = config_real(config, "initializer_factor", 0, 100,
				   &backbone->initializer_range, error);
	if (!code)
		code = config_flag_is(config, "is_decoder", false, error);
	return code;
}

/* What is declared next belongs to this. */
struct place {
	struct backbone *backbone;
	const char *stack; /* "encoder" or "decoder" */
	int block, layer;
	bool used;
};

/* Starts with deviation initializer_factor / sqrt(inputs). */
static void projection_declare(const struct place *at, struct backbone_projection *projection,
			       int64_t in, int64_t out, int64_t inputs, const char *name)
{
	projection->in = in;
	projection->out = out;
	projection->layout = LINEAR_OUT_IN;
	backbone_projection_declare(at->backbone, projection, START_NORMAL, false, at->used,
				    "%s.block.%d.layer.%d.%s", at->stack, at->block, at->layer,
				    name);
	projection->weight->deviation =
		at->backbone->initializer_range / sqrt((double)inputs);
}

static void attention_declare(const struct place *at, struct t5_attention *attention,
			      const char *name)
{
	const int64_t width = at->backbone->shape.width;
	const int64_t inner = t5_attention_width(at->backbone);
	char part[32];

	snprintf(part, sizeof(part), "%s.q", name); /* small, as scores are not scaled */
	projection_declare(at, &attention->q, width, inner,
			   width * at->backbone->t5->head_width, part);
	snprintf(part, sizeof(part), "%s.k", name);
	projection_declare(at, &attention->k, width, inner, width, part);
	snprintf(part, sizeof(part), "%s.v", name);
	projection_declare(at, &attention->v, width, inner, width, part);
	snprintf(part, sizeof(part), "%s.o", name);
	projection_declare(at, &attention->out, inner, width, inner, part);
	backbone_norm_declare(at->backbone, &attention->norm, false, at->used,
			      "%s.block.%d.layer.%d.layer_norm", at->stack, at->block, at->layer);
}

static void ffn_declare(const struct place *at, struct t5_block *block)
{
	const int64_t width = at->backbone->shape.width, ffn = at->backbone->shape.ffn_width;

	if (backbone_activation_inputs(at->backbone->t5->activation) == 2) {
		projection_declare(at, &block->gate, width, ffn, width, "DenseReluDense.wi_0");
		projection_declare(at, &block->up, width, ffn, width, "DenseReluDense.wi_1");
	} else {
		projection_declare(at, &block->up, width, ffn, width, "DenseReluDense.wi");
	}
	projection_declare(at, &block->down, ffn, width, ffn, "DenseReluDense.wo");
	backbone_norm_declare(at->backbone, &block->ffn_norm, false, at->used,
			      "%s.block.%d.layer.%d.layer_norm", at->stack, at->block, at->layer);
}

static void stack_declare(struct backbone *backbone, struct t5_stack *stack, const char *name)
{
	const bool decoder = stack == &backbone->t5->decoder, used = stack->run_layers > 0;
	const size_t first = backbone->weight_count;

	stack->distance_bias = backbone_declare(
		backbone, START_NORMAL, 2,
		(int64_t[]){backbone->t5->buckets, backbone->shape.heads},
		"%s.block.0.layer.0.SelfAttention.relative_attention_bias.weight", name);
	stack->distance_bias->used = used;
	stack->distance_bias->deviation =
		backbone->initializer_range / sqrt((double)backbone->shape.width);
	for (int i = 0; i < (int)stack->layers; i++) {
		struct place at = {backbone, name, i, 0, i < stack->run_layers};

		attention_declare(&at, &stack->blocks[i].self, "SelfAttention");
		at.layer++;
		if (decoder) {
			attention_declare(&at, &stack->blocks[i].cross, "EncDecAttention");
			at.layer++;
		}
		ffn_declare(&at, &stack->blocks[i]);
	}
	backbone_norm_declare(backbone, &stack->final_norm, false, used, "%s.final_layer_norm",
			      name);
	for (size_t i = first; i < backbone->weight_count && !used; i++)
		backbone->weights[i].optional = true;
}

/* Room for both stacks, and how far each is run. */
static int stacks_make(struct backbone *backbone, struct error *error)
{
	const struct backbone_options *options = &backbone->options;
	const int64_t layers[] = {backbone->shape.layers, backbone->shape.decoder_layers};
	struct t5_stack *stacks[] = {&backbone->t5->encoder, &backbone->t5->decoder};

	for (size_t i = 0; i < 2; i++) {
		struct t5_stack *stack = stacks[i];
		const int64_t stop = options->stop_layer;

		stack->layers = layers[i];
		stack->run_layers = stop && stop < layers[i] ? stop : layers[i];
		stack->blocks = arena_calloc(&backbone->memory, (size_t)layers[i],
					     sizeof(*stack->blocks));
		if (!stack->blocks)
			return error_set(error, ERR_NO_MEMORY, "out of memory for the layers of %s",
					 backbone->directory);
	}
	if (options->decoder_input == DECODER_ABSENT)
		stacks[1]->run_layers = 0;
	stacks[0]->bidirectional = options->bidirectional;
	stacks[0]->two_sided = true;
	stacks[1]->first_plane = stacks[0]->run_layers;
	return 0;
}

static int t5_configure(struct backbone *backbone, const struct config *config,
			struct error *error)
{
	const struct backbone_shape *shape = &backbone->shape;
	int code;

	backbone->t5 = arena_calloc(&backbone->memory, 1, sizeof(*backbone->t5));
	if (!backbone->t5)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", backbone->directory);
	code = backbone_layers_refuse(config, error);
	if (!code)
		code = sizes_read(backbone, config, error);
	if (!code)
		code = settings_read(backbone, config, error);
	if (!code)
		code = backbone_reserve(backbone, 6 + 9 * (size_t)shape->layers +
					14 * (size_t)shape->decoder_layers, error);
	if (!code)
		code = stacks_make(backbone, error);
	if (code)
		return code;
	backbone->token_embedding = backbone_declare(
		backbone, START_NORMAL, 2, (int64_t[]){shape->vocabulary, shape->width},
		"shared.weight");
	backbone->token_embedding->aliases = embedding_aliases;
	backbone->token_embedding->optional = true;
	code = backbone_lm_head_declare(backbone, config, true, error);
	stack_declare(backbone, &backbone->t5->encoder, "encoder");
	stack_declare(backbone, &backbone->t5->decoder, "decoder");
	return code;
}

const struct architecture architecture_t5 = {
	.name = "t5",
	.class_name = "T5Model",
	.prefixes = prefixes,
	.lora_targets = lora_targets,
	.pass = &t5_pass,
	.configure = t5_configure,
};
