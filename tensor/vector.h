/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building blocks of vectorised kernels.
 *
 * Kernels are plain loops that the compiler vectorises; TENSOR_CLONES builds
 * each of them three times (AVX-512, AVX2, baseline) and the loader picks one
 * for the machine it runs on.  Sums and maxima go over TENSOR_LANES partial
 * results in a fixed order, so that they are the same on every machine.
 */
#ifndef TENSOR_VECTOR_H
#define TENSOR_VECTOR_H

#include <stdint.h>
#include <string.h>

#include "base/bits.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TENSOR_CLONES /* resolvers run before the sanitizers are ready */
#elif defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define TENSOR_CLONES                                                                              \
	__attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TENSOR_CLONES
#endif

#define TENSOR_INLINE static inline __attribute__((always_inline))

/* Before a loop of few, constant rounds whose arrays must become registers. */
#if defined(__GNUC__) && !defined(__clang__)
#define TENSOR_UNROLL _Pragma("GCC unroll 16")
#else
#define TENSOR_UNROLL
#endif

#define TENSOR_LANES 16

/* Sum of the lanes, pairwise. */
TENSOR_INLINE float vector_lanes_sum(float *lane)
{
	for (int step = TENSOR_LANES / 2; step; step /= 2)
		for (int i = 0; i < step; i++)
			lane[i] += lane[i + step];
	return lane[0];
}

TENSOR_INLINE float vector_sum(const float *x, int64_t count)
{
	float lane[TENSOR_LANES] = {0};
	int64_t i = 0;

	for (; i + TENSOR_LANES <= count; i += TENSOR_LANES)
		for (int j = 0; j < TENSOR_LANES; j++)
			lane[j] += x[i + j];
	for (int j = 0; i < count; i++, j++)
		lane[j] += x[i];
	return vector_lanes_sum(lane);
}

TENSOR_INLINE float vector_dot(const float *x, const float *y, int64_t count)
{
	float lane[TENSOR_LANES] = {0};
	int64_t i = 0;

	for (; i + TENSOR_LANES <= count; i += TENSOR_LANES)
		for (int j = 0; j < TENSOR_LANES; j++)
			lane[j] += x[i + j] * y[i + j];
	for (int j = 0; i < count; i++, j++)
		lane[j] += x[i] * y[i];
	return vector_lanes_sum(lane);
}

/* Largest of `count` >= 1 numbers. */
TENSOR_INLINE float vector_max(const float *x, int64_t count)
{
	float lane[TENSOR_LANES], largest = x[0];
	int64_t i = 0;

	for (int j = 0; j < TENSOR_LANES; j++)
		lane[j] = x[0];
	for (; i + TENSOR_LANES <= count; i += TENSOR_LANES)
		for (int j = 0; j < TENSOR_LANES; j++)
			lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
	for (; i < count; i++)
		largest = x[i] > largest ? x[i] : largest;
	for (int j = 0; j < TENSOR_LANES; j++)
		largest = lane[j] > largest ? lane[j] : largest;
	return largest;
}

/*
 * e^x within 3e-7 relative for x in [-87, 88]; outside, the value at the edge.
 * x = k ln 2 + r with k whole and |r| <= ln 2 / 2; e^r by its Taylor series to
 * r^7 / 7!, whose next term is below 6e-9; 2^k through the exponent bits.  The
 * constant 1.5 x 2^23 rounds to a whole number in the low bits of the sum.
 */
TENSOR_INLINE float vector_exp(float x)
{
	const float rounder = 12582912.0f;
	float shifted, k, r, p;

	x = x < -87.0f ? -87.0f : x;
	x = x > 88.0f ? 88.0f : x;
	shifted = x * 1.44269504f + rounder;
	k = shifted - rounder;
	r = x - k * 0.693359375f; /* exact: ln 2 cut to 10 bits */
	r = r + k * 2.12194440e-4f;
	p = 1.0f / 5040;
	p = p * r + 1.0f / 720;
	p = p * r + 1.0f / 120;
	p = p * r + 1.0f / 24;
	p = p * r + 1.0f / 6;
	p = p * r + 0.5f;
	p = p * r + 1.0f;
	p = p * r + 1.0f;
	return p * bits_to_float((bits_from_float(shifted) + 127) << 23);
}

#endif
