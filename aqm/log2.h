/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Logarithm and power of two in integers, without tables.
 *
 * Between powers of two both follow the chord plus the parabola 0.344 f (1 - f), which meets
 * log2(1 + f) and 2^f in the middle: the logarithm is at most 0.017 off, the power 0.4 %.
 */
#ifndef AQM_LOG2_H
#define AQM_LOG2_H

#include "aqm/platform.h"

#define AQM_LOG2_ONE 256 /* a logarithm of 1: 8 fraction bits */

/* log2(1 + value) with 8 fraction bits: 0 for 0, at most 64 x 256. */
AQM_INLINE int32_t aqm_log2_q8(uint64_t value)
{
	const uint64_t more = value == UINT64_MAX ? value : value + 1;
	const int32_t whole = 63 - aqm_leading_zeros(more);
	const uint64_t normal = more << (63 - whole);
	const int32_t fraction = (int32_t)(normal >> 55) & 255;

	return whole * AQM_LOG2_ONE + fraction + ((fraction * (256 - fraction) * 88) >> 16);
}

/*
 * 2^z with 16 fraction bits, z with 12 fraction bits in [-8, 8]; exactly 2^16 for 0.  One shift up
 * and one down whatever the sign: no processor guesses it.
 */
AQM_INLINE uint32_t aqm_exp2_q16(int32_t z_q12)
{
	const uint32_t above = (uint32_t)(z_q12 + (8 << 12)); /* 2^-8 */
	const uint32_t fraction = above & 4095;
	const uint32_t bend = (fraction * (4096 - fraction) * 88) >> 16;
	const uint32_t mantissa = 65536 + 16 * fraction - bend;

	return (uint32_t)(((uint64_t)mantissa << (above >> 12)) >> 8);
}

#endif
