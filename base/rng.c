/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * xoshiro256++ (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators", 2019), seeded and split through splitmix64.
 */
#include "base/rng.h"

#include <math.h>

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t rotate_left(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

void rng_seed(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 4; i++)
		rng->state[i] = splitmix64(&seed);
}

struct rng rng_split(const struct rng *parent, uint64_t label)
{
	uint64_t mix = label;
	struct rng child;

	/* Every word of the parent and the label reach every word of the child. */
	for (int i = 0; i < 4; i++)
		mix = splitmix64(&mix) ^ parent->state[i];
	for (int i = 0; i < 4; i++)
		child.state[i] = splitmix64(&mix);
	return child;
}

uint64_t rng_u64(struct rng *rng)
{
	uint64_t *s = rng->state;
	const uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

double rng_uniform(struct rng *rng)
{
	return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	/* Draws below 2^64 mod bound would favour small results: throw them away. */
	const uint64_t threshold = -bound % bound;
	uint64_t draw;

	do {
		draw = rng_u64(rng);
	} while (draw < threshold);
	return draw % bound;
}

double rng_normal(struct rng *rng)
{
	const double radius = sqrt(2 * rng_exponential(rng));

	return radius * cos(2 * 3.14159265358979323846 * rng_uniform(rng));
}

double rng_exponential(struct rng *rng)
{
	return -log(1 - rng_uniform(rng));
}

void rng_shuffle(struct rng *rng, uint32_t *items, uint32_t count)
{
	for (uint32_t i = count; i > 1; i--) {
		const uint32_t j = (uint32_t)rng_below(rng, i);
		const uint32_t item = items[i - 1];

		items[i - 1] = items[j];
		items[j] = item;
	}
}
