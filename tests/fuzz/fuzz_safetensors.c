/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Law: whatever the bytes, a container is either refused with a message, or
 * every tensor it names lies inside the file, has as many bytes as its shape
 * says, is found by its name, and can be converted or is refused.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void entry_check(const struct safetensors *file, const struct safetensors_entry *entry)
{
	const unsigned char *first = entry->data;
	float *values;

	if (first < file->map.data || first + entry->size_bytes > file->map.data + file->map.size ||
	    entry->size_bytes != (size_t)entry->count * safetensors_dtype_bytes(entry->dtype) ||
	    safetensors_find(file, entry->name) != entry)
		abort();
	values = malloc((size_t)entry->count * sizeof(*values) + 1);
	if (values)
		safetensors_to_f32(entry, values, NULL);
	free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int descriptor = memfd_create("fuzz", 0);
	struct safetensors file;
	struct error error = {0};
	char path[64];

	if (descriptor < 0 || write(descriptor, data, size) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", descriptor);
	if (safetensors_open(&file, path, &error)) {
		if (!error.text[0])
			abort();
	} else {
		for (size_t i = 0; i < file.count; i++)
			entry_check(&file, &file.entries[i]);
		safetensors_close(&file);
	}
	close(descriptor);
	return 0;
}
