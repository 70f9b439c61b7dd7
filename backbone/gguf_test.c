/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GGUF files of tiny models: what is written is read again as the same model,
 * and the file says what the format asks for.
 */
#include "backbone/test_models.h"

#include <math.h>

#include "backbone/checkpoint.h"
#include "backbone/export.h"
#include "backbone/gguf.h"
#include "base/safetensors.h"

/* Rows of whole blocks of 32, so that every type can be had. */
#define GPT2_64                                                                                    \
	"{\"model_type\": \"gpt2\", \"n_layer\": 2, \"n_embd\": 64, \"n_head\": 4, "               \
	"\"vocab_size\": 11, \"n_positions\": 40, \"initializer_range\": 0.3}"
#define LLAMA_64                                                                                   \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 64, "              \
	"\"num_attention_heads\": 4, \"num_key_value_heads\": 2, \"intermediate_size\": 96, "      \
	"\"vocab_size\": 11, \"max_position_embeddings\": 40, \"initializer_range\": 0.3, "        \
	"\"rope_theta\": 500000.0, \"rms_norm_eps\": 1e-5, \"attention_bias\": true}"

static const char *const models[] = {TINY_GPT2, TINY_LLAMA, GPT2_64, LLAMA_64};

#define MODELS (sizeof(models) / sizeof(models[0]))

static char gguf_path[256];

/* Saves a model with random weights as a folder, biases and norms included. */
static void folder_write(const char *config)
{
	const struct backbone_options options = {.trainable = true};
	struct backbone *backbone = test_model(config, &options, 3);
	const struct backbone_param *params;
	const size_t count = backbone_params(backbone, &params);
	struct rng rng;

	rng_seed(&rng, 4);
	for (size_t i = 0; i < count; i++)
		for (int64_t j = 0; j < params[i].count && params[i].dims == 1; j++)
			params[i].value[j] += (float)(0.2 * rng_normal(&rng));
	assert_int_equal(backbone_save(backbone, test_folder, NULL), 0);
	backbone_close(backbone);
}

static void export_as(enum block_type type)
{
	struct error error = {0};

	snprintf(gguf_path, sizeof(gguf_path), "%s/model.gguf", test_folder);
	if (backbone_export(test_folder, gguf_path, type, &error))
		fail_msg("%s: %s", error.field, error.text);
}

static struct backbone *open_trainable(const char *path)
{
	const struct backbone_options options = {.trainable = true};
	struct backbone *backbone = NULL;
	struct error error = {0};

	if (backbone_open(&backbone, path, &options, &error))
		fail_msg("%s: %s: %s", error.file, error.field, error.text);
	return backbone;
}

/* Most that one number of a type may lose, as a share of the largest in its tensor. */
static double loss(enum block_type type)
{
	switch (type) {
	case BLOCK_F32:
		return 0;
	case BLOCK_F16:
		return 0x1p-11;
	case BLOCK_BF16:
		return 0x1p-8;
	case BLOCK_Q8_0:
		return 0.5 / 127 + 0x1p-10;
	default:
		return 1.0 / 8 + 0x1p-10;
	}
}

static void params_compare(const struct backbone *folder, const struct backbone *file,
			   enum block_type type)
{
	const struct backbone_param *a, *b;
	const size_t count = backbone_params(folder, &a);

	assert_int_equal(backbone_params(file, &b), count);
	for (size_t i = 0; i < count; i++) {
		const bool plain = a[i].dims == 1 || strstr(a[i].name, "wpe");
		double largest = 0, difference = 0;

		assert_string_equal(a[i].name, b[i].name);
		assert_int_equal(a[i].count, b[i].count);
		for (int64_t j = 0; j < a[i].count; j++) {
			largest = fmax(largest, fabs((double)a[i].value[j]));
			difference = fmax(difference, fabs((double)a[i].value[j] -
							   (double)b[i].value[j]));
		}
		if (difference > (plain ? 0 : loss(type) * largest))
			fail_msg("%s of %s differs by %g; largest %g", a[i].name,
				 block_format(type)->name, difference, largest);
		if (!plain && type != BLOCK_F32)
			assert_true(difference > 0);
	}
}

static void round_trip(void **state)
{
	static const enum block_type types[] = {BLOCK_F32, BLOCK_F16, BLOCK_BF16, BLOCK_Q8_0,
						BLOCK_Q4_0};

	(void)state;
	for (size_t m = 0; m < MODELS; m++) {
		struct backbone *folder;

		folder_write(models[m]);
		folder = open_trainable(test_folder);
		for (size_t t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
			struct backbone *file;

			export_as(types[t]);
			file = open_trainable(gguf_path);
			params_compare(folder, file, types[t]);
			backbone_close(file);
		}
		backbone_close(folder);
	}
}

/* From GGUF back to a folder: the same weights, and a configuration that opens. */
static void way_back(void **state)
{
	struct backbone *file, *folder;
	char back[256];

	(void)state;
	for (size_t m = 0; m < MODELS; m++) {
		folder_write(models[m]);
		export_as(BLOCK_F32);
		file = open_trainable(gguf_path);
		snprintf(back, sizeof(back), "%s/back", test_folder);
		assert_int_equal(backbone_save(file, back, NULL), 0);
		folder = open_trainable(back);
		params_compare(folder, file, BLOCK_F32);
		backbone_close(folder);
		backbone_close(file);
	}
}

/* One type to another without the folder: the same as from the folder. */
static void file_to_file(void **state)
{
	char other[256];
	struct error error = {0};
	struct backbone *a, *b;

	(void)state;
	folder_write(LLAMA_64);
	export_as(BLOCK_F32);
	snprintf(other, sizeof(other), "%s/other.gguf", test_folder);
	assert_int_equal(backbone_export(gguf_path, other, BLOCK_Q8_0, &error), 0);
	export_as(BLOCK_Q8_0);
	a = open_trainable(gguf_path);
	b = open_trainable(other);
	params_compare(a, b, BLOCK_F32);
	backbone_close(a);
	backbone_close(b);
}

/* Where numbers lie: the layouts that other programs expect, read from the container. */
static void layout(void **state)
{
	struct gguf file;
	struct backbone *folder;
	const struct backbone_param *params, *q = NULL;
	const struct gguf_tensor *tensor;
	float value;

	(void)state;
	folder_write(LLAMA_64);
	folder = open_trainable(test_folder);
	export_as(BLOCK_F32);
	assert_int_equal(gguf_open(&file, gguf_path, NULL), 0);
	for (size_t i = backbone_params(folder, &params); i-- > 0;)
		if (strcmp(params[i].name, "layers.1.self_attn.k_proj.weight") == 0)
			q = &params[i];
	tensor = gguf_find(&file, "blk.1.attn_k.weight");
	assert_non_null(q);
	assert_non_null(tensor);
	assert_int_equal(tensor->shape[0], 64); /* inputs are fastest */
	assert_int_equal(tensor->shape[1], 32);
	assert_int_equal((tensor->data - file.map.data) % 32, 0);
	/* Head 1 of width 16: rows 16, 17, 18 here are rows 16, 24, 17 there. */
	memcpy(&value, tensor->data + 4 * 64 * 17, sizeof(value));
	assert_true(value == q->value[64 * 24]);
	memcpy(&value, tensor->data + 4 * 64 * 18, sizeof(value));
	assert_true(value == q->value[64 * 17]);
	gguf_close(&file);
	backbone_close(folder);
}

static void conv1d_is_turned(void **state)
{
	struct gguf file;
	struct backbone *folder;
	const struct backbone_param *params;
	const struct gguf_tensor *tensor;
	float value;

	(void)state;
	folder_write(GPT2_64);
	folder = open_trainable(test_folder);
	export_as(BLOCK_F32);
	assert_int_equal(gguf_open(&file, gguf_path, NULL), 0);
	tensor = gguf_find(&file, "blk.0.ffn_up.weight");
	assert_non_null(tensor);
	assert_int_equal(tensor->shape[0], 64);
	assert_int_equal(tensor->shape[1], 256);
	for (size_t i = backbone_params(folder, &params); i-- > 0;)
		if (strcmp(params[i].name, "h.0.mlp.c_fc.weight") == 0) {
			memcpy(&value, tensor->data + 4 * (64 * 5 + 2), sizeof(value));
			assert_true(value == params[i].value[256 * 2 + 5]);
		}
	gguf_close(&file);
	backbone_close(folder);
}

static void keys(void **state)
{
	struct gguf file;
	const char *text = NULL;
	int64_t whole = 0;
	double real = 0;
	bool found;

	(void)state;
	folder_write(LLAMA_64);
	export_as(BLOCK_Q4_0);
	assert_int_equal(gguf_open(&file, gguf_path, NULL), 0);
	assert_int_equal(file.version, 3);
	assert_int_equal(gguf_text(&file, "general.architecture", &text, &found, NULL), 0);
	assert_string_equal(text, "llama");
	assert_int_equal(gguf_integer(&file, "llama.attention.head_count_kv", &whole, &found,
				      NULL), 0);
	assert_int_equal(whole, 2);
	assert_int_equal(gguf_integer(&file, "llama.rope.dimension_count", &whole, &found, NULL),
			 0);
	assert_int_equal(whole, 16);
	assert_int_equal(gguf_real(&file, "llama.rope.freq_base", &real, &found, NULL), 0);
	assert_true(real == 500000);
	assert_int_equal(gguf_integer(&file, "no.such.key", &whole, &found, NULL), 0);
	assert_false(found);
	assert_int_equal(gguf_integer(&file, "general.architecture", &whole, &found, NULL),
			 ERR_INVALID);
	gguf_close(&file);
}

/* Held in the file's own storage: the same function, and projections are not copied to f32. */
static void used_in_place(void **state)
{
	static const struct {
		enum block_type type;
		enum matrix_type precision;
	} rows[] = {
		{BLOCK_Q4_0, MATRIX_INT4}, {BLOCK_BF16, MATRIX_BF16}, {BLOCK_F16, MATRIX_F16}};
	enum { TOKENS = 30, FLOATS = TOKENS * 64 };

	(void)state;
	for (size_t m = 2; m < MODELS; m++) {
		float embeds[FLOATS], plain[FLOATS], held[FLOATS];
		struct rng rng;

		rng_seed(&rng, 9);
		for (int i = 0; i < FLOATS; i++)
			embeds[i] = (float)rng_normal(&rng);
		folder_write(models[m]);
		for (size_t r = 0; r < 3; r++) {
			const struct backbone_options options = {.precision = rows[r].precision};
			struct backbone *f32, *packed;
			struct arena arena;

			export_as(rows[r].type);
			assert_int_equal(backbone_open(&f32, gguf_path, NULL, NULL), 0);
			assert_int_equal(backbone_open(&packed, gguf_path, &options, NULL), 0);
			arena_init(&arena);
			assert_int_equal(backbone_forward(f32, &arena, embeds, 1, TOKENS, plain,
							  NULL, NULL, NULL), 0);
			assert_int_equal(backbone_forward(packed, &arena, embeds, 1, TOKENS, held,
							  NULL, NULL, NULL), 0);
			/* Activations keep at least 13 bits. */
			for (int i = 0; i < FLOATS; i++)
				if (fabsf(plain[i] - held[i]) > 0.02f)
					fail_msg("%s, model %zu: %g where f32 has %g",
						 block_format(rows[r].type)->name, m,
						 (double)held[i], (double)plain[i]);
			arena_free(&arena);
			backbone_close(f32);
			backbone_close(packed);
		}
	}
}

#define STRETCHED(scaling)                                                                         \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"hidden_size\": 8, "              \
	"\"num_attention_heads\": 2, \"intermediate_size\": 8, \"vocab_size\": 3, "              \
	"\"max_position_embeddings\": 20, \"initializer_range\": 0.5, " scaling "}"

static void hidden(const char *path, const float *embeds, float *out)
{
	struct backbone *backbone = NULL;
	struct arena arena;

	arena_init(&arena);
	assert_int_equal(backbone_open(&backbone, path, NULL, NULL), 0);
	assert_int_equal(backbone_forward(backbone, &arena, embeds, 1, 16, out, NULL, NULL, NULL),
			 0);
	backbone_close(backbone);
	arena_free(&arena);
}

/* Rotary positions stretched linearly survive; another way is refused, not dropped. */
static void stretched_positions(void **state)
{
	float embeds[16 * 8], folder[16 * 8], file[16 * 8], plain[16 * 8];
	struct error error = {0};

	(void)state;
	for (int i = 0; i < 16 * 8; i++)
		embeds[i] = (float)(i * 7 % 11) - 5;
	folder_write(STRETCHED("\"rope_theta\": 10000"));
	hidden(test_folder, embeds, plain);
	folder_write(STRETCHED("\"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}"));
	hidden(test_folder, embeds, folder);
	export_as(BLOCK_F32);
	hidden(gguf_path, embeds, file);
	assert_memory_equal(folder, file, sizeof(folder));
	assert_memory_not_equal(folder, plain, sizeof(folder));
	folder_write(STRETCHED("\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 8, "
			       "\"low_freq_factor\": 1, \"high_freq_factor\": 4, "
			       "\"original_max_position_embeddings\": 10}"));
	assert_int_equal(backbone_export(test_folder, gguf_path, BLOCK_F32, &error),
			 ERR_UNSUPPORTED);
	assert_string_equal(error.field, "rope_scaling");
}

/* One file of a directory may mix types. */
static void mixed_types(void **state)
{
	static const char *const metadata[] = {"format", "pt", NULL};
	struct safetensors file;
	struct safetensors_item items[64];
	struct backbone *before, *after;
	char path[256], to[256];
	void *copies[64];

	(void)state;
	folder_write(LLAMA_64);
	before = open_trainable(test_folder);
	snprintf(path, sizeof(path), "%s/model.safetensors", test_folder);
	snprintf(to, sizeof(to), "%s/mixed.safetensors", test_folder);
	assert_int_equal(safetensors_open(&file, path, NULL), 0);
	assert_true(file.count < 64);
	for (size_t i = 0; i < file.count; i++) {
		const struct safetensors_entry *entry = &file.entries[i];
		const int kind = (int)i % 4;

		copies[i] = calloc((size_t)entry->count, sizeof(double));
		assert_non_null(copies[i]);
		items[i] = (struct safetensors_item){
			.name = entry->name, .dims = entry->dims, .data = copies[i],
			.dtype = kind == 0 ? SAFETENSORS_F32 : kind == 1 ? SAFETENSORS_F16
				 : kind == 2 ? SAFETENSORS_BF16 : SAFETENSORS_F64};
		memcpy(items[i].shape, entry->shape, sizeof(entry->shape));
		for (int64_t j = 0; kind == 3 && j < entry->count; j++) {
			float value;

			memcpy(&value, (const char *)entry->data + 4 * j, sizeof(value));
			((double *)copies[i])[j] = (double)value;
		}
		if (kind < 3)
			block_encode(kind == 0 ? BLOCK_F32 : kind == 1 ? BLOCK_F16 : BLOCK_BF16,
				     entry->data, entry->count, copies[i]);
	}
	assert_int_equal(safetensors_write(to, items, file.count, metadata, NULL), 0);
	assert_int_equal(rename(to, path), 0);
	after = open_trainable(test_folder);
	{
		const struct backbone_param *a, *b;
		const size_t count = backbone_params(before, &a);
		bool exact = false, rounded = false;

		backbone_params(after, &b);
		for (size_t i = 0; i < count; i++)
			for (int64_t j = 0; j < a[i].count; j++) {
				const double d = fabs((double)a[i].value[j] -
						      (double)b[i].value[j]);

				assert_true(d <= fabs((double)a[i].value[j]) * 0x1p-8);
				exact = exact || d == 0;
				rounded = rounded || d != 0;
			}
		assert_true(exact && rounded);
	}
	for (size_t i = 0; i < file.count; i++)
		free(copies[i]);
	safetensors_close(&file);
	backbone_close(before);
	backbone_close(after);
}

static void what_cannot_be_written(void **state)
{
	struct error error = {0};

	(void)state;
	folder_write(GPT2_64);
	snprintf(gguf_path, sizeof(gguf_path), "%s/none.gguf", test_folder);
	assert_int_equal(backbone_export(test_folder, gguf_path, BLOCK_Q6_K, &error),
			 ERR_UNSUPPORTED);
	assert_false(file_exists(gguf_path));
	assert_int_equal(backbone_export("/nowhere", gguf_path, BLOCK_F32, &error), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),       cmocka_unit_test(way_back),
		cmocka_unit_test(file_to_file),     cmocka_unit_test(layout),
		cmocka_unit_test(conv1d_is_turned), cmocka_unit_test(keys),
		cmocka_unit_test(mixed_types),      cmocka_unit_test(what_cannot_be_written),
		cmocka_unit_test(used_in_place),    cmocka_unit_test(stretched_positions),
	};
	int failed;

	if (test_folder_make())
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	test_folder_remove();
	return failed;
}
