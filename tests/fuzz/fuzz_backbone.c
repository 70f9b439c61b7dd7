/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: whatever config.json holds, a folder is either refused with a message
 * or describes a model of at least one parameter; nothing is allocated for
 * weights before that is known.  The first byte chooses which file the bytes
 * become: config.json, or the adapter's, or the index of shards.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backbone/backbone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TINY                                                                                       \
	"{\"model_type\": \"gpt2\", \"n_layer\": 1, \"n_embd\": 4, \"n_head\": 2, "                \
	"\"vocab_size\": 2, \"n_positions\": 4}"

static char folder[] = "/tmp/fuzz_backbone_XXXXXX";

static void file_put(const char *name, const void *data, size_t size)
{
	char path[128];
	FILE *stream;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	stream = fopen(path, "wb");
	if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream))
		abort();
}

static void file_drop(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

static void folder_remove(void)
{
	file_drop("config.json");
	file_drop("adapter_config.json");
	file_drop("adapter_model.safetensors");
	file_drop("model.safetensors.index.json");
	file_drop("model.safetensors");
	rmdir(folder);
}

/* A tiny model and its adapter, made once. */
static struct backbone *start(void)
{
	const struct lora_options lora = {.rank = 2, .alpha = 4};
	struct backbone *backbone = NULL;
	struct rng rng;

	rng_seed(&rng, 1);
	if (!mkdtemp(folder))
		abort();
	atexit(folder_remove);
	file_put("config.json", TINY, strlen(TINY));
	if (backbone_random(&backbone, folder, NULL, &rng, NULL) ||
	    backbone_save(backbone, folder, NULL) ||
	    backbone_lora_new(backbone, &lora, &rng, NULL) ||
	    backbone_lora_save(backbone, folder, NULL))
		abort();
	return backbone;
}

static void inspect(void)
{
	struct backbone_shape shape;
	struct error error = {0};

	if (backbone_inspect(folder, &shape, &error) ? !error.text[0] : shape.parameters < 1)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct backbone *backbone;

	if (!backbone)
		backbone = start();
	if (size == 0)
		return 0;
	switch (data[0] % 3) {
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
	default:
		file_put("adapter_config.json", data + 1, size - 1);
		backbone_lora_load(backbone, folder, NULL);
	}
	return 0;
}
