/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Structured pruning: units that say nothing can go without a trace, in whole
 * passes and over a cache; weight x gradient is the slope of the loss along
 * fading a unit out; what cannot be pruned is refused.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "backbone/prune.h"
#include "backbone/test_kinks.h"

#define TOKENS 12
#define PARTS 4 /* two layers */
#define UNITS_MAX 40

static const char *const forms[] = {TINY_GPT2, TINY_LLAMA, TINY_OPT, TINY_OPT350};

/* Every input of the reader that belongs to a unit, times `factor`. */
static void unit_scale(const struct backbone_part *part, int64_t unit, float factor)
{
	for (int64_t i = unit * part->unit_inputs; i < (unit + 1) * part->unit_inputs; i++)
		for (int64_t o = 0; o < part->out; o++)
			part->weight[part->layout == LINEAR_OUT_IN ? o * part->in + i
								   : i * part->out + o] *= factor;
}

static double unit_slope(const struct backbone_part *part, int64_t unit)
{
	double sum = 0;

	for (int64_t i = unit * part->unit_inputs; i < (unit + 1) * part->unit_inputs; i++)
		for (int64_t o = 0; o < part->out; o++) {
			const int64_t at = part->layout == LINEAR_OUT_IN ? o * part->in + i
									 : i * part->out + o;

			sum += (double)part->weight[at] * part->gradient[at];
		}
	return sum;
}

static void forward(struct backbone *backbone, const float *embeds, float *hidden,
		    struct backbone_tape **tape, struct arena *arena)
{
	struct error error = {0};

	if (backbone_forward(backbone, arena, embeds, 1, TOKENS, hidden, tape, NULL, &error))
		fail_msg("%s", error.text);
}

/* The same tokens in two calls over a cache. */
static void stream(struct backbone *backbone, const float *embeds, float *hidden,
		   struct arena *arena)
{
	const int64_t width = backbone_shape(backbone)->width, first = TOKENS - 5;
	struct backbone_cache *cache;

	assert_int_equal(backbone_cache_new(backbone, TOKENS, &cache, NULL), 0);
	assert_int_equal(backbone_extend(backbone, arena, cache, embeds, first, hidden, NULL), 0);
	assert_int_equal(backbone_extend(backbone, arena, cache, embeds + first * width,
					 TOKENS - first, hidden + first * width, NULL), 0);
	backbone_cache_free(cache);
}

static void near(const float *a, const float *b, int64_t count)
{
	for (int64_t i = 0; i < count; i++)
		if (!(fabsf(a[i] - b[i]) <= 2e-5f * (1 + fabsf(a[i]))))
			fail_msg("element %d: %.8g became %.8g", (int)i, a[i], b[i]);
}

/* Keeps every unit but those whose number leaves rest 1 over `step`, which fall silent. */
static int64_t silence(const struct backbone_part *parts, bool keep[PARTS][UNITS_MAX])
{
	int64_t removed = 0;

	for (int p = 0; p < PARTS; p++)
		for (int64_t u = 0; u < parts[p].units; u++) {
			keep[p][u] = (u + p) % (p + 2) != 1;
			if (keep[p][u])
				continue;
			unit_scale(&parts[p], u, 0);
			removed += parts[p].unit_parameters;
		}
	return removed;
}

static void silent_units_check(const char *config)
{
	struct backbone *whole = test_model(config, NULL, 3), *pruned;
	const int64_t count = TOKENS * backbone_shape(whole)->width;
	bool keep[PARTS][UNITS_MAX];
	const bool *const kept[PARTS] = {keep[0], keep[1], keep[2], keep[3]};
	struct backbone_part parts[PARTS];
	struct error error = {0};
	struct arena arena;
	struct rng rng;
	float *embeds, *before = calloc((size_t)count, 4), *after = calloc((size_t)count, 4);
	int64_t removed, words;
	char path[TEST_PATH_BYTES];

	rng_seed(&rng, 4);
	arena_init(&arena);
	embeds = test_normal(count, 1, &rng);
	assert_int_equal(backbone_parts(whole, NULL), PARTS);
	backbone_parts(whole, parts);
	removed = silence(parts, keep);
	forward(whole, embeds, before, NULL, &arena);
	test_path(path, "pruned");
	if (backbone_prune(whole, kept, path, &error) || backbone_open(&pruned, path, NULL, &error))
		fail_msg("%s", error.text);
	words = backbone_token_embedding(whole)->count;
	assert_int_equal(backbone_shape(pruned)->parameters,
			 backbone_shape(whole)->parameters - words - removed);
	forward(pruned, embeds, after, NULL, &arena);
	near(before, after, count);
	stream(pruned, embeds, after, &arena);
	near(before, after, count);
	free(embeds);
	free(before);
	free(after);
	backbone_close(whole);
	backbone_close(pruned);
	arena_free(&arena);
}

static void silent_units_go_without_a_trace(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		silent_units_check(forms[i]);
}

/* loss = sum of slope x hidden, after one forward pass; with gradients when `backward`. */
static double loss(struct backbone *backbone, const float *embeds, const float *slope,
		   struct arena *arena, bool backward)
{
	const int64_t count = TOKENS * backbone_shape(backbone)->width;
	float *hidden = calloc((size_t)count, sizeof(*hidden));
	struct backbone_tape *tape = NULL;
	double sum = 0;

	forward(backbone, embeds, hidden, backward ? &tape : NULL, arena);
	for (int64_t i = 0; i < count; i++)
		sum += (double)hidden[i] * slope[i];
	if (backward)
		assert_int_equal(backbone_backward(backbone, arena, tape, slope, NULL, NULL), 0);
	free(hidden);
	return sum;
}

/*
 * Fading a unit out by a share e changes the loss by -e times weight x gradient, and
 * so it does in a pruned backbone, whose layers differ.
 */
static void slopes_check(struct backbone *backbone)
{
	const int64_t count = TOKENS * backbone_shape(backbone)->width;
	const float share = 0.01f;
	struct backbone_part parts[PARTS];
	struct arena arena;
	struct rng rng;
	float *embeds, *slope;

	rng_seed(&rng, 6);
	arena_init(&arena);
	embeds = test_normal(count, 1, &rng);
	slope = test_normal(count, 1, &rng);
	backbone_zero_gradients(backbone);
	backbone_parts(backbone, parts);
	loss(backbone, embeds, slope, &arena, true);
	for (int p = 0; p < PARTS; p++)
		for (int64_t u = 0; u < parts[p].units; u++) {
			const double expected = unit_slope(&parts[p], u);
			double above, below;

			unit_scale(&parts[p], u, 1 + share);
			above = loss(backbone, embeds, slope, &arena, false);
			unit_scale(&parts[p], u, (1 - share) / (1 + share));
			below = loss(backbone, embeds, slope, &arena, false);
			unit_scale(&parts[p], u, 1 / (1 - share));
			if (!(fabs((above - below) / (2 * (double)share) - expected) <=
			      0.01 * fabs(expected) + 0.03))
				fail_msg("part %d unit %d: %g, expected %g", p, (int)u,
					 (above - below) / (2 * (double)share), expected);
		}
	free(embeds);
	free(slope);
	arena_free(&arena);
}

static void weight_times_gradient_is_the_slope_of_fading_out(void **state)
{
	static const bool first[UNITS_MAX] = {true, false, true, true}, all[UNITS_MAX] = {
		true, true, true, true, true, true, true, true, true, true, true};
	static const bool *const keep[PARTS] = {first, all, all, first};
	const struct backbone_options options = {.trainable = true};

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct backbone *backbone = test_model(forms[i], &options, 5), *pruned;
		char path[TEST_PATH_BYTES];

		test_kinks_avoid(backbone);
		slopes_check(backbone);
		test_path(path, "pruned");
		assert_int_equal(backbone_prune(backbone, keep, path, NULL), 0);
		assert_int_equal(backbone_open(&pruned, path, &options, NULL), 0);
		slopes_check(pruned);
		backbone_close(backbone);
		backbone_close(pruned);
	}
}

static void what_cannot_be_pruned_is_refused(void **state)
{
	static const bool none[UNITS_MAX], all[UNITS_MAX] = {true, true, true, true};
	static const bool *const keep[PARTS] = {all, none, all, all};
	struct backbone *backbone = test_model(TINY_GPT2, NULL, 1);
	struct error error = {0};
	char path[TEST_PATH_BYTES];

	(void)state;
	test_path(path, "none");
	assert_int_equal(backbone_prune(backbone, keep, path, &error), ERR_INVALID);
	assert_false(file_exists(path));
	backbone_close(backbone);
	backbone = test_model(TINY_T5, NULL, 1);
	assert_int_equal(backbone_parts(backbone, NULL), 0);
	assert_int_equal(backbone_prune(backbone, keep, path, &error), ERR_UNSUPPORTED);
	backbone_close(backbone);
}

static void lists_of_counts_are_checked(void **state)
{
	static const struct {
		const char *config;
		int code;
	} cases[] = {
		{"{" TINY_OPT_SIZES ", \"layer_heads\": [4]}", ERR_INVALID},
		{"{" TINY_OPT_SIZES ", \"layer_heads\": 4}", ERR_INVALID},
		{"{" TINY_OPT_SIZES ", \"layer_heads\": [4, 5]}", ERR_RANGE},
		{"{" TINY_OPT_SIZES ", \"layer_heads\": [0, 4]}", ERR_RANGE},
		{"{" TINY_OPT_SIZES ", \"layer_ffn_widths\": [1, \"2\"]}", ERR_RANGE},
		{"{" TINY_OPT_SIZES ", \"layer_ffn_widths\": [1, 29]}", ERR_RANGE},
		{"{" TINY_T5_SIZES ", \"layer_ffn_widths\": [1]}", ERR_UNSUPPORTED},
	};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct backbone *backbone;
		struct error error = {0};

		test_file_write("config.json", cases[i].config);
		assert_int_equal(backbone_random(&backbone, test_folder, NULL, &rng, &error),
				 cases[i].code);
		assert_non_null(strstr(error.field, "layer_"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_units_go_without_a_trace),
		cmocka_unit_test(weight_times_gradient_is_the_slope_of_fading_out),
		cmocka_unit_test(what_cannot_be_pruned_is_refused),
		cmocka_unit_test(lists_of_counts_are_checked),
	};

	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
