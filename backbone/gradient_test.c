/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backward of whole models against numerical derivatives.
 *
 * For each array of parameters, and for the input, a random direction v is
 * drawn; the derivative of a random linear function of the output along v,
 * taken by a central difference, must be the product of v and the gradient.
 * Products are run by the reference, so that rounding stays small.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "backbone/test_kinks.h"
#include "tensor/gemm.h"

#define BATCH 2
#define TOKENS 70 /* more than a block of attention */
#define FEW_TOKENS 20
#define STEP 2e-3

struct probe {
	struct backbone *backbone;
	struct arena arena;
	float *embeds, *hidden, *slope; /* loss = sum of slope x hidden */
	int64_t tokens, count;
	bool dropout;
	double tolerance; /* in terms of what a product is worth on average */
};

/* What is checked: a configuration with its options, and how many arrays that trains. */
struct form {
	const char *config;
	struct backbone_options options;
	const char *const *targets;
	double dropout, tolerance;
	size_t params;
	bool few_tokens; /* for a form whose attention is checked elsewhere */
};

static const char *const gpt2_targets[] = {"c_attn", "attn.c_proj", "c_fc", "mlp.c_proj", NULL};
static const char *const llama_targets[] = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj",
					    "up_proj", "down_proj", NULL};

static const char *const opt_targets[] = {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2",
					  NULL};
static const char *const opt_end_targets[] = {"q_proj", "k_proj", "v_proj", "out_proj", "fc1",
					      "fc2", "project_in", "project_out", NULL};

static const char *const t5_targets[] = {"q", "k", "v", "o", "wi_0", "wi_1", "wo", NULL};
static const char *const t5_plain_targets[] = {"q", "wi", "wo", NULL};

static double loss(struct probe *probe, struct backbone_tape **tape)
{
	struct rng dropout;
	struct error error = {0};
	double sum = 0;

	rng_seed(&dropout, 77);
	if (backbone_forward(probe->backbone, &probe->arena, probe->embeds, BATCH, probe->tokens,
			     probe->hidden, tape, probe->dropout ? &dropout : NULL, &error))
		fail_msg("%s", error.text);
	for (int64_t i = 0; i < probe->count; i++)
		sum += (double)probe->hidden[i] * probe->slope[i];
	return sum;
}

/* Along a random direction of length 1 in `value`. */
static void direction_check(struct probe *probe, const char *name, float *value,
			    const float *gradient, int64_t count, struct rng *rng)
{
	float *direction = test_normal(count, 1 / sqrt((double)count), rng);
	float *kept = malloc((size_t)count * sizeof(*kept));
	double product = 0, norm = 0, above, below, slope;

	memcpy(kept, value, (size_t)count * sizeof(*kept));
	for (int64_t i = 0; i < count; i++) {
		product += (double)gradient[i] * direction[i];
		norm += (double)gradient[i] * gradient[i];
		value[i] = kept[i] + (float)STEP * direction[i];
	}
	above = loss(probe, NULL);
	for (int64_t i = 0; i < count; i++)
		value[i] = kept[i] - (float)STEP * direction[i];
	below = loss(probe, NULL);
	memcpy(value, kept, (size_t)count * sizeof(*kept));
	slope = (above - below) / (2 * STEP);
	norm = sqrt(norm / (double)count); /* what a product is worth on average */
	if (!(fabs(slope - product) <= probe->tolerance * norm + 0.02))
		fail_msg("%s: difference quotient %g, gradient %g (typical %g)", name, slope,
			 product, norm);
	free(direction);
	free(kept);
}

static void probe_make(struct probe *probe, const struct form *form, struct rng *rng)
{
	const struct lora_options lora = {.rank = 3, .alpha = 6, .dropout = form->dropout,
					  .targets = form->targets};
	struct error error = {0};

	*probe = (struct probe){.backbone = test_model(form->config, &form->options, 5),
				.tokens = form->few_tokens ? FEW_TOKENS : TOKENS,
				.dropout = form->dropout > 0,
				.tolerance = form->tolerance > 0 ? form->tolerance : 0.01};
	arena_init(&probe->arena);
	if (form->targets && backbone_lora_new(probe->backbone, &lora, rng, &error))
		fail_msg("%s", error.text);
	test_adapter_stir(probe->backbone, rng);
	test_kinks_avoid(probe->backbone);
	probe->count = BATCH * probe->tokens * backbone_shape(probe->backbone)->width;
	probe->embeds = test_normal(probe->count, 1, rng);
	probe->slope = test_normal(probe->count, 1, rng);
	probe->hidden = malloc((size_t)probe->count * sizeof(float));
}

static void probe_free(struct probe *probe)
{
	backbone_close(probe->backbone);
	arena_free(&probe->arena);
	free(probe->embeds);
	free(probe->slope);
	free(probe->hidden);
}

static void backward(struct probe *probe, float *d_embeds)
{
	struct backbone_tape *tape = NULL;
	struct error error = {0};

	backbone_zero_gradients(probe->backbone);
	loss(probe, &tape);
	if (backbone_backward(probe->backbone, &probe->arena, tape, probe->slope, d_embeds,
			      &error))
		fail_msg("%s", error.text);
	arena_reset(&probe->arena);
}

static void form_check(const struct form *form)
{
	const struct backbone_param *params;
	struct probe probe;
	struct rng rng;
	float *d_embeds;
	size_t count;

	rng_seed(&rng, 9);
	gemm_reference_set(true);
	probe_make(&probe, form, &rng);
	d_embeds = malloc((size_t)probe.count * sizeof(float));
	backward(&probe, d_embeds);
	count = backbone_params(probe.backbone, &params);
	assert_int_equal(count, form->params);
	for (size_t i = 0; i < count; i++)
		direction_check(&probe, params[i].name, params[i].value, params[i].gradient,
				params[i].count, &rng);
	direction_check(&probe, "embeds", probe.embeds, d_embeds, probe.count, &rng);
	gemm_reference_set(false);
	free(d_embeds);
	probe_free(&probe);
}

static void model_check(const char *config, bool trainable, const char *const *targets,
			double dropout, size_t params)
{
	const struct form form = {.config = config, .options.trainable = trainable,
				  .targets = targets, .dropout = dropout, .params = params};

	form_check(&form);
}

static void few_check(const char *config, bool trainable, const char *const *targets,
		      double dropout, size_t params)
{
	const struct form form = {.config = config, .options.trainable = trainable,
				  .targets = targets, .dropout = dropout, .params = params,
				  .few_tokens = true};

	form_check(&form);
}

/* 12 arrays a layer, two for ln_f, one for wpe; two adapters' worth on four projections. */
static void gpt2_everything(void **state)
{
	(void)state;
	model_check(TINY_GPT2, true, gpt2_targets, 0, 2 * 12 + 3 + 2 * 8);
}

/* 9 weights and 4 biases a layer, one for the final norm. */
static void llama_everything(void **state)
{
	(void)state;
	model_check(TINY_LLAMA, true, llama_targets, 0, 2 * 13 + 1 + 2 * 14);
}

/*
 * 16 arrays a layer; the table of positions and the final norm; or, without a
 * final norm, the table and the maps at the ends; or all of them.
 */
static void opt_everything(void **state)
{
	(void)state;
	model_check(TINY_OPT, true, opt_targets, 0, 2 * 16 + 3 + 2 * 12);
	few_check(TINY_OPT350, true, opt_end_targets, 0, 2 * 16 + 3 + 2 * 12 + 4);
	few_check(TINY_OPT_WIDE, true, opt_end_targets, 0, 2 * 16 + 5 + 2 * 12 + 4);
}

/*
 * Encoder: 9 arrays a layer, 8 without a gate; decoder: 5 more; a table by
 * distance and a norm a stack.  ReLU units of T5 have no bias to be set off
 * the kink by: some of them cross it, and the bound is wider.
 */
static void t5_everything(void **state)
{
	const struct form forms[] = {
		{.config = TINY_T5_V11, .options.trainable = true, .targets = t5_targets,
		 .params = 9 + 2 * 14 + 4 + 14 + 2 * 22},
		{.config = TINY_T5_V11, .options = {.trainable = true, .bidirectional = true},
		 .params = 9 + 2 * 14 + 4, .few_tokens = true},
		{.config = TINY_T5_V11, .options.decoder_input = DECODER_READS_INPUTS,
		 .targets = t5_targets, .dropout = 0.3, .params = 14 + 2 * 22,
		 .few_tokens = true},
		{.config = TINY_T5_V11,
		 .options = {.trainable = true, .decoder_input = DECODER_ABSENT}, .params = 9 + 2,
		 .few_tokens = true},
		{.config = TINY_T5, .options.trainable = true, .targets = t5_plain_targets,
		 .params = 8 + 2 * 13 + 4 + 6 + 2 * 8, .tolerance = 0.15,
		 .few_tokens = true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		form_check(&forms[i]);
}

static void adapters_alone(void **state)
{
	(void)state;
	model_check(TINY_GPT2, false, NULL, 0, 0);
	model_check(TINY_GPT2, false, gpt2_targets, 0, 2 * 8);
	model_check(TINY_LLAMA, false, llama_targets, 0, 2 * 14);
	few_check(TINY_OPT, false, opt_targets, 0, 2 * 12);
	few_check(TINY_OPT350, false, NULL, 0, 0);
	few_check(TINY_OPT350, false, opt_end_targets, 0, 2 * 12 + 4);
}

static void adapters_with_dropout(void **state)
{
	(void)state;
	model_check(TINY_GPT2, false, gpt2_targets, 0.3, 2 * 8);
	model_check(TINY_LLAMA, false, llama_targets, 0.3, 2 * 14);
	few_check(TINY_OPT350, false, opt_end_targets, 0.3, 2 * 12 + 4);
}

/* Backward adds: twice the calls, twice the gradient.  And the fast products agree. */
static void gradients_accumulate(void **state)
{
	const struct form form = {.config = TINY_GPT2, .options.trainable = true,
				  .targets = gpt2_targets};
	const struct backbone_param *params;
	struct backbone_tape *tape = NULL;
	struct error error = {0};
	struct probe probe;
	struct rng rng;
	float first;

	(void)state;
	rng_seed(&rng, 10);
	probe_make(&probe, &form, &rng);
	backward(&probe, NULL);
	backbone_params(probe.backbone, &params);
	first = params[3].gradient[1];
	loss(&probe, &tape);
	assert_int_equal(backbone_backward(probe.backbone, &probe.arena, tape, probe.slope, NULL,
					   &error), 0);
	assert_true(fabsf(params[3].gradient[1] - 2 * first) <= 1e-5f * fabsf(first));
	gemm_reference_set(true);
	backward(&probe, NULL);
	gemm_reference_set(false);
	assert_true(fabsf(params[3].gradient[1] - first) <= 1e-3f * fabsf(first));
	probe_free(&probe);
}

/* Gradients of the parameters, one after another, then of the input; and the memory they took. */
static float *all_gradients(struct probe *probe, size_t *floats, size_t *bytes)
{
	const struct backbone_param *params;
	const size_t count = backbone_params(probe->backbone, &params);
	float *all, *d_embeds;
	size_t at = 0;

	arena_free(&probe->arena);
	*floats = (size_t)probe->count;
	for (size_t i = 0; i < count; i++)
		*floats += (size_t)params[i].count;
	all = malloc(*floats * sizeof(float));
	d_embeds = malloc((size_t)probe->count * sizeof(float));
	backward(probe, d_embeds);
	for (size_t i = 0; i < count; at += (size_t)params[i++].count)
		memcpy(all + at, params[i].gradient, (size_t)params[i].count * sizeof(float));
	memcpy(all + at, d_embeds, (size_t)probe->count * sizeof(float));
	free(d_embeds);
	*bytes = probe->arena.peak_bytes;
	return all;
}

static void checkpoint_check(const char *config, bool trainable, const char *const *targets)
{
	const struct form form = {.config = config, .options.trainable = trainable,
				  .targets = targets, .dropout = 0.3};
	size_t floats[2], bytes[2];
	struct probe probe;
	float *all[2];
	struct rng rng;

	rng_seed(&rng, 11);
	probe_make(&probe, &form, &rng);
	for (int i = 0; i < 2; i++) {
		assert_true(backbone_checkpoint_activations(probe.backbone, i));
		all[i] = all_gradients(&probe, &floats[i], &bytes[i]);
	}
	assert_int_equal(floats[0], floats[1]);
	assert_memory_equal(all[0], all[1], floats[0] * sizeof(float));
	assert_true(bytes[1] < bytes[0]);
	free(all[0]);
	free(all[1]);
	probe_free(&probe);
}

/* Layers run again, dropout and all, give the bits of layers that were kept. */
static void checkpoints_are_the_same_bits(void **state)
{
	static const char *const down[] = {"c_proj", NULL};

	(void)state;
	checkpoint_check(TINY_GPT2, true, gpt2_targets);
	checkpoint_check(TINY_GPT2, false, gpt2_targets);
	checkpoint_check(TINY_GPT2, false, down);
	checkpoint_check(TINY_GPT2, false, NULL);
	checkpoint_check(TINY_LLAMA, true, llama_targets);
	checkpoint_check(TINY_LLAMA, false, llama_targets);
	checkpoint_check(TINY_OPT, true, opt_targets);
	checkpoint_check(TINY_OPT350, true, opt_end_targets);
	checkpoint_check(TINY_OPT350, false, opt_end_targets);
	checkpoint_check(TINY_OPT_WIDE, false, opt_targets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gpt2_everything),
		cmocka_unit_test(llama_everything),
		cmocka_unit_test(opt_everything),
		cmocka_unit_test(t5_everything),
		cmocka_unit_test(adapters_alone),
		cmocka_unit_test(adapters_with_dropout),
		cmocka_unit_test(gradients_accumulate),
		cmocka_unit_test(checkpoints_are_the_same_bits),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
