/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Folders that are wrong: each gives one line that names file and key or
 * tensor, with exit status 2, and leaves no backbone behind.
 */
#include "backbone/test_models.h"

#include "base/safetensors.h"

#define GPT2(rest) "{\"model_type\": \"gpt2\", " rest "}"
#define SIZES "\"n_layer\": 1, \"n_embd\": 8, \"n_head\": 2, \"vocab_size\": 3, \"n_positions\": 4"
#define OPT(rest) "{\"model_type\": \"opt\", " rest "}"
#define OPT_SIZES                                                                                  \
	"\"num_hidden_layers\": 1, \"hidden_size\": 8, \"vocab_size\": 3, "                        \
	"\"max_position_embeddings\": 4, \"ffn_dim\": 8, \"num_attention_heads\": 2"
#define T5(rest) "{\"model_type\": \"t5\", " rest "}"
#define T5_SIZES                                                                                   \
	"\"num_layers\": 1, \"d_model\": 8, \"d_kv\": 4, \"d_ff\": 8, \"num_heads\": 2, "          \
	"\"vocab_size\": 3"
#define LLAMA_SIZES                                                                                \
	"\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"hidden_size\": 8, "                \
	"\"intermediate_size\": 8, \"vocab_size\": 3, \"max_position_embeddings\": 4, "

#define ROPE(value)                                                                                \
	"{" LLAMA_SIZES "\"num_attention_heads\": 4, \"rope_scaling\": " value "}"

static const struct {
	const char *config, *word;
} configs[] = {
	{"", "JSON"},
	{"{", "config.json:1"},
	{"[]", "object"},
	{"{}", "model_type"},
	{"{\"model_type\": 3}", "model_type"},
	{"{\"model_type\": \"bert\"}", "bert is not supported; there are: gpt2, opt, llama, t5"},
	{"{\"model_type\": \"gpt2\", \"model_type\": \"gpt2\"}", "duplicate"},
	{"{\"model_type\": \"gpt2\xff\"}", "byte 0xff"},
	{GPT2("\"n_layer\": 1"), "n_embd: is missing"},
	{GPT2("\"n_layer\": \"one\""), "n_layer: is not a whole"},
	{GPT2("\"n_layer\": 1.5"), "n_layer: is not a whole"},
	{GPT2("\"n_layer\": -1"), "n_layer: -1 is outside"},
	{GPT2("\"n_layer\": 1000000000000"), "n_layer"},
	{GPT2("\"n_layer\": 1, \"n_embd\": 9000000000000000000"), "n_embd"},
	{GPT2("\"n_layer\": 1, \"n_embd\": 9, \"n_head\": 2, \"vocab_size\": 3, "
	      "\"n_positions\": 4"), "n_head: 2 heads do not divide"},
	{GPT2(SIZES ", \"activation_function\": \"relu\""), "activation_function: relu"},
	{GPT2(SIZES ", \"layer_norm_epsilon\": \"x\""), "layer_norm_epsilon: is not a number"},
	{GPT2(SIZES ", \"layer_norm_epsilon\": -1"), "layer_norm_epsilon"},
	{GPT2(SIZES ", \"scale_attn_by_inverse_layer_idx\": true"), "only false"},
	{GPT2(SIZES ", \"scale_attn_weights\": 1"), "neither true nor false"},
	{OPT("\"num_hidden_layers\": 8"), "hidden_size: is missing"},
	{OPT("\"num_hidden_layers\": 1, \"hidden_size\": 8, \"vocab_size\": 3, "
	     "\"ffn_dim\": 8, \"max_position_embeddings\": 4, \"num_attention_heads\": 3"),
	 "num_attention_heads: 3 heads do not"},
	{OPT("\"num_hidden_layers\": 1, \"hidden_size\": 8, \"num_attention_heads\": 2, "
	     "\"ffn_dim\": 1000000"), "ffn_dim: 1000000 is outside"},
	{OPT(OPT_SIZES ", \"word_embed_proj_dim\": 0"), "word_embed_proj_dim: 0 is outside"},
	{OPT(OPT_SIZES ", \"word_embed_proj_dim\": \"8\""), "word_embed_proj_dim: is not"},
	{OPT(OPT_SIZES ", \"activation_function\": \"gelu\""), "activation_function: gelu"},
	{OPT(OPT_SIZES ", \"do_layer_norm_before\": 1"), "do_layer_norm_before: is neither"},
	{OPT(OPT_SIZES ", \"_remove_final_layer_norm\": \"no\""), "_remove_final_layer_norm"},
	{OPT(OPT_SIZES ", \"layer_norm_elementwise_affine\": false"), "only true"},
	{OPT(OPT_SIZES ", \"enable_bias\": 0"), "enable_bias: is neither"},
	{OPT(OPT_SIZES ", \"init_std\": -1"), "init_std"},
	{OPT(OPT_SIZES ", \"tie_word_embeddings\": \"x\""), "tie_word_embeddings: is neither"},
	{T5("\"num_layers\": 1"), "d_model: is missing"},
	{T5("\"num_layers\": 0"), "num_layers: 0 is outside"},
	{T5(T5_SIZES ", \"num_decoder_layers\": 5000"), "num_decoder_layers: 5000 is outside"},
	{T5(T5_SIZES ", \"feed_forward_proj\": \"gated-silu\""), "feed_forward_proj: gated-silu"},
	{T5(T5_SIZES ", \"feed_forward_proj\": 1"), "feed_forward_proj: is not text"},
	{T5(T5_SIZES ", \"relative_attention_num_buckets\": 0"), "num_buckets: 0 is outside"},
	{T5(T5_SIZES ", \"relative_attention_num_buckets\": 30"), "30 is not a multiple of 4"},
	{T5(T5_SIZES ", \"relative_attention_max_distance\": 16"), "max_distance: 16 is not above"},
	{T5(T5_SIZES ", \"layer_norm_epsilon\": 0"), "layer_norm_epsilon: 0 is not above"},
	{T5(T5_SIZES ", \"initializer_factor\": -1"), "initializer_factor"},
	{T5(T5_SIZES ", \"is_decoder\": true"), "is_decoder: only false"},
	{T5(T5_SIZES ", \"tie_word_embeddings\": 1"), "tie_word_embeddings: is neither"},
	{"{" LLAMA_SIZES "\"num_attention_heads\": 3}", "num_attention_heads: 3 does not divide"},
	{"{" LLAMA_SIZES "\"num_attention_heads\": 4, \"num_key_value_heads\": 3}",
	 "num_key_value_heads"},
	{"{" LLAMA_SIZES "\"num_attention_heads\": 8}", "odd"},
	{"{" LLAMA_SIZES "\"num_attention_heads\": 4, \"hidden_act\": \"gelu\"}", "hidden_act"},
	{ROPE("8"), "rope_scaling: is not an object"},
	{ROPE("{}"), "rope_scaling.rope_type: is missing"},
	{ROPE("{\"type\": 1}"), "rope_scaling.type: is not text"},
	{ROPE("{\"type\": \"linear\"}"), "rope_scaling.factor: is missing"},
	{ROPE("{\"type\": \"linear\", \"factor\": -2}"), "rope_scaling.factor: -2"},
	{ROPE("{\"rope_type\": \"yarn\", \"factor\": 2}"), "rope_scaling.rope_type: yarn is not"},
	{ROPE("{\"type\": \"dynamic\", \"factor\": 2}"), "rope_scaling.type: dynamic is not"},
	{ROPE("{\"rope_type\": \"llama3\", \"factor\": 8}"),
	 "rope_scaling.low_freq_factor: is missing"},
	{ROPE("{\"rope_type\": \"llama3\", \"factor\": 8, \"low_freq_factor\": 4, "
	      "\"high_freq_factor\": 4, \"original_max_position_embeddings\": 8192}"),
	 "rope_scaling.high_freq_factor: 4 is not above"},
	{ROPE("null, \"rope_parameters\": []"), "rope_parameters: is not an object"},
	{ROPE("null, \"rope_parameters\": {\"rope_theta\": \"x\"}"),
	 "rope_parameters.rope_theta: is not"},
	{ROPE("null, \"rope_parameters\": {\"rope_theta\": 1e4, \"rope_type\": \"longrope\"}"),
	 "rope_parameters.rope_type: longrope is not"},
};

static void refuse(const char *folder, const char *word)
{
	struct backbone *backbone = (struct backbone *)(uintptr_t)1;
	struct error error = {0};
	char line[2048];

	if (!backbone_open(&backbone, folder, NULL, &error))
		fail_msg("accepted what should show \"%s\"", word);
	assert_null(backbone);
	assert_int_equal(error_exit_status(error.code), 2);
	error_format(&error, line, sizeof(line));
	if (!strstr(line, word) || !strstr(line, test_folder))
		fail_msg("message \"%s\" lacks \"%s\" or the folder", line, word);
}

static void bad_configurations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(configs) / sizeof(configs[0]); i++) {
		test_file_write("config.json", configs[i].config);
		refuse(test_folder, configs[i].word);
	}
}

/* Sizes that are each allowed, but not together on any machine of today. */
static void more_than_memory(void **state)
{
	struct backbone *backbone = (struct backbone *)(uintptr_t)1;
	struct error error = {0};
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	test_file_write("config.json", GPT2("\"n_layer\": 1024, \"n_embd\": 65536, \"n_head\": 2, "
					    "\"vocab_size\": 3, \"n_positions\": 4"));
	assert_int_equal(backbone_random(&backbone, test_folder, NULL, &rng, &error), ERR_RANGE);
	assert_null(backbone);
	assert_non_null(strstr(error.text, "GiB"));
}

/* Saves a good tiny model into the test folder. */
static void model_write(void)
{
	struct backbone *backbone = test_model(TINY_LLAMA, NULL, 1);

	assert_int_equal(backbone_save(backbone, test_folder, NULL), 0);
	backbone_close(backbone);
}

/* Writes the good model again, with one tensor left out (`without`) or replaced. */
static void model_change(const char *without, const struct safetensors_item *instead)
{
	struct safetensors file;
	struct safetensors_item items[64];
	size_t count = 0;
	char path[TEST_PATH_BYTES], to[TEST_PATH_BYTES];

	model_write();
	snprintf(path, sizeof(path), "%s/model.safetensors", test_folder);
	snprintf(to, sizeof(to), "%s/changed.safetensors", test_folder);
	assert_int_equal(safetensors_open(&file, path, NULL), 0);
	assert_true(file.count < 60);
	for (size_t i = 0; i < file.count; i++) {
		const struct safetensors_entry *entry = &file.entries[i];

		if (without && strcmp(entry->name, without) == 0)
			continue;
		items[count] = (struct safetensors_item){.name = entry->name,
							 .dtype = entry->dtype,
							 .dims = entry->dims,
							 .data = entry->data};
		memcpy(items[count++].shape, entry->shape, sizeof(entry->shape));
	}
	if (instead)
		items[count++] = *instead;
	assert_int_equal(safetensors_write(to, items, count, NULL, NULL), 0);
	safetensors_close(&file);
	assert_int_equal(rename(to, path), 0);
}

static void bad_weights(void **state)
{
	float values[24] = {0};
	int32_t whole[24] = {0};
	struct safetensors_item item = {"norm.weight", SAFETENSORS_F32, 1, {24}, values};
	char path[TEST_PATH_BYTES];

	(void)state;
	model_change("norm.weight", NULL);
	refuse(test_folder, "norm.weight: is missing");
	item.shape[0] = 23;
	model_change("norm.weight", &item);
	refuse(test_folder, "(23) where the configuration needs (24)");
	item.shape[0] = 24;
	values[7] = __builtin_nanf("");
	model_change("norm.weight", &item);
	refuse(test_folder, "norm.weight: element 7 is not a finite");
	values[7] = -__builtin_inff();
	model_change("norm.weight", &item);
	refuse(test_folder, "element 7");
	item.dtype = SAFETENSORS_I32;
	item.data = whole;
	model_change("norm.weight", &item);
	refuse(test_folder, "I32");
	snprintf(path, sizeof(path), "%s/model.safetensors", test_folder);
	assert_int_equal(truncate(path, 5000), 0);
	refuse(test_folder, "model.safetensors");
	assert_int_equal(unlink(path), 0);
	refuse(test_folder, "model.safetensors");
}

static const struct {
	const char *index, *word;
} indices[] = {
	{"{", "JSON"},
	{"{}", "weight_map"},
	{"{\"weight_map\": {}}", "weight_map"},
	{"{\"weight_map\": {\"a\": 1}}", "a: is not mapped"},
	{"{\"weight_map\": {\"a\": \"../model.safetensors\"}}", "a: is not mapped"},
	{"{\"weight_map\": {\"a\": \"model.bin\"}}", "a: is not mapped"},
	{"{\"weight_map\": {\"a\": \"absent.safetensors\"}}", "absent.safetensors"},
	{"{\"weight_map\": {\"a\": \"model.safetensors\"}}", "does not hold it"},
	{"{\"weight_map\": {\"norm.weight\": \"model.safetensors\"}}", "is missing"},
};

static void bad_indices(void **state)
{
	char path[TEST_PATH_BYTES];

	(void)state;
	model_write();
	for (size_t i = 0; i < sizeof(indices) / sizeof(indices[0]); i++) {
		test_file_write("model.safetensors.index.json", indices[i].index);
		refuse(test_folder, indices[i].word);
	}
	snprintf(path, sizeof(path), "%s/model.safetensors.index.json", test_folder);
	assert_int_equal(unlink(path), 0);
}

static const struct {
	const char *config, *word;
} adapters[] = {
	{"{}", "r: is missing"},
	{"{\"r\": 0}", "r: 0 is outside"},
	{"{\"r\": 4}", "target_modules"},
	{"{\"r\": 4, \"target_modules\": [1]}", "target_modules"},
	{"{\"r\": 4, \"target_modules\": [\"c_attn\"]}", "q_proj"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"], \"peft_type\": \"IA3\"}", "IA3"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"], \"bias\": \"all\"}", "bias"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"], \"use_rslora\": true}", "use_rslora"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"], \"rank_pattern\": {\"x\": 2}}",
	 "rank_pattern"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"], \"lora_alpha\": 0}", "lora_alpha"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\"]}", "holds 8 tensors"},
	{"{\"r\": 3, \"target_modules\": [\"q_proj\", \"v_proj\"]}", "shape"},
	{"{\"r\": 4, \"target_modules\": [\"q_proj\", \"k_proj\"]}", "is missing"},
};

static void bad_adapters(void **state)
{
	const struct lora_options lora = {.rank = 4, .alpha = 8};
	struct backbone *backbone = test_model(TINY_LLAMA, NULL, 1);
	const struct backbone_param *params;
	struct error error;
	char line[2048];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	assert_int_equal(backbone_lora_new(backbone, &lora, &rng, NULL), 0);
	assert_int_equal(backbone_lora_save(backbone, test_folder, NULL), 0);
	for (size_t i = 0; i < sizeof(adapters) / sizeof(adapters[0]); i++) {
		test_file_write("adapter_config.json", adapters[i].config);
		error_clear(&error);
		assert_int_not_equal(backbone_lora_load(backbone, test_folder, &error), 0);
		assert_int_equal(error_exit_status(error.code), 2);
		error_format(&error, line, sizeof(line));
		if (!strstr(line, adapters[i].word))
			fail_msg("message \"%s\" lacks \"%s\"", line, adapters[i].word);
		assert_int_equal(backbone_params(backbone, &params), 0);
	}
	backbone_close(backbone);
}

static void bad_adapter_options(void **state)
{
	static const char *const nothing[] = {"q_proj", "nothing", NULL};
	const struct lora_options options[] = {
		{.rank = -1, .alpha = 8},
		{.rank = 1 << 20, .alpha = 8},
		{.rank = 2, .alpha = 0},
		{.rank = 2, .alpha = 8, .dropout = 1},
		{.rank = 2, .alpha = 8, .dropout = __builtin_nan("")},
		{.rank = 2, .alpha = 8, .targets = nothing},
	};
	struct backbone *backbone = test_model(TINY_LLAMA, NULL, 1);
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		assert_int_equal(error_exit_status(backbone_lora_new(backbone, &options[i], &rng,
								     NULL)), 2);
	backbone_close(backbone);
}

static void missing_folder(void **state)
{
	struct backbone *backbone;
	struct error error = {0};

	(void)state;
	assert_int_equal(backbone_open(&backbone, "/nowhere", NULL, &error), ERR_NOT_FOUND);
	assert_null(backbone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_configurations), cmocka_unit_test(bad_weights),
		cmocka_unit_test(more_than_memory),
		cmocka_unit_test(bad_indices),        cmocka_unit_test(bad_adapters),
		cmocka_unit_test(bad_adapter_options), cmocka_unit_test(missing_folder),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
