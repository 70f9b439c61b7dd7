/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws of generation: logits are those of a plain forward pass times the head,
 * however the tokens come; the likeliest token wins; a model without an end is
 * refused.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "backbone/generate.h"

#define TOKENS 12

static void expect(const struct backbone *backbone, const int32_t *tokens, int64_t count,
		   float *logits)
{
	const struct backbone_param *embedding = backbone_token_embedding(backbone);
	const struct backbone_param *head = backbone_lm_head(backbone);
	const int64_t width = embedding->shape[1];
	float *embeds = malloc((size_t)(count * width) * sizeof(float));
	float *hidden = malloc((size_t)(count * width) * sizeof(float));
	struct arena arena;

	arena_init(&arena);
	for (int64_t i = 0; i < count; i++)
		memcpy(embeds + i * width, embedding->value + tokens[i] * width,
		       (size_t)width * sizeof(float));
	assert_int_equal(backbone_forward(backbone, &arena, embeds, 1, count, hidden, NULL, NULL,
					  NULL), 0);
	for (int64_t v = 0; v < head->shape[0]; v++) {
		double sum = 0;

		for (int64_t i = 0; i < width; i++)
			sum += (double)hidden[(count - 1) * width + i] *
			       (double)head->value[v * width + i];
		logits[v] = (float)sum;
	}
	free(embeds);
	free(hidden);
	arena_free(&arena);
}

static void compare(const struct generator *generator, const float *want)
{
	int32_t best = 0;

	for (int32_t v = 0; v < generator->head->shape[0]; v++) {
		assert_true(fabsf(generator->logits[v] - want[v]) < 1e-4f);
		best = generator->logits[v] > generator->logits[best] ? v : best;
	}
	assert_int_equal(generator_best(generator), best);
}

static void logits_are_right(void **state)
{
	static const char *const models[] = {TINY_GPT2, TINY_LLAMA};
	const struct backbone_options options = {.lm_head = true};
	int32_t tokens[TOKENS];

	(void)state;
	for (int i = 0; i < TOKENS; i++)
		tokens[i] = (i * 7 + 3) % 11;
	for (size_t m = 0; m < 2; m++) {
		struct backbone *backbone = test_model(models[m], &options, 5);
		struct generator generator;
		float want[16];

		assert_int_equal(generator_new(&generator, backbone, TOKENS, NULL), 0);
		expect(backbone, tokens, TOKENS, want);
		assert_int_equal(generator_feed(&generator, tokens, TOKENS, NULL), 0);
		compare(&generator, want);
		generator_restart(&generator);
		for (int i = 0; i < TOKENS; i++)
			assert_int_equal(generator_feed(&generator, tokens + i, 1, NULL), 0);
		compare(&generator, want);
		assert_int_equal(generator_feed(&generator, tokens, 1, NULL), ERR_RANGE);
		generator_restart(&generator);
		assert_int_equal(generator_feed(&generator, tokens, 3, NULL), 0);
		expect(backbone, tokens, 3, want);
		compare(&generator, want);
		assert_int_equal(generator_feed(&generator, tokens, 0, NULL), ERR_RANGE);
		generator_free(&generator);
		backbone_close(backbone);
	}
}

static void no_head(void **state)
{
	struct backbone *backbone = test_model(TINY_LLAMA, NULL, 5);
	struct generator generator;
	struct error error = {0};

	(void)state;
	assert_int_equal(generator_new(&generator, backbone, TOKENS, &error), ERR_UNSUPPORTED);
	assert_non_null(strstr(error.text, "no language-model head"));
	backbone_close(backbone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logits_are_right),
		cmocka_unit_test(no_head),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
