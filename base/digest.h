/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4): names for content, so that a result can say exactly
 * what it was made from.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DIGEST_BYTES 32

/* A digest being computed; plain data. */
struct digest {
	uint32_t state[8];
	uint64_t size;           /* bytes so far */
	unsigned char block[64]; /* the last size % 64 of them */
};

void digest_init(struct digest *digest);
void digest_add(struct digest *digest, const void *data, size_t size);

/* Ends it; `digest` must be initialised again before more is added. */
void digest_end(struct digest *digest, unsigned char value[DIGEST_BYTES]);

/* Adds a file's size and content.  ERR_NOT_FOUND, ERR_IO, ERR_INVALID (no ordinary file). */
int digest_add_file(struct digest *digest, const char *path, struct error *error);

#endif
