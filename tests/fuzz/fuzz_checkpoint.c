/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: a whole directory, config.json and model.safetensors (or two shards
 * and their index), either opens as a model whose every number is finite, or
 * is refused with a message; the input is cut into the files by its first
 * bytes, and starts from a directory that is right.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"
#include "base/file.h"
#include "base/test_folder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define MODEL                                                                                      \
	"{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 4, \"n_head\": 2, "                \
	"\"vocab_size\": 2, \"n_positions\": 4}"
#define INDEX "{\"weight_map\": {\"wte.weight\": \"model.safetensors\"}}"

static char *weights;
static size_t weights_bytes;

static void file_put(const char *name, const void *data, size_t size)
{
	char path[TEST_PATH_BYTES];
	FILE *stream = fopen(test_path(path, name), "wb");

	if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream))
		abort();
}

static void folder_remove(void)
{
	test_folder_remove();
}

static void start(void)
{
	struct backbone *backbone = NULL;
	struct rng rng;
	char path[TEST_PATH_BYTES];

	rng_seed(&rng, 1);
	if (test_folder_make())
		abort();
	atexit(folder_remove);
	file_put("config.json", MODEL, strlen(MODEL));
	if (backbone_random(&backbone, test_folder, NULL, &rng, NULL) ||
	    backbone_save(backbone, test_folder, NULL) ||
	    file_read_all(test_path(path, "model.safetensors"), &weights, &weights_bytes, NULL))
		abort();
	backbone_close(backbone);
}

/* Input: length of config.json, length of the index (0: none), both files, the weights. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	const size_t index = seed % 32 == 0 ? strlen(INDEX) : 0;
	const size_t whole = 4 + strlen(MODEL) + index + weights_bytes;

	if (seed % 8 == 0 && whole && whole <= max_size) {
		data[0] = (uint8_t)strlen(MODEL);
		data[1] = (uint8_t)(strlen(MODEL) >> 8);
		data[2] = (uint8_t)index;
		data[3] = 0;
		memcpy(data + 4, MODEL, strlen(MODEL));
		memcpy(data + 4 + strlen(MODEL), INDEX, index);
		memcpy(data + 4 + strlen(MODEL) + index, weights, weights_bytes);
		size = whole;
	}
	return LLVMFuzzerMutate(data, size, max_size);
}

static void model_check(void)
{
	const struct backbone_options options = {.trainable = true};
	const struct backbone_param *params;
	struct backbone *backbone = NULL;
	struct error error = {0};

	if (backbone_open(&backbone, test_folder, &options, &error)) {
		if (!error.text[0] || backbone)
			abort();
		return;
	}
	for (size_t i = backbone_params(backbone, &params); i-- > 0;)
		for (int64_t j = 0; j < params[i].count; j++)
			if (!isfinite(params[i].value[j]))
				abort();
	backbone_close(backbone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t config, index;
	char path[TEST_PATH_BYTES];

	if (!weights)
		start();
	if (size < 4)
		return 0;
	config = (size_t)(data[0] | data[1] << 8);
	index = (size_t)(data[2] | data[3] << 8);
	if (config + index > size - 4)
		return 0;
	unlink(test_path(path, "model.safetensors.index.json"));
	file_put("config.json", data + 4, config);
	if (index)
		file_put("model.safetensors.index.json", data + 4 + config, index);
	file_put("model.safetensors", data + 4 + config + index, size - 4 - config - index);
	model_check();
	return 0;
}
