/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SHA-256 (FIPS 180-4, sections 4.1.2, 5.1.1, 6.2).
 *
 * The round constants are the first 32 bits of the fractional parts of the cube
 * roots of the first 64 primes, the initial state those of the square roots of
 * the first 8.
 */
#include "base/digest.h"

#include <string.h>

#include "base/file.h"

#define FORGET_BYTES ((size_t)8 << 20)

#define BLOCK 64

static const uint32_t constants[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static uint32_t rotate(uint32_t x, int bits)
{
	return (x >> bits) | (x << (32 - bits));
}

static void expand(uint32_t schedule[64], const unsigned char *block)
{
	for (int i = 0; i < 16; i++)
		schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			      (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (int i = 16; i < 64; i++) {
		const uint32_t a = schedule[i - 15], b = schedule[i - 2];

		schedule[i] = schedule[i - 16] + (rotate(a, 7) ^ rotate(a, 18) ^ (a >> 3)) +
			      schedule[i - 7] + (rotate(b, 17) ^ rotate(b, 19) ^ (b >> 10));
	}
}

/* v holds the working variables a to h. */
static void compress(uint32_t state[8], const unsigned char *block)
{
	uint32_t schedule[64], v[8];

	expand(schedule, block);
	memcpy(v, state, sizeof(v));
	for (int i = 0; i < 64; i++) {
		const uint32_t choose = (v[4] & v[5]) ^ (~v[4] & v[6]);
		const uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
		const uint32_t one = v[7] +
				     (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
				     choose + constants[i] + schedule[i];
		const uint32_t two =
			(rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += one;
		v[0] = one + two;
	}
	for (int i = 0; i < 8; i++)
		state[i] += v[i];
}

void digest_init(struct digest *digest)
{
	*digest = (struct digest){
		.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
			  0x1f83d9ab, 0x5be0cd19},
	};
}

void digest_add(struct digest *digest, const void *data, size_t size)
{
	const unsigned char *bytes = data;

	while (size > 0) {
		const size_t used = digest->size % BLOCK, room = BLOCK - used;
		const size_t take = size < room ? size : room;

		memcpy(digest->block + used, bytes, take);
		digest->size += take;
		bytes += take;
		size -= take;
		if (digest->size % BLOCK == 0)
			compress(digest->state, digest->block);
	}
}

void digest_end(struct digest *digest, unsigned char value[DIGEST_BYTES])
{
	const uint64_t bits = digest->size * 8;
	unsigned char length[8];

	digest_add(digest, "\x80", 1);
	while (digest->size % BLOCK != BLOCK - 8)
		digest_add(digest, "", 1);
	for (int i = 0; i < 8; i++)
		length[i] = (unsigned char)(bits >> (56 - 8 * i));
	digest_add(digest, length, sizeof(length));
	for (int i = 0; i < DIGEST_BYTES; i++)
		value[i] = (unsigned char)(digest->state[i / 4] >> (24 - 8 * (i % 4)));
}

int digest_add_file(struct digest *digest, const char *path, struct error *error)
{
	struct file_map map;
	int code = file_map_open(&map, path, error);

	if (code)
		return code;
	digest_add(digest, &(uint64_t){map.size}, sizeof(uint64_t));
	for (size_t at = 0; at < map.size; at += FORGET_BYTES) {
		const size_t left = map.size - at, size = left < FORGET_BYTES ? left : FORGET_BYTES;
		const unsigned char *data = (const unsigned char *)map.data + at;

		digest_add(digest, data, size);
		file_map_forget(data, size); /* a large file takes no memory */
	}
	file_map_close(&map);
	return 0;
}
