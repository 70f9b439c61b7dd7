/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The safetensors container: u64 little-endian header length, JSON header,
 * raw little-endian data.  Used for checkpoints, adapters and pools alike.
 *
 * A file is hostile until proven otherwise: header length, JSON shape, dtypes,
 * element counts, offsets (inside the file, no overlap, no holes that lie) are
 * all checked on opening, so that readers of an open container need no checks.
 */
#ifndef BASE_SAFETENSORS_H
#define BASE_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/file.h"

#define SAFETENSORS_MAX_DIMS 8

enum safetensors_dtype {
	SAFETENSORS_F32,
	SAFETENSORS_F16,
	SAFETENSORS_BF16,
	SAFETENSORS_F64,
	SAFETENSORS_I64,
	SAFETENSORS_I32,
	SAFETENSORS_I16,
	SAFETENSORS_I8,
	SAFETENSORS_U8,
	SAFETENSORS_BOOL,
};

struct safetensors_entry {
	const char *name; /* owned by the container */
	enum safetensors_dtype dtype;
	int dims;
	int64_t shape[SAFETENSORS_MAX_DIMS];
	int64_t count;    /* product of the shape */
	const void *data; /* into the map; may be unaligned */
	size_t size_bytes;
};

struct safetensors {
	struct file_map map;
	struct safetensors_entry *entries; /* sorted by name */
	size_t count;
	size_t data_bytes; /* length of the data section */
	void *header; /* parsed header, private */
	char path[4096];
};

size_t safetensors_dtype_bytes(enum safetensors_dtype dtype);
const char *safetensors_dtype_name(enum safetensors_dtype dtype);

int safetensors_open(struct safetensors *file, const char *path, struct error *error);
void safetensors_close(struct safetensors *file);

/* Entry by name, or NULL. */
const struct safetensors_entry *safetensors_find(const struct safetensors *file, const char *name);

/* Value of `key` in the header's `__metadata__`, or NULL. */
const char *safetensors_metadata(const struct safetensors *file, const char *key);

/* Converts a whole F32, F16, BF16 or F64 entry to f32.  ERR_UNSUPPORTED for integer types. */
int safetensors_to_f32(const struct safetensors_entry *entry, float *out, struct error *error);

/* What to write: data in host order (little-endian hosts only). */
struct safetensors_item {
	const char *name;
	enum safetensors_dtype dtype;
	int dims;
	int64_t shape[SAFETENSORS_MAX_DIMS];
	const void *data;
};

/*
 * Writes a container atomically, tensors in the given order, header padded to
 * 8 bytes with spaces.  `metadata` is a NULL-terminated list key, value, ...
 * or NULL.
 */
int safetensors_write(const char *path, const struct safetensors_item *items, size_t count,
		      const char *const *metadata, struct error *error);

#endif
