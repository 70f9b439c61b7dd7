/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing the head of a GGUF file, version 3: keys and descriptions are
 * collected in any order, then written in front of the tensors' data, which
 * the caller adds in the order of the descriptions, padded to the alignment.
 */
#ifndef BACKBONE_GGUF_WRITE_H
#define BACKBONE_GGUF_WRITE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "backbone/blocks.h"
#include "backbone/gguf.h"
#include "base/error.h"

#define GGUF_WRITE_ALIGNMENT 32

struct gguf_head {
	FILE *values, *tensors; /* memory streams */
	char *value_bytes, *tensor_bytes;
	size_t value_size, tensor_size;
	uint64_t value_count, tensor_count, data_bytes;
};

/* ERR_NO_MEMORY.  Freed by gguf_head_free(), also after a failure. */
int gguf_head_new(struct gguf_head *head, struct error *error);
void gguf_head_free(struct gguf_head *head);

void gguf_put_text(struct gguf_head *head, const char *key, const char *text);
void gguf_put_u32(struct gguf_head *head, const char *key, uint32_t value);
void gguf_put_f32(struct gguf_head *head, const char *key, float value);

/* Begins an array; `count` elements follow by gguf_add_text() or gguf_add_i32(). */
void gguf_put_array(struct gguf_head *head, const char *key, enum gguf_kind element,
		    uint64_t count);
void gguf_add_text(struct gguf_head *head, const char *text, size_t length);
void gguf_add_i32(struct gguf_head *head, int32_t value);

/* Extents as rows of stored numbers, row-major: the last is the fastest. */
void gguf_put_tensor(struct gguf_head *head, const char *name, enum block_type type, int dims,
		     const int64_t *shape);

/* Magic, counts, keys, descriptions, padding.  ERR_IO, ERR_NO_MEMORY. */
int gguf_head_write(struct gguf_head *head, FILE *stream, const char *path, struct error *error);

#endif
