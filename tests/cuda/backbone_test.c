/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole backbones on the CUDA device beside the CPU: forward, backward, cache,
 * adapters loaded, folded in and exchanged, dropout.
 *
 * With f32 weights both compute the same sums in another order; with bf16
 * weights every input of a product is rounded to 8 bits on the way.
 */
#include "tests/cuda/compare.h"

#include <unistd.h>

#include "backbone/backbone.h"
#include "backbone/test_kinks.h"
#include "base/file.h"
#include "base/test_folder.h"

#define F32_TOLERANCE 1e-4
#define BF16_TOLERANCE 5e-2
#define INTEGER_TOLERANCE 1e-3 /* with such weights the CPU may round activations, to 16 bits */

struct model {
	const char *name, *config;
	const char *targets[8];
	int64_t batch, tokens;
};

static const struct model models[] = {
	{"tiny gpt2",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 20, \"n_head\": 4, "
	 "\"vocab_size\": 11, \"n_positions\": 90, \"n_inner\": 36, "
	 "\"initializer_range\": 0.3}",
	 {"c_attn", "c_proj", "c_fc"}, 2, 83},
	{"tiny llama",
	 "{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 24, "
	 "\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 28, "
	 "\"vocab_size\": 11, \"max_position_embeddings\": 90, \"initializer_range\": 0.3, "
	 "\"attention_bias\": true}",
	 {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}, 2, 83},
	{"tiny opt",
	 "{\"model_type\": \"opt\", \"num_hidden_layers\": 2, \"hidden_size\": 24, "
	 "\"num_attention_heads\": 4, \"ffn_dim\": 36, \"vocab_size\": 11, "
	 "\"max_position_embeddings\": 90, \"word_embed_proj_dim\": 24, \"init_std\": 0.3}",
	 {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"}, 2, 83},
	{"GPT-2 124 M",
	 "{\"model_type\": \"gpt2\", \"n_layer\": 12, \"n_embd\": 768, \"n_head\": 12, "
	 "\"vocab_size\": 8, \"n_positions\": 1024}",
	 {"c_attn"}, 1, 180},
};

static void must(int code, const struct error *error)
{
	if (!code)
		return;
	fprintf(stderr, "cuda_backbone_test: %s\n", error->text);
	exit(1);
}

static struct backbone *model_make(const struct model *model, enum matrix_type precision)
{
	char path[TEST_PATH_BYTES];
	const struct backbone_options options = {.precision = precision};
	struct backbone *backbone = NULL;
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 1);
	if (test_folder_make())
		exit(1);
	test_path(path, "config.json");
	must(file_write_all(path, model->config, strlen(model->config), &error), &error);
	must(backbone_random(&backbone, test_folder, &options, &rng, &error), &error);
	test_folder_remove();
	test_kinks_avoid(backbone);
	return backbone;
}

static void adapter_make(struct backbone *backbone, const struct model *model, double dropout)
{
	const struct lora_options lora = {.rank = 4, .alpha = 8, .dropout = dropout,
					  .targets = model->targets};
	const struct backbone_param *params;
	struct error error = {0};
	struct rng rng;
	size_t count;

	rng_seed(&rng, 2);
	must(backbone_lora_new(backbone, &lora, &rng, &error), &error);
	count = backbone_params(backbone, &params);
	for (size_t i = 0; i < count; i++)
		for (int64_t j = 0; j < params[i].count; j++)
			params[i].value[j] += (float)(0.1 * rng_normal(&rng));
}

/* All gradients one after another, zeroed in the backbone. */
static float *gradients_take(struct backbone *backbone, int64_t *count)
{
	const struct backbone_param *params;
	const size_t arrays = backbone_params(backbone, &params);
	float *all;

	*count = 0;
	for (size_t i = 0; i < arrays; i++)
		*count += params[i].count;
	all = floats_zero(*count);
	*count = 0;
	for (size_t i = 0; i < arrays; i++) {
		memcpy(all + *count, params[i].gradient,
		       (size_t)params[i].count * sizeof(float));
		*count += params[i].count;
	}
	backbone_zero_gradients(backbone);
	return all;
}

struct passes {
	int64_t rows, width, parameters;
	float *hidden, *d_embeds, *gradients; /* gradients of two backwards added up */
};

static struct passes passes_run(struct backbone *backbone, const struct model *model,
				const float *embeds, const float *d_hidden)
{
	const int64_t rows = model->batch * model->tokens, width = backbone_shape(backbone)->width;
	struct passes passes = {.rows = rows, .width = width,
				.hidden = floats_zero(rows * width),
				.d_embeds = floats_zero(rows * width)};
	struct error error = {0};
	struct arena arena;

	arena_init(&arena);
	backbone_zero_gradients(backbone);
	for (int round = 0; round < 2; round++) {
		struct backbone_tape *tape = NULL;

		must(backbone_forward(backbone, &arena, embeds, model->batch, model->tokens,
				      passes.hidden, &tape, NULL, &error), &error);
		must(backbone_backward(backbone, &arena, tape, d_hidden, passes.d_embeds, &error),
		     &error);
		arena_reset(&arena);
	}
	passes.gradients = gradients_take(backbone, &passes.parameters);
	arena_free(&arena);
	return passes;
}

static void passes_free(struct passes *passes)
{
	free(passes->hidden);
	free(passes->d_embeds);
	free(passes->gradients);
}

static void line(const char *model, const char *device, const char *what, const float *got,
		 const float *want, int64_t count, double tolerance)
{
	char name[128];

	snprintf(name, sizeof(name), "%s on %s: %s", model, device, what);
	compare(name, got, want, count, tolerance);
}

/* The first sequence behind a cache, in growing pieces; then the last tokens again. */
static void stream_compare(struct backbone *backbone, const struct model *model,
			   const char *device, const float *embeds, const float *want,
			   const char *what, double tolerance)
{
	const int64_t width = backbone_shape(backbone)->width;
	float *hidden = floats_zero(model->tokens * width);
	struct backbone_cache *cache = NULL;
	struct error error = {0};
	struct arena arena;

	arena_init(&arena);
	must(backbone_cache_new(backbone, model->tokens, &cache, &error), &error);
	for (int64_t done = 0, piece = 1; done < model->tokens; done += piece, piece++) {
		if (piece > model->tokens - done)
			piece = model->tokens - done;
		must(backbone_extend(backbone, &arena, cache, embeds + done * width, piece,
				     hidden + done * width, &error), &error);
	}
	backbone_cache_truncate(cache, model->tokens - 9);
	memset(hidden + (model->tokens - 9) * width, 0, (size_t)(9 * width) * sizeof(float));
	must(backbone_extend(backbone, &arena, cache, embeds + (model->tokens - 9) * width, 9,
			     hidden + (model->tokens - 9) * width, &error), &error);
	line(model->name, device, what, hidden, want, model->tokens * width, tolerance);
	backbone_cache_free(cache);
	arena_free(&arena);
	free(hidden);
}

/* A tape of a call before the last is refused, and so is one number of tokens too many. */
static void refusals_check(struct backbone *backbone, const struct model *model,
			   const float *embeds, float *hidden)
{
	struct backbone_tape *old = NULL, *tape = NULL;
	struct error error = {0};
	struct arena arena;

	arena_init(&arena);
	must(backbone_forward(backbone, &arena, embeds, model->batch, model->tokens, hidden, &old,
			      NULL, &error), &error);
	must(backbone_forward(backbone, &arena, embeds, model->batch, model->tokens, hidden, &tape,
			      NULL, &error), &error);
	if (backbone_backward(backbone, &arena, old, hidden, NULL, &error) != ERR_INVALID) {
		printf("FAIL %s: a tape that is gone was taken\n", model->name);
		compare_failed = true;
	}
	arena_free(&arena);
}

static void model_test(const struct model *model, const char *device)
{
	const double tolerance = strcmp(device, "cuda") == 0 ? F32_TOLERANCE : BF16_TOLERANCE;
	struct backbone *backbone = model_make(model, MATRIX_F32);
	const int64_t count = model->batch * model->tokens * backbone_shape(backbone)->width;
	float *embeds = floats_normal(count), *d_hidden = floats_normal(count);
	struct passes want, got;
	struct error error = {0};

	adapter_make(backbone, model, 0);
	want = passes_run(backbone, model, embeds, d_hidden);
	must(backbone_place(backbone, device, &error), &error);
	got = passes_run(backbone, model, embeds, d_hidden);
	line(model->name, device, "forward", got.hidden, want.hidden, count, tolerance);
	line(model->name, device, "gradient of the input", got.d_embeds, want.d_embeds, count,
	     tolerance);
	line(model->name, device, "gradients of the adapter", got.gradients, want.gradients,
	     want.parameters, tolerance);
	stream_compare(backbone, model, device, embeds, want.hidden, "cache", tolerance);
	refusals_check(backbone, model, embeds, got.hidden);
	must(backbone_lora_merge(backbone, &error), &error);
	stream_compare(backbone, model, device, embeds, want.hidden, "cache, adapter folded in",
		       tolerance);
	passes_free(&got);
	got = passes_run(backbone, model, embeds, d_hidden);
	line(model->name, device, "forward, adapter folded in", got.hidden, want.hidden, count,
	     tolerance);
	passes_free(&got);
	passes_free(&want);
	backbone_close(backbone);
	free(embeds);
	free(d_hidden);
}

/* Weights that the host holds in fewer bits go over as the numbers that those mean. */
static void precision_test(const struct model *model, enum matrix_type precision,
			   const char *device, double tolerance)
{
	struct backbone *backbone = model_make(model, precision);
	const int64_t count = model->batch * model->tokens * backbone_shape(backbone)->width;
	float *embeds = floats_normal(count), *d_hidden = floats_normal(count);
	struct passes want, got;
	struct error error = {0};
	char what[64];

	adapter_make(backbone, model, 0);
	want = passes_run(backbone, model, embeds, d_hidden);
	must(backbone_place(backbone, device, &error), &error);
	got = passes_run(backbone, model, embeds, d_hidden);
	snprintf(what, sizeof(what), "forward, held as %s", matrix_type_name(precision));
	line(model->name, device, what, got.hidden, want.hidden, count, tolerance);
	passes_free(&got);
	passes_free(&want);
	backbone_close(backbone);
	free(embeds);
	free(d_hidden);
}

/* sum(d_hidden hidden), with the dropout masks of one seed. */
static double loss_of(struct backbone *backbone, const struct model *model, const float *embeds,
		      const float *d_hidden, float *d_embeds)
{
	const int64_t count = model->batch * model->tokens * backbone_shape(backbone)->width;
	float *hidden = floats_zero(count);
	struct backbone_tape *tape = NULL;
	struct error error = {0};
	struct arena arena;
	struct rng rng;
	double loss = 0;

	arena_init(&arena);
	rng_seed(&rng, 9);
	must(backbone_forward(backbone, &arena, embeds, model->batch, model->tokens, hidden, &tape,
			      &rng, &error), &error);
	for (int64_t i = 0; i < count; i++)
		loss += (double)hidden[i] * (double)d_hidden[i];
	if (d_embeds)
		must(backbone_backward(backbone, &arena, tape, d_hidden, d_embeds, &error), &error);
	arena_free(&arena);
	free(hidden);
	return loss;
}

/* With dropout: the slope along adapters and input together, beside the difference quotient. */
static void dropout_test(const struct model *model)
{
	const double step = 1e-3;
	struct backbone *backbone = model_make(model, MATRIX_F32);
	const int64_t count = model->batch * model->tokens * backbone_shape(backbone)->width;
	float *embeds = floats_normal(count), *d_hidden = floats_normal(count);
	float *way = floats_normal(count), *d_embeds = floats_zero(count);
	const struct backbone_param *params;
	struct error error = {0};
	double plain, dropped, slope = 0, quotient = 0;
	size_t arrays;

	adapter_make(backbone, model, 0);
	must(backbone_place(backbone, "cuda", &error), &error);
	plain = loss_of(backbone, model, embeds, d_hidden, NULL);
	adapter_make(backbone, model, 0.4);
	arrays = backbone_params(backbone, &params);
	dropped = loss_of(backbone, model, embeds, d_hidden, d_embeds);
	for (int64_t i = 0; i < count; i++)
		slope += (double)way[i] * (double)d_embeds[i];
	for (size_t i = 0; i < arrays; i++)
		for (int64_t j = 0; j < params[i].count; j++)
			slope += (j % 2 ? 1 : -1) * (double)params[i].gradient[j];
	for (int sign = 1; sign >= -1; sign -= 2) {
		/* From the middle to one side, then from there to the other. */
		const double move = sign > 0 ? step : -2 * step;

		for (int64_t i = 0; i < count; i++)
			embeds[i] += (float)(move * (double)way[i]);
		for (size_t i = 0; i < arrays; i++)
			for (int64_t j = 0; j < params[i].count; j++)
				params[i].value[j] += (float)((j % 2 ? 1 : -1) * move);
		quotient += sign * loss_of(backbone, model, embeds, d_hidden, NULL) / (2 * step);
	}
	line(model->name, "cuda", "slope with dropout", &(float){(float)slope},
	     &(float){(float)quotient}, 1, 1e-2);
	if (plain == dropped) {
		printf("FAIL %s: dropout changes nothing\n", model->name);
		compare_failed = true;
	}
	backbone_close(backbone);
	free(embeds);
	free(d_hidden);
	free(way);
	free(d_embeds);
}

int main(void)
{
	struct backbone *probe = model_make(&models[0], MATRIX_F32);
	struct error error = {0};
	const int code = backbone_place(probe, "cuda", &error);

	if (code == ERR_UNSUPPORTED) {
		printf("SKIP everything: %s\n", error.text);
		backbone_close(probe);
		return EXIT_SKIPPED;
	}
	must(code, &error);
	printf("%s\n", backbone_device_name(probe));
	backbone_close(probe);
	for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
		model_test(&models[i], "cuda");
		model_test(&models[i], "cuda:bf16");
	}
	precision_test(&models[1], MATRIX_BF16, "cuda", F32_TOLERANCE);
	precision_test(&models[1], MATRIX_BF16, "cuda:bf16", BF16_TOLERANCE);
	precision_test(&models[0], MATRIX_BF16, "cuda:bf16", BF16_TOLERANCE);
	precision_test(&models[1], MATRIX_INT8, "cuda", INTEGER_TOLERANCE);
	precision_test(&models[0], MATRIX_INT4, "cuda", INTEGER_TOLERANCE);
	dropout_test(&models[0]);
	dropout_test(&models[1]);
	return compare_failed;
}
