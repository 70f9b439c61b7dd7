/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Backbones from end to end without any file but their own: streaming equals
 * a full window, batches equal their members, what is saved is what is read,
 * adapters travel and fold, options do what they say.
 */
#include "backbone/test_models.h"

#include <math.h>
#include <pthread.h>

#include "tensor/threads.h"

#define TOKENS 75

static const struct {
	const char *text;
	size_t adapted; /* arrays of a default adapter */
} configs[] = {
	{TINY_GPT2, 4}, {TINY_LLAMA, 8}, {TINY_OPT, 8}, {TINY_OPT350, 8}, {TINY_OPT_WIDE, 8},
	{TINY_OPT_BARE, 8}, {TINY_T5, 20}, {TINY_T5_V11, 20},
};

#define CONFIGS (sizeof(configs) / sizeof(configs[0]))

struct pass {
	struct arena arena;
	struct rng rng;
	int64_t width;
	float *embeds, *hidden, *again;
};

static void pass_make(struct pass *pass, const struct backbone *backbone, int64_t rows)
{
	pass->width = backbone_shape(backbone)->width;
	rng_seed(&pass->rng, 3);
	arena_init(&pass->arena);
	pass->embeds = test_normal(rows * pass->width, 1, &pass->rng);
	pass->hidden = calloc((size_t)(rows * pass->width), sizeof(float));
	pass->again = calloc((size_t)(rows * pass->width), sizeof(float));
}

static void pass_free(struct pass *pass)
{
	arena_free(&pass->arena);
	free(pass->embeds);
	free(pass->hidden);
	free(pass->again);
}

static void run(const struct backbone *backbone, struct pass *pass, int64_t batch, int64_t tokens,
		float *hidden)
{
	struct error error = {0};

	if (backbone_forward(backbone, &pass->arena, pass->embeds, batch, tokens, hidden, NULL,
			     NULL, &error))
		fail_msg("%s", error.text);
}

static double difference(const float *a, const float *b, int64_t count)
{
	double largest = 0;

	for (int64_t i = 0; i < count; i++)
		if (!(fabs((double)a[i] - b[i]) <= largest))
			largest = fabs((double)a[i] - b[i]);
	return largest;
}

static void extend(const struct backbone *backbone, struct pass *pass,
		   struct backbone_cache *cache, int64_t first, int64_t tokens)
{
	struct error error = {0};

	if (backbone_extend(backbone, &pass->arena, cache, pass->embeds + first * pass->width,
			    tokens, pass->again + first * pass->width, &error))
		fail_msg("%s", error.text);
}

static void cache_equals_window(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1);
		struct backbone_cache *cache = NULL;
		struct pass pass;

		pass_make(&pass, backbone, TOKENS);
		run(backbone, &pass, 1, TOKENS, pass.hidden);
		assert_int_equal(backbone_cache_new(backbone, TOKENS, &cache, NULL), 0);
		extend(backbone, &pass, cache, 0, 66);
		extend(backbone, &pass, cache, 66, 1);
		extend(backbone, &pass, cache, 67, TOKENS - 67);
		assert_int_equal(backbone_cache_tokens(cache), TOKENS);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) < 2e-5);
		assert_int_equal(backbone_extend(backbone, &pass.arena, cache, pass.embeds, 1,
						 pass.again, NULL), ERR_RANGE);
		backbone_cache_truncate(cache, 30);
		memset(pass.again, 0, (size_t)(TOKENS * pass.width) * sizeof(float));
		extend(backbone, &pass, cache, 30, TOKENS - 30);
		assert_true(difference(pass.hidden + 30 * pass.width, pass.again + 30 * pass.width,
				       (TOKENS - 30) * pass.width) < 2e-5);
		backbone_cache_free(cache);
		pass_free(&pass);
		backbone_close(backbone);
	}
}

/* Three caches of different lengths grow at once as each would alone, or none of them does. */
static void many_caches_equal_each(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1);
		struct backbone_cache *caches[3];
		struct pass pass;

		pass_make(&pass, backbone, TOKENS);
		for (int c = 0; c < 3; c++) {
			assert_int_equal(backbone_cache_new(backbone, 40, &caches[c], NULL), 0);
			extend(backbone, &pass, caches[c], 0, 11 + 7 * c);
			extend(backbone, &pass, caches[c], 40 + 9 * c, 9);
			backbone_cache_truncate(caches[c], 11 + 7 * c);
		}
		assert_int_equal(backbone_extend_many(backbone, &pass.arena, caches, 3,
						      pass.embeds + 40 * pass.width, 9,
						      pass.hidden + 40 * pass.width, NULL), 0);
		assert_true(difference(pass.hidden + 40 * pass.width, pass.again + 40 * pass.width,
				       27 * pass.width) < 2e-5);
		assert_int_equal(backbone_cache_tokens(caches[2]), 34);
		assert_int_equal(backbone_extend_many(backbone, &pass.arena, caches, 3, pass.embeds,
						      9, pass.hidden, NULL), ERR_RANGE);
		assert_int_equal(backbone_cache_tokens(caches[0]), 20);
		for (int c = 0; c < 3; c++)
			backbone_cache_free(caches[c]);
		pass_free(&pass);
		backbone_close(backbone);
	}
}

static void batch_equals_members(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1);
		struct pass pass;
		float *embeds;

		pass_make(&pass, backbone, 3 * TOKENS);
		run(backbone, &pass, 3, TOKENS, pass.hidden);
		embeds = pass.embeds;
		for (int64_t b = 0; b < 3; b++) {
			pass.embeds = embeds + b * TOKENS * pass.width;
			run(backbone, &pass, 1, TOKENS, pass.again);
			assert_true(difference(pass.hidden + b * TOKENS * pass.width, pass.again,
					       TOKENS * pass.width) < 2e-5);
		}
		pass.embeds = embeds;
		pass_free(&pass);
		backbone_close(backbone);
	}
}

/* A token's output must not depend on tokens after it. */
static void attention_is_causal(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1);
		struct pass pass;

		pass_make(&pass, backbone, TOKENS);
		run(backbone, &pass, 1, TOKENS, pass.hidden);
		pass.embeds[50 * pass.width] += 5;
		run(backbone, &pass, 1, TOKENS, pass.again);
		assert_true(difference(pass.hidden, pass.again, 50 * pass.width) == 0);
		assert_true(difference(pass.hidden + 50 * pass.width, pass.again + 50 * pass.width,
				       pass.width) > 1e-2);
		pass_free(&pass);
		backbone_close(backbone);
	}
}

static void saved_equals_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1), *read = NULL;
		char folder[TEST_PATH_BYTES];
		struct error error = {0};
		struct pass pass;

		snprintf(folder, sizeof(folder), "%s/saved%zu", test_folder, i);
		pass_make(&pass, backbone, TOKENS);
		run(backbone, &pass, 1, TOKENS, pass.hidden);
		assert_int_equal(backbone_save(backbone, folder, &error), 0);
		if (backbone_open(&read, folder, NULL, &error))
			fail_msg("%s", error.text);
		assert_memory_equal(backbone_shape(backbone), backbone_shape(read),
				    sizeof(struct backbone_shape));
		run(read, &pass, 1, TOKENS, pass.again);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) == 0);
		assert_non_null(backbone_token_embedding(read));
		pass_free(&pass);
		backbone_close(backbone);
		backbone_close(read);
	}
}

static void adapter_travels_and_folds(void **state)
{
	const struct lora_options lora = {.rank = 4, .alpha = 8, .dropout = 0.1};

	(void)state;
	for (size_t i = 0; i < CONFIGS; i++) {
		struct backbone *backbone = test_model(configs[i].text, NULL, 1);
		struct backbone *other = test_model(configs[i].text, NULL, 1);
		const struct backbone_param *params;
		char folder[TEST_PATH_BYTES];
		struct error error = {0};
		struct pass pass;

		snprintf(folder, sizeof(folder), "%s/adapter%zu", test_folder, i);
		pass_make(&pass, backbone, TOKENS);
		run(backbone, &pass, 1, TOKENS, pass.hidden);
		assert_int_equal(backbone_lora_new(backbone, &lora, &pass.rng, &error), 0);
		assert_int_equal(backbone_params(backbone, &params), configs[i].adapted);
		run(backbone, &pass, 1, TOKENS, pass.again);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) == 0);
		test_adapter_stir(backbone, &pass.rng);
		run(backbone, &pass, 1, TOKENS, pass.hidden);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) > 1e-2);
		assert_int_equal(backbone_lora_save(backbone, folder, &error), 0);
		if (backbone_lora_load(other, folder, &error))
			fail_msg("%s", error.text);
		run(other, &pass, 1, TOKENS, pass.again);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) == 0);
		assert_int_equal(backbone_lora_merge(other, &error), 0);
		assert_int_equal(backbone_params(other, &params), 0);
		run(other, &pass, 1, TOKENS, pass.again);
		assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) < 2e-5);
		pass_free(&pass);
		backbone_close(backbone);
		backbone_close(other);
	}
}

/* "all" is every projection; a name that is none is refused with those that are. */
static void targets_are_named(void **state)
{
	static const char *const all[] = {LORA_TARGETS_ALL, NULL};
	static const char *const unknown[] = {"c_fc", "k_proj", NULL};
	const struct lora_options lora = {.rank = 2, .alpha = 4, .targets = all};
	const struct lora_options none = {.rank = 2, .alpha = 4, .targets = unknown};
	struct backbone *gpt2 = test_model(TINY_GPT2, NULL, 1);
	struct backbone *llama = test_model(TINY_LLAMA, NULL, 1);
	const struct backbone_param *params;
	struct error error = {0};
	struct rng rng;
	char folder[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 64], *text;
	size_t size;

	(void)state;
	rng_seed(&rng, 1);
	assert_int_equal(backbone_lora_new(gpt2, &lora, &rng, &error), 0);
	assert_int_equal(backbone_params(gpt2, &params), 2 * 2 * 4); /* 2 layers of 4 */
	assert_int_equal(backbone_lora_new(llama, &lora, &rng, &error), 0);
	assert_int_equal(backbone_params(llama, &params), 2 * 2 * 7);
	assert_int_equal(backbone_lora_new(gpt2, &none, &rng, &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "k_proj"));
	assert_non_null(strstr(error.text, "c_attn, c_proj, c_fc"));
	/* PEFT reads names, not our word for them. */
	snprintf(folder, sizeof(folder), "%s/all", test_folder);
	snprintf(path, sizeof(path), "%s/adapter_config.json", folder);
	assert_int_equal(backbone_lora_save(llama, folder, &error), 0);
	assert_int_equal(file_read_all(path, &text, &size, &error), 0);
	assert_non_null(memmem(text, size, "\"gate_proj\"", 11));
	assert_null(memmem(text, size, "\"all\"", 5));
	free(text);
	backbone_close(gpt2);
	backbone_close(llama);
}

/* Stopping after one of two layers equals the same weights without the second. */
static void options_change_the_function(void **state)
{
	const struct backbone_options stop = {.stop_layer = 1, .trainable = true};
	const struct backbone_options bare = {.no_positions = true};
	struct backbone *full = test_model(TINY_GPT2, NULL, 1);
	struct backbone *stopped = test_model(TINY_GPT2, &stop, 1);
	struct backbone *unplaced = test_model(TINY_GPT2, &bare, 1);
	const struct backbone_param *params;
	struct pass pass;

	(void)state;
	pass_make(&pass, full, 100);
	assert_int_equal(backbone_forward(full, &pass.arena, pass.embeds, 1, 100, pass.hidden,
					  NULL, NULL, NULL), ERR_RANGE);
	run(unplaced, &pass, 1, 100, pass.hidden);
	run(full, &pass, 1, TOKENS, pass.hidden);
	run(stopped, &pass, 1, TOKENS, pass.again);
	assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) > 1e-2);
	run(unplaced, &pass, 1, TOKENS, pass.again);
	assert_true(difference(pass.hidden, pass.again, TOKENS * pass.width) > 1e-2);
	assert_int_equal(backbone_params(stopped, &params), 12 + 3);
	assert_int_equal(backbone_params(full, &params), 0);
	pass_free(&pass);
	backbone_close(full);
	backbone_close(stopped);
	backbone_close(unplaced);
}

/* Configurations that say the same in different words, and one that says something else. */
static void rope_is_read(void **state)
{
	static const char *const rests[] = {
		/* theta 500, positions over 2; all but the last */
		"\"rope_theta\": 500, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 2}}",
		"\"rope_theta\": 500, "
		"\"rope_scaling\": {\"rope_type\": \"linear\", \"factor\": 2.0}}",
		"\"rope_parameters\": "
		"{\"rope_theta\": 500.0, \"rope_type\": \"linear\", \"factor\": 2}}",
		/* Llama 3 with every angle slow */
		"\"rope_parameters\": {\"rope_theta\": 500, \"rope_type\": \"llama3\", "
		"\"factor\": 2, \"low_freq_factor\": 1e6, \"high_freq_factor\": 2e6, "
		"\"original_max_position_embeddings\": 64}}",
		"\"rope_parameters\": {\"rope_theta\": 500, \"rope_type\": \"default\"}}",
	};
	const size_t count = sizeof(rests) / sizeof(rests[0]);
	struct pass pass;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		char config[1024];
		struct backbone *backbone;

		snprintf(config, sizeof(config), "%.*s, %s", (int)strlen(TINY_LLAMA) - 1,
			 TINY_LLAMA, rests[i]);
		backbone = test_model(config, NULL, 1);
		if (i == 0)
			pass_make(&pass, backbone, TOKENS);
		run(backbone, &pass, 1, TOKENS, i ? pass.again : pass.hidden);
		if (i == count - 1)
			assert_true(difference(pass.hidden, pass.again,
					       TOKENS * pass.width) > 1e-2);
		else if (i)
			assert_true(difference(pass.hidden, pass.again,
					       TOKENS * pass.width) < 1e-5);
		backbone_close(backbone);
	}
	pass_free(&pass);
}

/* Tied: the token embedding.  Otherwise only on demand, and saved with the rest. */
static void head_is_found(void **state)
{
	const struct backbone_options options = {.lm_head = true};
	struct backbone *tied = test_model(TINY_GPT2, NULL, 1);
	struct backbone *without = test_model(TINY_LLAMA, NULL, 1);
	struct backbone *with = test_model(TINY_LLAMA, &options, 1), *read = NULL;
	struct error error = {0};
	char folder[TEST_PATH_BYTES];

	(void)state;
	assert_ptr_equal(backbone_lm_head(tied), backbone_token_embedding(tied));
	assert_null(backbone_lm_head(without));
	assert_non_null(backbone_lm_head(with));
	snprintf(folder, sizeof(folder), "%s/head", test_folder);
	assert_int_equal(backbone_save(with, folder, &error), 0);
	assert_int_equal(backbone_open(&read, folder, &options, &error), 0);
	assert_int_equal(backbone_lm_head(read)->shape[0], 11);
	assert_int_equal(backbone_lm_head(read)->shape[1], 24);
	assert_memory_equal(backbone_lm_head(read)->value, backbone_lm_head(with)->value,
			    11 * 24 * sizeof(float));
	backbone_close(read);
	assert_int_equal(backbone_open(&read, folder, NULL, &error), 0);
	assert_null(backbone_lm_head(read));
	backbone_close(read);
	backbone_close(tied);
	backbone_close(without);
	backbone_close(with);
}

struct neighbour {
	struct backbone *backbone;
	struct pass pass;
};

static void *neighbour_run(void *context)
{
	struct neighbour *neighbour = context;

	tensor_threads_set(1);
	for (int i = 0; i < 20; i++)
		if (backbone_forward(neighbour->backbone, &neighbour->pass.arena,
				     neighbour->pass.embeds, 1, TOKENS, neighbour->pass.again,
				     NULL, NULL, NULL))
			return context;
	return NULL;
}

/* Several threads share one model, each with its own arena. */
static void threads_share_a_model(void **state)
{
	struct backbone *backbone = test_model(TINY_LLAMA, NULL, 1);
	struct neighbour neighbours[3];
	pthread_t threads[3];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		neighbours[i].backbone = backbone;
		pass_make(&neighbours[i].pass, backbone, TOKENS);
		run(backbone, &neighbours[i].pass, 1, TOKENS, neighbours[i].pass.hidden);
		assert_int_equal(pthread_create(&threads[i], NULL, neighbour_run, &neighbours[i]),
				 0);
	}
	for (size_t i = 0; i < 3; i++) {
		struct pass *pass = &neighbours[i].pass;
		void *result;

		pthread_join(threads[i], &result);
		assert_null(result);
		assert_true(difference(pass->hidden, pass->again, TOKENS * pass->width) < 2e-5);
		pass_free(pass);
	}
	backbone_close(backbone);
}

/* A name that is no place, and a place that is not there, leave the backbone where it is. */
static void places_are_checked(void **state)
{
	struct backbone *backbone = test_model(TINY_GPT2, NULL, 3);
	struct error error = {0};
	int code;

	(void)state;
	assert_int_equal(backbone_place(backbone, "moon", &error), ERR_INVALID);
	assert_non_null(strstr(error.text, "cuda:bf16"));
	assert_int_equal(backbone_place_all("moon", &error), ERR_INVALID);
	assert_string_equal(backbone_device_name(backbone), "CPU");
	assert_int_equal(backbone_place(backbone, "cpu", &error), 0);
	assert_int_equal(backbone_device_peak_bytes(backbone), 0);
	code = backbone_place(backbone, "cuda", &error);
	assert_true(code == 0 || code == ERR_UNSUPPORTED);
	if (code)
		assert_string_equal(backbone_device_name(backbone), "CPU");
	backbone_close(backbone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cache_equals_window),
		cmocka_unit_test(many_caches_equal_each),
		cmocka_unit_test(batch_equals_members),
		cmocka_unit_test(attention_is_causal),
		cmocka_unit_test(saved_equals_read),
		cmocka_unit_test(adapter_travels_and_folds),
		cmocka_unit_test(targets_are_named),
		cmocka_unit_test(options_change_the_function),
		cmocka_unit_test(rope_is_read),
		cmocka_unit_test(head_is_found),
		cmocka_unit_test(threads_share_a_model),
		cmocka_unit_test(places_are_checked),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
