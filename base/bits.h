/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bits of an f32 as a number, and back.
 */
#ifndef BASE_BITS_H
#define BASE_BITS_H

#include <stdint.h>
#include <string.h>

#define BITS_INLINE static inline __attribute__((always_inline))

BITS_INLINE float bits_to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

BITS_INLINE uint32_t bits_from_float(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

#endif
