/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16-bit floating-point numbers: bfloat16 (the upper half of an f32) and IEEE
 * 754 binary16.  Both round to nearest, ties to even.
 */
#ifndef BASE_HALF_H
#define BASE_HALF_H

#include "base/bits.h"

BITS_INLINE float bf16_to_f32(uint16_t half)
{
	return bits_to_float((uint32_t)half << 16);
}

/* Finite numbers only; the largest of them round to infinity. */
BITS_INLINE uint16_t bf16_from_f32(float value)
{
	const uint32_t bits = bits_from_float(value);

	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* The exponent's bias is mended by a product, which also makes subnormal numbers right. */
BITS_INLINE float f16_to_f32(uint16_t half)
{
	const float size = bits_to_float((uint32_t)(half & 0x7fff) << 13) * 0x1p112f;
	const uint32_t special = (half & 0x7c00) == 0x7c00 ? 0x7f800000 : 0;

	return bits_to_float(bits_from_float(size) | special |
				      (uint32_t)(half & 0x8000) << 16);
}

/* Beyond 65504 (and half a step): infinity.  Below 2^-14 the sum with 1/2 does the rounding. */
BITS_INLINE uint16_t f16_from_f32(float value)
{
	const uint32_t bits = bits_from_float(value);
	const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
	const float size = bits_to_float(bits & 0x7fffffff);
	uint32_t body;

	if (!(size < 65520.0f))
		body = size == size ? 0x7c00 : 0x7e00;
	else if (size < 0x1p-14f)
		body = bits_from_float(size + 0.5f) - bits_from_float(0.5f);
	else
		body = ((bits & 0x7fffffff) + 0xc8000fff + (bits >> 13 & 1)) >> 13;
	return (uint16_t)(body | sign);
}

/* `count` numbers from anywhere in memory. */
BITS_INLINE void bf16_all_to_f32(float *out, const void *from, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		uint16_t half;

		memcpy(&half, (const char *)from + 2 * i, sizeof(half));
		out[i] = bf16_to_f32(half);
	}
}

BITS_INLINE void f16_all_to_f32(float *out, const void *from, int64_t count)
{
	for (int64_t i = 0; i < count; i++) {
		uint16_t half;

		memcpy(&half, (const char *)from + 2 * i, sizeof(half));
		out[i] = f16_to_f32(half);
	}
}

#endif
