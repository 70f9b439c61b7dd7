/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: whatever the bytes, a GGUF file is either refused with a message, or
 * every tensor it names lies inside the file with as many bytes as its type
 * and extents say, is found by its name, and every value of it can be asked
 * for; and the model in it opens, or is refused with a message.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/backbone.h"
#include "backbone/checkpoint.h"
#include "backbone/export.h"
#include "backbone/gguf.h"
#include "base/file.h"
#include "base/test_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define LLAMA                                                                                      \
	"{\"model_type\": \"llama\", \"num_hidden_layers\": 1, \"hidden_size\": 32, "              \
	"\"num_attention_heads\": 2, \"intermediate_size\": 32, \"vocab_size\": 2, "               \
	"\"max_position_embeddings\": 4, \"attention_bias\": true}"
#define GPT2                                                                                       \
	"{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 32, \"n_head\": 2, "               \
	"\"vocab_size\": 2, \"n_positions\": 4}"

#define SEEDS 4

static char path[TEST_PATH_BYTES];
static char *seeds[SEEDS];
static size_t seed_bytes[SEEDS];

static void file_put(const char *name, const void *data, size_t size)
{
	char to[TEST_PATH_BYTES];
	FILE *stream = fopen(test_path(to, name), "wb");

	if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream))
		abort();
}

static void folder_remove(void)
{
	test_folder_remove();
}

/* Files that are right, to start from. */
static void start(void)
{
	static const enum block_type types[SEEDS] = {BLOCK_F32, BLOCK_Q4_0, BLOCK_F16, BLOCK_Q8_0};

	if (test_folder_make())
		abort();
	atexit(folder_remove);
	test_path(path, "model.gguf");
	for (int i = 0; i < SEEDS; i++) {
		const char *config = i < 2 ? LLAMA : GPT2;
		struct backbone *backbone = NULL;
		struct rng rng;

		rng_seed(&rng, 1);
		file_put("config.json", config, strlen(config));
		if (backbone_random(&backbone, test_folder, NULL, &rng, NULL) ||
		    backbone_save(backbone, test_folder, NULL) ||
		    backbone_export(test_folder, path, types[i], NULL) ||
		    file_read_all(path, &seeds[i], &seed_bytes[i], NULL))
			abort();
		backbone_close(backbone);
	}
}

/* One time in eight a right file takes the place of the input before it is changed. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	if (!seeds[0])
		start();
	if (seed % 8 == 0 && seed_bytes[seed / 8 % SEEDS] <= max_size) {
		size = seed_bytes[seed / 8 % SEEDS];
		memcpy(data, seeds[seed / 8 % SEEDS], size);
	}
	return LLVMFuzzerMutate(data, size, max_size);
}

static void tensor_check(const struct gguf *file, const struct gguf_tensor *tensor)
{
	const struct block_format *format = block_format(tensor->type);

	if (!format || tensor->data < file->map.data ||
	    tensor->size_bytes > (size_t)(file->map.data + file->map.size - tensor->data) ||
	    tensor->size_bytes !=
		    (size_t)(tensor->count / format->numbers) * format->bytes ||
	    gguf_find(file, tensor->name) != tensor)
		abort();
}

static void values_check(struct gguf *file)
{
	for (size_t i = 0; i < file->value_count; i++) {
		const char *key = file->values[i].key, *text;
		int64_t whole;
		double real;
		bool found;

		gguf_integer(file, key, &whole, &found, NULL);
		gguf_real(file, key, &real, &found, NULL);
		gguf_text(file, key, &text, &found, NULL);
		if (!found || gguf_value(file, key) != &file->values[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct backbone_options packed = {.precision = MATRIX_INT4};
	struct backbone *backbone;
	struct error error = {0};
	struct gguf file;

	if (!seeds[0])
		start();
	file_put("model.gguf", data, size);
	if (gguf_open(&file, path, &error)) {
		if (!error.text[0])
			abort();
		return 0;
	}
	for (size_t i = 0; i < file.tensor_count; i++)
		tensor_check(&file, &file.tensors[i]);
	values_check(&file);
	gguf_close(&file);
	if (backbone_open(&backbone, path, NULL, &error) && !error.text[0])
		abort();
	backbone_close(backbone);
	if (backbone_open(&backbone, path, &packed, &error) == 0)
		backbone_close(backbone);
	return 0;
}
