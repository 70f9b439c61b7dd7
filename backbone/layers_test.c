/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Layers one by one: run after each other they are the model, and the product
 * with the transpose is that of the Jacobian found by differences, column by
 * column.
 */
#include "backbone/layers.h"

#include <math.h>

#include "backbone/test_models.h"

#define TOKENS 3
#define STEP 2e-3f

static const char *const configs[] = {TINY_GPT2, TINY_LLAMA, TINY_OPT, TINY_OPT350};

struct fixture {
	struct backbone *backbone;
	struct arena arena;
	int64_t width, inner, floats; /* floats: of a stream */
	float *embeds, *in, *out;
};

static void fixture_make(struct fixture *fixture, const char *config, int64_t batch, int64_t stop)
{
	const struct backbone_options options = {.stop_layer = stop};
	const struct lora_options lora = {.rank = 3, .alpha = 12};
	struct error error = {0};
	struct rng rng;

	rng_seed(&rng, 21);
	fixture->backbone = test_model(config, &options, 21);
	if (backbone_lora_new(fixture->backbone, &lora, &rng, &error))
		fail_msg("%s", error.text);
	test_adapter_stir(fixture->backbone, &rng);
	arena_init(&fixture->arena);
	fixture->width = backbone_shape(fixture->backbone)->width;
	fixture->inner = backbone_shape(fixture->backbone)->inner_width;
	fixture->floats = batch * TOKENS * fixture->inner;
	fixture->embeds = test_normal(batch * TOKENS * fixture->width, 1, &rng);
	fixture->in = calloc((size_t)fixture->floats, sizeof(float));
	fixture->out = calloc((size_t)fixture->floats, sizeof(float));
	if (backbone_layer_input(fixture->backbone, &fixture->arena, fixture->embeds, batch,
				 TOKENS, fixture->in, &error))
		fail_msg("%s", error.text);
}

static void fixture_free(struct fixture *fixture)
{
	free(fixture->embeds);
	free(fixture->in);
	free(fixture->out);
	arena_free(&fixture->arena);
	backbone_close(fixture->backbone);
}

/* OPT-350M has no final norm: layers after each other, mapped out, are its hidden states. */
static void layers_in_a_row_are_the_model(void **state)
{
	struct fixture fixture;
	float *hidden;

	(void)state;
	fixture_make(&fixture,
		     "{" TINY_OPT_SIZES ", \"_remove_final_layer_norm\": true}", 2, 0);
	hidden = calloc((size_t)fixture.floats, sizeof(float));
	assert_int_equal(backbone_layer_count(fixture.backbone), 2);
	for (int64_t layer = 0; layer < 2; layer++) {
		assert_int_equal(backbone_layer_forward(fixture.backbone, &fixture.arena, layer,
							fixture.in, 2, TOKENS, fixture.out, NULL),
				 0);
		memcpy(fixture.in, fixture.out, (size_t)fixture.floats * sizeof(float));
	}
	assert_int_equal(backbone_forward(fixture.backbone, &fixture.arena, fixture.embeds, 2,
					  TOKENS, hidden, NULL, NULL, NULL),
			 0);
	for (int64_t i = 0; i < fixture.floats; i++)
		assert_true(fabsf(hidden[i] - fixture.out[i]) < 1e-5f);
	free(hidden);
	fixture_free(&fixture);
}

/* Column `column` of the Jacobian at in, by a central difference. */
static void column_of(struct fixture *fixture, int64_t layer, int64_t column, float *slope)
{
	const float kept = fixture->in[column];
	float *below = calloc((size_t)fixture->floats, sizeof(float));

	fixture->in[column] = kept + STEP;
	assert_int_equal(backbone_layer_forward(fixture->backbone, &fixture->arena, layer,
						fixture->in, 1, TOKENS, slope, NULL),
			 0);
	fixture->in[column] = kept - STEP;
	assert_int_equal(backbone_layer_forward(fixture->backbone, &fixture->arena, layer,
						fixture->in, 1, TOKENS, below, NULL),
			 0);
	fixture->in[column] = kept;
	for (int64_t i = 0; i < fixture->floats; i++)
		slope[i] = (slope[i] - below[i]) / (2 * STEP);
	free(below);
}

static void the_transpose_is_that_of_the_jacobian(void **state)
{
	(void)state;
	for (size_t c = 0; c < sizeof(configs) / sizeof(configs[0]); c++) {
		struct fixture fixture;
		struct rng rng;
		float *out, *in, *slope;
		double worst = 0, norm = 0;

		fixture_make(&fixture, configs[c], 1, 0);
		rng_seed(&rng, 5);
		out = test_normal(fixture.floats, 1, &rng);
		in = calloc((size_t)fixture.floats, sizeof(float));
		slope = calloc((size_t)fixture.floats, sizeof(float));
		assert_int_equal(backbone_layer_backward(fixture.backbone, &fixture.arena, 1,
							 fixture.in, 1, TOKENS, out, in, NULL),
				 0);
		for (int64_t column = 0; column < fixture.floats; column++) {
			double product = 0;

			column_of(&fixture, 1, column, slope);
			for (int64_t i = 0; i < fixture.floats; i++)
				product += (double)slope[i] * out[i];
			worst = fmax(worst, fabs(product - in[column]));
			norm = fmax(norm, fabs(product));
		}
		/* ReLU has kinks: a difference across one is off by a little. */
		assert_true(worst < (c < 2 ? 2e-3 : 2e-2) * norm);
		free(out);
		free(in);
		free(slope);
		fixture_free(&fixture);
	}
}

static void what_is_no_decoder_says_so(void **state)
{
	struct fixture fixture;
	struct backbone *t5;
	struct error error = {0};
	float x[8];

	(void)state;
	fixture_make(&fixture, TINY_GPT2, 1, 1);
	assert_int_equal(backbone_layer_count(fixture.backbone), 1);
	assert_int_equal(backbone_layer_forward(fixture.backbone, &fixture.arena, 1, fixture.in, 1,
						TOKENS, fixture.out, &error),
			 ERR_RANGE);
	t5 = test_model(TINY_T5, NULL, 1);
	assert_int_equal(backbone_layer_forward(t5, &fixture.arena, 0, x, 1, 1, x, &error),
			 ERR_UNSUPPORTED);
	backbone_close(t5);
	fixture_free(&fixture);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layers_in_a_row_are_the_model),
		cmocka_unit_test(the_transpose_is_that_of_the_jacobian),
		cmocka_unit_test(what_is_no_decoder_says_so),
	};

	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
