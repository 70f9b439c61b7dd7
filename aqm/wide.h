/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Products wider than 64 bits, without a type for them.
 */
#ifndef AQM_WIDE_H
#define AQM_WIDE_H

#include "aqm/facts.h"

/* floor(value x p), exactly; p_q32 <= 1, any value. */
AQM_INLINE uint64_t aqm_share(uint64_t value, uint64_t p_q32)
{
	const uint64_t low = (uint32_t)value;

	return (value >> 32) * p_q32 + ((low * p_q32) >> 32);
}

/* floor(a x b / c), exactly; a < 2^47, b <= 2^32, 0 < c <= 2^47, and the quotient below 2^48. */
AQM_INLINE uint64_t aqm_muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	const uint64_t upper = a * (b >> 16), lower = a * (b & 0xffff);
	const uint64_t quotient = aqm_div64(upper, c);

	return (quotient << 16) + aqm_div64(((upper - quotient * c) << 16) + lower, c);
}

/* a x b in Q0.64, rounded to nearest. */
AQM_INLINE uint64_t aqm_mul_q64(uint64_t a, uint64_t b)
{
	const uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
	const uint64_t low = a0 * b0, middle = a1 * b0 + (low >> 32);
	const uint64_t other = a0 * b1 + (uint32_t)middle;
	const uint64_t half = ((uint32_t)other >> 31) & 1;

	return a1 * b1 + (middle >> 32) + (other >> 32) + half;
}

/* base^exponent in Q0.64 for exponent >= 1, by squaring. */
AQM_INLINE uint64_t aqm_power_q64(uint64_t base, uint64_t exponent)
{
	uint64_t power = UINT64_MAX;
	bool first = true;

	/* Bounded for BPF. */
	for (int bit = 0; bit < 64 && exponent > 0; bit++, exponent >>= 1) {
		if (exponent & 1)
			power = first ? base : aqm_mul_q64(power, base);
		first = first && !(exponent & 1);
		base = aqm_mul_q64(base, base);
	}
	return power;
}

#endif
