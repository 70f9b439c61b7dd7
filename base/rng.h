/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Seeded, splittable random numbers: xoshiro256++ (Blackman and Vigna 2019),
 * seeded through splitmix64.
 *
 * A run owns one root generator made from its seed and gives every consumer a
 * child of its own by rng_split(label), so that adding a consumer never moves
 * another's draws: runs with the same seed stay paired.
 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state[4]; /* plain data: copy it to save, assign it to resume */
};

/* Any seed is good, 0 included. */
void rng_seed(struct rng *rng, uint64_t seed);

/* A generator that depends on the parent's seed state and `label` only; the parent is not advanced.
 */
struct rng rng_split(const struct rng *parent, uint64_t label);

/* 64 uniform bits. */
uint64_t rng_u64(struct rng *rng);

/* Uniform in [0, 1), 53 bits. */
double rng_uniform(struct rng *rng);

/* Uniform in [0, bound), unbiased; bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* Standard normal (Box-Muller; draws twice every call, keeps nothing). */
double rng_normal(struct rng *rng);

/* Exponential with mean 1. */
double rng_exponential(struct rng *rng);

/* Fisher-Yates over `count` indices. */
void rng_shuffle(struct rng *rng, uint32_t *items, uint32_t count);

#endif
