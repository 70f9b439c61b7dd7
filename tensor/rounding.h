/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What blocked.c and integer.c share: rows of activations in groups, and as
 * 16-bit numbers.
 */
#ifndef TENSOR_ROUNDING_H
#define TENSOR_ROUNDING_H

#include "tensor/vector.h"

#define ROUNDING_LARGEST 32767

/*
 * What 1 means in a row of `count` numbers whose largest becomes
 * ROUNDING_LARGEST; *inverse: what they are multiplied with.  Not finite where
 * one of them is not: sizes compare as the bits that they are, and those of
 * what is no number are the largest.
 */
TENSOR_INLINE float rounding_step(const float *in, int64_t count, float *inverse)
{
	int32_t bits = 0;
	float largest;

	for (int64_t i = 0; i < count; i++) {
		const int32_t size = (int32_t)(bits_from_float(in[i]) & 0x7fffffff);

		bits = size > bits ? size : bits;
	}
	largest = bits_to_float((uint32_t)bits);
	*inverse = largest > 0 ? ROUNDING_LARGEST / largest : 0;
	return largest / ROUNDING_LARGEST;
}

/* 1.5 x 2^23 rounds to a whole number in the low bits of the sum. */
TENSOR_INLINE int16_t rounding_nearest(float value)
{
	return (int16_t)(bits_from_float(value + 12582912.0f) - 0x4b400000);
}

/* First of `rows` rows in a group, where groups hold at most `most` and about the same number. */
TENSOR_INLINE int64_t rounding_group_start(int64_t rows, int64_t most, int64_t group)
{
	const int64_t groups = (rows + most - 1) / most;

	return group * rows / groups;
}

#endif
