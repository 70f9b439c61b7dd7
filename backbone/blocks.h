/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the numbers of a checkpoint's tensor are stored: plain, or in blocks
 * that share a scale (the ggml types of GGUF files).
 *
 * Sources: the GGUF specification (ggml, docs/gguf.md) for the list of types,
 * and the definition of each block there.  With d, m binary16, q whole:
 *
 *     Q8_0   32 numbers: d, 32 x int8            x = d q
 *     Q4_0   32: d, 32 x 4 bits                  x = d (q - 8)
 *     Q4_1   32: d, m, 32 x 4 bits               x = d q + m
 *     Q5_0   32: d, 32 fifth bits, 32 x 4 bits   x = d (q - 16)
 *     Q5_1   32: d, m, fifth bits, 4 bits        x = d q + m
 *     Q4_K  256: d, m, 8 x (6-bit s, t), 4 bits  x = d s q - m t, s and t of its 32
 *     Q5_K  256: the same and fifth bits
 *     Q6_K  256: 4 bits, 2 bits, 16 x int8 s, d  x = d s (q - 32), s of its 16
 *
 * Within a block of 32, byte j holds number j in its low and j + 16 in its
 * high four bits.
 */
#ifndef BACKBONE_BLOCKS_H
#define BACKBONE_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Values are those of the GGUF format. */
enum block_type {
	BLOCK_F32 = 0,
	BLOCK_F16 = 1,
	BLOCK_Q4_0 = 2,
	BLOCK_Q4_1 = 3,
	BLOCK_Q5_0 = 6,
	BLOCK_Q5_1 = 7,
	BLOCK_Q8_0 = 8,
	BLOCK_Q4_K = 12,
	BLOCK_Q5_K = 13,
	BLOCK_Q6_K = 14,
	BLOCK_F64 = 28,
	BLOCK_BF16 = 30,
};

/* Most numbers that one block of any type holds. */
#define BLOCK_MAX_NUMBERS 256

struct block_format {
	const char *name;
	int64_t numbers; /* in a block; 1: stored plainly */
	size_t bytes;    /* of a block */
	bool readable;   /* block_decode() knows it */
};

/* Format of the type with this value in a GGUF file; NULL when there is no such type. */
const struct block_format *block_format(uint32_t type);

/* Type of that name ("q4_0", in any case), or -1. */
int block_type_named(const char *name);

/* Decodes `count` numbers, whole blocks, of a readable type. */
void block_decode(enum block_type type, const void *from, int64_t count, float *out);

/* True for the types that block_encode() writes: F32, F16, BF16, Q8_0, Q4_0. */
bool block_encodable(enum block_type type);

/* Encodes `count` numbers, whole blocks, as one of them. */
void block_encode(enum block_type type, const float *from, int64_t count, void *out);

#endif
