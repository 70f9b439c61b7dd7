/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checkpoints in the storages that they are used in: what is read as stored is
 * what the rounding of matrix.h makes of the same weights, smaller on disk, and
 * damaged ones are refused.
 */
#include "backbone/test_models.h"

#include <math.h>
#include <sys/stat.h>

#include "backbone/prune.h"
#include "backbone/stored.h"

#define TOKENS 7
#define MATRICES_MAX 32

static const char *const forms[] = {TINY_GPT2, TINY_LLAMA, TINY_OPT, TINY_T5};

static void hidden_of(struct backbone *backbone, float *hidden)
{
	const int64_t count = TOKENS * backbone_shape(backbone)->width;
	struct error error = {0};
	struct arena arena;
	struct rng rng;
	float *embeds;

	rng_seed(&rng, 8);
	arena_init(&arena);
	embeds = test_normal(count, 1, &rng);
	if (backbone_forward(backbone, &arena, embeds, 1, TOKENS, hidden, NULL, NULL, &error))
		fail_msg("%s", error.text);
	free(embeds);
	arena_free(&arena);
}

static struct backbone *open_as(const char *path, const struct backbone_options *options)
{
	struct backbone *backbone;
	struct error error = {0};

	if (backbone_open(&backbone, path, options, &error))
		fail_msg("%s %s: %s", error.file, error.field, error.text);
	return backbone;
}

static double file_bytes(const char *folder)
{
	char path[TEST_PATH_BYTES + 32];
	struct stat status;

	snprintf(path, sizeof(path), "%s/model.safetensors", folder);
	assert_int_equal(stat(path, &status), 0);
	return (double)status.st_size;
}

/* Numbers of a row that was stored as int8: half a step off, and what 16 bits of scale cost. */
static void rows_check(const struct backbone_matrix *a, const struct backbone_matrix *b)
{
	const bool out_in = a->layout == LINEAR_OUT_IN;

	for (int64_t o = 0; o < a->out; o++) {
		float largest = 0;

		for (int64_t i = 0; i < a->in; i++)
			largest = fmaxf(largest,
					fabsf(a->value[out_in ? o * a->in + i : i * a->out + o]));
		for (int64_t i = 0; i < a->in; i++) {
			const int64_t at = out_in ? o * a->in + i : i * a->out + o;

			if (!(fabsf(a->value[at] - b->value[at]) <= 0.57f * largest / 127))
				fail_msg("%s: %g became %g", a->name, a->value[at], b->value[at]);
		}
	}
}

/* Saved whole, and saved as `type`: the second, as stored, is the first rounded on opening. */
static void stored_check(const char *config, enum matrix_type type, double tolerance)
{
	const struct backbone_options rounded = {.precision = type};
	const struct backbone_options as_stored = {.as_stored = true};
	struct backbone *whole = test_model(config, NULL, 3), *a, *b, *exact;
	const int64_t count = TOKENS * backbone_shape(whole)->width;
	enum matrix_type types[MATRICES_MAX];
	struct backbone_matrix matrices[MATRICES_MAX];
	float first[1000], second[1000], third[1000];
	char plain[TEST_PATH_BYTES], stored[TEST_PATH_BYTES];
	struct error error = {0};

	for (size_t i = 0; i < MATRICES_MAX; i++)
		types[i] = type;
	assert_true(backbone_matrices(whole, NULL) <= MATRICES_MAX && count <= 1000);
	test_path(plain, "plain");
	test_path(stored, "stored");
	if (backbone_save(whole, plain, &error) ||
	    backbone_save_stored(whole, types, stored, &error))
		fail_msg("%s", error.text);
	a = open_as(plain, &rounded);
	b = open_as(stored, &as_stored);
	exact = open_as(stored, NULL);
	for (size_t i = 0; i < backbone_matrices(b, matrices); i++)
		assert_int_equal(matrices[i].type, type);
	if (type == MATRIX_INT8) {
		struct backbone_matrix read[MATRICES_MAX];

		backbone_matrices(whole, matrices);
		for (size_t i = 0; i < backbone_matrices(exact, read); i++)
			rows_check(&matrices[i], &read[i]);
	}
	hidden_of(a, first);
	hidden_of(b, second);
	hidden_of(exact, third);
	for (int64_t i = 0; i < count; i++)
		if (!(fabsf(first[i] - second[i]) <= tolerance &&
		      fabsf(second[i] - third[i]) <= 5 * tolerance + 1e-3))
			fail_msg("element %d: %g, %g, %g", (int)i, first[i], second[i], third[i]);
	assert_true(file_bytes(stored) < file_bytes(plain));
	backbone_close(whole);
	backbone_close(a);
	backbone_close(b);
	backbone_close(exact);
}

static void stored_is_rounded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		stored_check(forms[i], MATRIX_BF16, 1e-4); /* products in another order */
		stored_check(forms[i], MATRIX_INT4, 1e-4);
		stored_check(forms[i], MATRIX_INT8, 2e-2); /* scales of 16 bits */
	}
}

static void damage_and_wrong_uses_are_refused(void **state)
{
	const struct backbone_options trains = {.as_stored = true, .trainable = true};
	struct backbone *backbone = test_model(TINY_GPT2, NULL, 1), *again;
	enum matrix_type types[MATRICES_MAX] = {MATRIX_INT8, MATRIX_INT4};
	struct error error = {0};
	char path[TEST_PATH_BYTES];

	(void)state;
	test_path(path, "mixed");
	assert_int_equal(backbone_save_stored(backbone, types, path, &error), 0);
	assert_int_equal(backbone_open(&again, path, &trains, &error), ERR_UNSUPPORTED);
	again = open_as(path, &(struct backbone_options){.as_stored = true});
	assert_int_equal(backbone_save(again, path, &error), ERR_UNSUPPORTED);
	assert_int_equal(backbone_save_stored(again, types, path, &error), ERR_UNSUPPORTED);
	backbone_close(again);
	types[2] = MATRIX_F16;
	assert_int_equal(backbone_save_stored(backbone, types, path, &error), ERR_UNSUPPORTED);
	backbone_close(backbone);
	test_path(path, "mixed/config.json");
	assert_int_equal(file_write_all(path, TINY_LLAMA, strlen(TINY_LLAMA), NULL), 0);
	test_path(path, "mixed");
	assert_int_equal(backbone_open(&again, path, NULL, &error), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stored_is_rounded),
		cmocka_unit_test(damage_and_wrong_uses_are_refused),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
