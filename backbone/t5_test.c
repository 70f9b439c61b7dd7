/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What T5 alone has: buckets of distances, two forms of sight, names of the
 * same table, a decoder that may be left out.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "backbone/t5.h"
#include "base/safetensors.h"

#define TOKENS 75
#define WIDTH 20

struct pass {
	struct arena arena;
	struct rng rng;
	float *embeds, *hidden, *again;
};

static void pass_make(struct pass *pass)
{
	rng_seed(&pass->rng, 3);
	arena_init(&pass->arena);
	pass->embeds = test_normal(TOKENS * WIDTH, 1, &pass->rng);
	pass->hidden = calloc(TOKENS * WIDTH, sizeof(float));
	pass->again = calloc(TOKENS * WIDTH, sizeof(float));
}

static void pass_free(struct pass *pass)
{
	arena_free(&pass->arena);
	free(pass->embeds);
	free(pass->hidden);
	free(pass->again);
}

static void run(const struct backbone *backbone, struct pass *pass, float *hidden)
{
	struct error error = {0};

	if (backbone_forward(backbone, &pass->arena, pass->embeds, 1, TOKENS, hidden, NULL, NULL,
			     &error))
		fail_msg("%s", error.text);
}

/* Largest difference over tokens [first, last). */
static double difference(const struct pass *pass, int64_t first, int64_t last)
{
	double largest = 0;

	for (int64_t i = first * WIDTH; i < last * WIDTH; i++)
		if (!(fabs((double)pass->hidden[i] - pass->again[i]) <= largest))
			largest = fabs((double)pass->hidden[i] - pass->again[i]);
	return largest;
}

/* Worked out from the published rule, 32 buckets up to a distance of 128. */
static void buckets_follow_the_rule(void **state)
{
	static const struct {
		bool two_sided;
		int64_t distance, wanted;
	} rows[] = {
		{true, 0, 0},      {true, -1, 1},     {true, -7, 7},     {true, -8, 8},
		{true, -15, 9},    {true, -16, 10},   {true, -31, 11},   {true, -32, 12},
		{true, -64, 14},   {true, -127, 15},  {true, -128, 15},  {true, -100000, 15},
		{true, 1, 17},     {true, 7, 23},     {true, 8, 24},     {true, 16, 26},
		{true, 5000, 31},  {false, 0, 0},     {false, 5, 0},     {false, -15, 15},
		{false, -16, 16},  {false, -18, 16},  {false, -19, 17},  {false, -32, 21},
		{false, -64, 26},  {false, -127, 31}, {false, -128, 31}, {false, -9999, 31},
	};
	const struct t5 t5 = {.buckets = 32, .max_distance = 128};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(t5_bucket(&t5, rows[i].two_sided, rows[i].distance),
				 rows[i].wanted);
}

/* A later token changes nothing before it; in the form T5 was trained in, it does. */
static void only_the_trained_form_looks_ahead(void **state)
{
	for (int form = 0; form < 6; form++) {
		const struct backbone_options options = {
			.bidirectional = form % 2,
			.decoder_input = (enum backbone_decoder_input)(form / 2)};
		struct backbone *backbone = test_model(TINY_T5_V11, &options, 1);
		struct pass pass;

		(void)state;
		pass_make(&pass);
		run(backbone, &pass, pass.hidden);
		pass.embeds[50 * WIDTH] += 5;
		run(backbone, &pass, pass.again);
		assert_true(difference(&pass, 50, TOKENS) > 1e-2);
		assert_int_equal(backbone_sees_both_ways(backbone), options.bidirectional);
		if (options.bidirectional)
			assert_true(difference(&pass, 0, 50) > 1e-3);
		else
			assert_true(difference(&pass, 0, 50) == 0);
		pass_free(&pass);
		backbone_close(backbone);
	}
}

/* Every form's stream: each piece is the end of the sequence as it then stands. */
static void pieces_equal_the_sequence_so_far(void **state)
{
	static const int64_t pieces[] = {66, 1, 1, 7};

	(void)state;
	for (int form = 0; form < 6; form++) {
		const struct backbone_options options = {
			.bidirectional = form % 2,
			.decoder_input = (enum backbone_decoder_input)(form / 2)};
		struct backbone *backbone = test_model(TINY_T5, &options, 1);
		struct backbone_cache *cache = NULL;
		struct pass pass;
		int64_t done = 0;

		pass_make(&pass);
		assert_int_equal(backbone_cache_new(backbone, TOKENS, &cache, NULL), 0);
		for (size_t i = 0; i < 4; i++) {
			const int64_t end = done + pieces[i];

			assert_int_equal(backbone_extend(backbone, &pass.arena, cache,
							 pass.embeds + done * WIDTH, pieces[i],
							 pass.again + done * WIDTH, NULL), 0);
			assert_int_equal(backbone_forward(backbone, &pass.arena, pass.embeds, 1,
							  end, pass.hidden, NULL, NULL, NULL), 0);
			assert_true(difference(&pass, done, end) < 2e-5);
			done = end;
		}
		backbone_cache_free(cache);
		pass_free(&pass);
		backbone_close(backbone);
	}
}

/* Writes the saved model again, its token table under `name`, the decoder's tensors left out. */
static void encoder_write(const char *name)
{
	struct safetensors file;
	struct safetensors_item items[64];
	size_t count = 0;
	char path[TEST_PATH_BYTES], to[TEST_PATH_BYTES];

	snprintf(path, sizeof(path), "%s/model.safetensors", test_folder);
	snprintf(to, sizeof(to), "%s/changed.safetensors", test_folder);
	assert_int_equal(safetensors_open(&file, path, NULL), 0);
	assert_true(file.count < 60);
	for (size_t i = 0; i < file.count; i++) {
		const struct safetensors_entry *entry = &file.entries[i];
		const bool table = strstr(entry->name, "shared") || strstr(entry->name, "embed");

		if (strncmp(entry->name, "decoder.", 8) == 0 && !table)
			continue;
		items[count] = (struct safetensors_item){.name = table ? name : entry->name,
							 .dtype = entry->dtype,
							 .dims = entry->dims,
							 .data = entry->data};
		memcpy(items[count++].shape, entry->shape, sizeof(entry->shape));
	}
	assert_int_equal(safetensors_write(to, items, count, NULL, NULL), 0);
	safetensors_close(&file);
	assert_int_equal(rename(to, path), 0);
}

static void encoders_alone_are_read(void **state)
{
	static const char *const names[] = {"shared.weight", "encoder.embed_tokens.weight",
					    "decoder.embed_tokens.weight"};
	const struct backbone_options options = {.decoder_input = DECODER_ABSENT};
	struct backbone *backbone = test_model(TINY_T5, &options, 1), *read = NULL;
	struct error error = {0};
	struct pass pass;

	(void)state;
	pass_make(&pass);
	run(backbone, &pass, pass.hidden);
	assert_int_equal(backbone_save(backbone, test_folder, &error), 0);
	for (size_t i = 0; i < 3; i++) {
		encoder_write(names[i]);
		assert_int_equal(backbone_open(&read, test_folder, NULL, &error), ERR_INVALID);
		assert_non_null(strstr(error.field, "decoder."));
		error_clear(&error);
		if (backbone_open(&read, test_folder, &options, &error))
			fail_msg("%s", error.text);
		run(read, &pass, pass.again);
		assert_true(difference(&pass, 0, TOKENS) == 0);
		assert_memory_equal(backbone_token_embedding(read)->value,
				    backbone_token_embedding(backbone)->value,
				    11 * WIDTH * sizeof(float));
		backbone_close(read);
	}
	pass_free(&pass);
	backbone_close(backbone);
}

/* Both stacks stop; what is not run has no gradient. */
static void stopping_stops_both(void **state)
{
	const struct backbone_options stop = {.stop_layer = 1, .trainable = true};
	const struct backbone_options late = {.stop_layer = 3};
	struct backbone *full = test_model(TINY_T5, NULL, 1);
	struct backbone *stopped = test_model(TINY_T5, &stop, 1), *refused = NULL;
	const struct backbone_param *params;
	struct pass pass;

	(void)state;
	pass_make(&pass);
	run(full, &pass, pass.hidden);
	run(stopped, &pass, pass.again);
	assert_true(difference(&pass, 0, TOKENS) > 1e-2);
	assert_int_equal(backbone_params(stopped, &params), 8 + 13 + 4);
	assert_int_equal(backbone_random(&refused, test_folder, &late, &pass.rng, NULL),
			 ERR_RANGE);
	pass_free(&pass);
	backbone_close(full);
	backbone_close(stopped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_follow_the_rule),
		cmocka_unit_test(only_the_trained_form_looks_ahead),
		cmocka_unit_test(pieces_equal_the_sequence_so_far),
		cmocka_unit_test(encoders_alone_are_read),
		cmocka_unit_test(stopping_stops_both),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
