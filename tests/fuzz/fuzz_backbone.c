/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: whatever config.json holds, a folder is either refused with a message
 * or describes a model of at least one parameter; nothing is allocated for
 * weights before that is known; and a small model that is accepted runs
 * forward, backward and as a stream.  The first byte chooses which file the
 * bytes become: config.json, or the adapter's, or the index of shards; or they
 * are edits of a good configuration of one architecture, two bytes each: a key
 * and what it is set to.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/test_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TINY                                                                                       \
	"{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 4, \"n_head\": 2, "                \
	"\"vocab_size\": 2, \"n_positions\": 4}"

#define LLAMA3                                                                                     \
	"{\"type\": \"llama3\", \"factor\": 2, \"low_freq_factor\": 1, "                           \
	"\"high_freq_factor\": 4, \"original_max_position_embeddings\": 8}"
#define OPT                                                                                        \
	"{\"model_type\": \"opt\", \"num_hidden_layers\": 2, \"hidden_size\": 8, "                 \
	"\"num_attention_heads\": 2, \"ffn_dim\": 6, \"vocab_size\": 3, "                          \
	"\"max_position_embeddings\": 9, \"word_embed_proj_dim\": 8, \"init_std\": 0.1, "          \
	"\"do_layer_norm_before\": true, \"_remove_final_layer_norm\": false, "                    \
	"\"enable_bias\": true, \"activation_function\": \"relu\", "                               \
	"\"layer_norm_elementwise_affine\": true}"
#define LLAMA                                                                                      \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 2, \"hidden_size\": 8, "               \
	"\"num_attention_heads\": 2, \"num_key_value_heads\": 1, \"intermediate_size\": 6, "       \
	"\"vocab_size\": 3, \"max_position_embeddings\": 9, \"head_dim\": 4, "                     \
	"\"rope_theta\": 100, \"rope_scaling\": null, \"rope_parameters\": null, "                 \
	"\"attention_bias\": false, \"rms_norm_eps\": 1e-5}"
#define T5                                                                                         \
	"{\"model_type\": \"t5\", \"num_layers\": 2, \"num_decoder_layers\": 1, "                  \
	"\"d_model\": 8, \"d_kv\": 3, \"d_ff\": 6, \"num_heads\": 2, \"vocab_size\": 3, "          \
	"\"relative_attention_num_buckets\": 8, \"relative_attention_max_distance\": 16, "         \
	"\"feed_forward_proj\": \"relu\", \"initializer_factor\": 1, "                             \
	"\"layer_norm_epsilon\": 1e-6, \"tie_word_embeddings\": true}"

/* One good configuration an architecture, with the keys that may be edited. */
static const char *const bases[] = {TINY, OPT, LLAMA, T5};

#define BASES (sizeof(bases) / sizeof(bases[0]))
#define SMALL_VALUES 24

/* The first SMALL_VALUES keep a model small. */
static const char *const values[] = {
	"null", "true", "false", "0", "1", "2", "3", "4", "5", "6", "12", "16", "-1", "0.5", "\"\"",
	"[]", "{}", "\"relu\"", "\"gated-gelu\"", "\"silu\"",
	"{\"rope_type\": \"linear\", \"factor\": 2}",
	LLAMA3,
	"{\"rope_type\": \"default\", \"rope_theta\": 50}",
	"{\"rope_type\": \"yarn\", \"factor\": 0}",
	"1024", "65536", "1048576", "9223372036854775807", "1e300",
};

static void file_put(const char *name, const void *data, size_t size)
{
	char path[TEST_PATH_BYTES];
	FILE *stream = fopen(test_path(path, name), "wb");

	if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream))
		abort();
}

static void file_drop(const char *name)
{
	char path[TEST_PATH_BYTES];

	unlink(test_path(path, name));
}

static void folder_remove(void)
{
	test_folder_remove();
}

/* A tiny model and its adapter, made once. */
static struct backbone *start(void)
{
	const struct lora_options lora = {.rank = 2, .alpha = 4};
	struct backbone *backbone = NULL;
	struct rng rng;

	rng_seed(&rng, 1);
	if (test_folder_make())
		abort();
	atexit(folder_remove);
	file_put("config.json", TINY, strlen(TINY));
	if (backbone_random(&backbone, test_folder, NULL, &rng, NULL) ||
	    backbone_save(backbone, test_folder, NULL) ||
	    backbone_lora_new(backbone, &lora, &rng, NULL) ||
	    backbone_lora_save(backbone, test_folder, NULL))
		abort();
	return backbone;
}

static void inspect(void)
{
	struct backbone_shape shape;
	struct error error = {0};

	if (backbone_inspect(test_folder, &shape, &error) ? !error.text[0] : shape.parameters < 1)
		abort();
}

/* Writes the configuration that the edits make; only small values with `small`. */
static void config_edit(const uint8_t *data, size_t size, bool small)
{
	const size_t choice = small ? SMALL_VALUES : sizeof(values) / sizeof(values[0]);
	json_t *config = json_loads(bases[data[0] % BASES], 0, NULL);
	char *text;

	for (size_t i = 1; i + 1 < size && i < 16; i += 2) {
		size_t key = data[i] % (json_object_size(config) - 1) + 1; /* not model_type */
		void *at = json_object_iter(config);

		while (key--)
			at = json_object_iter_next(config, at);
		json_object_iter_set_new(config, at, json_loads(values[data[i + 1] % choice],
								JSON_DECODE_ANY, NULL));
	}
	text = json_dumps(config, 0);
	if (!text)
		abort();
	file_put("config.json", text, strlen(text));
	free(text);
	json_decref(config);
}

/* A model that is accepted runs, whatever its configuration; 5 tokens, if it has as many. */
static void run(const uint8_t *data, size_t size)
{
	const struct backbone_options options = {
		.trainable = true, .bidirectional = size % 2,
		.decoder_input = (enum backbone_decoder_input)(size % 3)};
	struct backbone *backbone = NULL;
	struct backbone_tape *tape = NULL;
	struct backbone_cache *cache = NULL;
	struct error error = {0};
	struct arena arena;
	struct rng rng;
	float *x, *y;

	rng_seed(&rng, 1);
	arena_init(&arena);
	config_edit(data, size, true);
	if (backbone_random(&backbone, test_folder, &options, &rng, &error)) {
		if (!error.text[0])
			abort();
		return;
	}
	x = calloc((size_t)(5 * backbone_shape(backbone)->width), sizeof(*x));
	y = calloc((size_t)(5 * backbone_shape(backbone)->width), sizeof(*y));
	if (!backbone_forward(backbone, &arena, x, 1, 5, y, &tape, NULL, NULL) &&
	    (backbone_backward(backbone, &arena, tape, y, x, NULL) ||
	     backbone_cache_new(backbone, 5, &cache, NULL) ||
	     backbone_extend(backbone, &arena, cache, x, 2, y, NULL) ||
	     backbone_extend(backbone, &arena, cache, x, 3, y, NULL)))
		abort();
	backbone_cache_free(cache);
	free(x);
	free(y);
	arena_free(&arena);
	backbone_close(backbone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct backbone *backbone;

	if (!backbone)
		backbone = start();
	if (size < 2)
		return 0;
	switch (data[0] % 5) {
	case 0:
		file_put("config.json", data + 1, size - 1);
		inspect();
		file_put("config.json", TINY, strlen(TINY));
		break;
	case 1:
		file_put("model.safetensors.index.json", data + 1, size - 1);
		inspect();
		file_drop("model.safetensors.index.json");
		break;
	case 2:
		config_edit(data + 1, size - 1, false);
		inspect();
		file_put("config.json", TINY, strlen(TINY));
		break;
	case 3:
		run(data + 1, size - 1);
		file_put("config.json", TINY, strlen(TINY));
		break;
	default:
		file_put("adapter_config.json", data + 1, size - 1);
		backbone_lora_load(backbone, test_folder, NULL);
	}
	return 0;
}
