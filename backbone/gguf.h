/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The GGUF container, versions 2 and 3, little-endian, memory-mapped.
 *
 * Source: the GGUF specification (ggml, docs/gguf.md).  Layout: magic,
 * version, counts of tensors and keys; the keys with their typed values; name,
 * extents, type and offset of each tensor; padding to the alignment; data.
 *
 * A file is hostile until proven otherwise: every count, length, type, offset
 * and extent is checked on opening, and nothing is allocated for a count that
 * the rest of the file could not hold.  Readers of an open container need no
 * checks.
 */
#ifndef BACKBONE_GGUF_H
#define BACKBONE_GGUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backbone/blocks.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

#define GGUF_MAX_DIMS 4

/* Types of values; the numbers are those of the format. */
enum gguf_kind {
	GGUF_U8,
	GGUF_I8,
	GGUF_U16,
	GGUF_I16,
	GGUF_U32,
	GGUF_I32,
	GGUF_F32,
	GGUF_BOOL,
	GGUF_STRING,
	GGUF_ARRAY,
	GGUF_U64,
	GGUF_I64,
	GGUF_F64,
	GGUF_KINDS,
};

struct gguf_value {
	const char *key;            /* owned by the container */
	enum gguf_kind kind;        /* GGUF_ARRAY: see element */
	enum gguf_kind element;     /* of an array; never an array itself */
	uint64_t count;             /* elements of an array; 1 otherwise */
	const unsigned char *bytes; /* the value, or the array's first element; into the map */
};

struct gguf_tensor {
	const char *name;
	enum block_type type;   /* block_format() of it is not NULL; may be unreadable */
	int dims;
	int64_t shape[GGUF_MAX_DIMS]; /* fastest first: the reverse of row-major */
	int64_t count;
	const unsigned char *data;    /* into the map */
	size_t size_bytes;
};

struct gguf {
	struct file_map map;
	struct arena memory;
	struct gguf_value *values; /* sorted by key */
	size_t value_count;
	struct gguf_tensor *tensors; /* sorted by name */
	size_t tensor_count;
	uint32_t version;
	char path[4096];
};

/* ERR_NOT_FOUND, ERR_IO; ERR_INVALID, ERR_UNSUPPORTED: the message names key or tensor. */
int gguf_open(struct gguf *file, const char *path, struct error *error);
void gguf_close(struct gguf *file);

/* By name, or NULL. */
const struct gguf_tensor *gguf_find(const struct gguf *file, const char *name);
const struct gguf_value *gguf_value(const struct gguf *file, const char *key);

/*
 * Value of a key: a whole number of any width, a number of either width or a
 * whole one, text (copied into the container's memory).  0 with *found false
 * when there is no such key; ERR_INVALID when its type is another, ERR_RANGE
 * when it does not fit in int64_t.  An array whose elements are all equal
 * counts as that element (files that keep one value a layer).
 */
int gguf_integer(const struct gguf *file, const char *key, int64_t *value, bool *found,
		 struct error *error);
int gguf_real(const struct gguf *file, const char *key, double *value, bool *found,
	      struct error *error);
int gguf_text(struct gguf *file, const char *key, const char **value, bool *found,
	      struct error *error);

/* Text at `bytes`, and where the next one begins; the array was checked on opening. */
const unsigned char *gguf_next_string(const unsigned char *bytes, const char **text,
				      size_t *length);

#endif
