/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Fixed-point arithmetic of the PI controllers.
 *
 * Probabilities are Q0.32 in 64 bits (1 is 2^32); gains are Q16 per second;
 * delays are nanoseconds.
 */
#ifndef AQM_FIXED_H
#define AQM_FIXED_H

#include "aqm/facts.h"

/* Delay differences are clamped to this, as far as a 32-bit count of ns goes. */
#define AQM_DELAY_MAX_NS INT64_C(4294967295)

AQM_INLINE int64_t aqm_clamp_s64(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* Signed difference of two times or delays, clamped to +-AQM_DELAY_MAX_NS. */
AQM_INLINE int64_t aqm_delay_difference_ns(uint64_t a_ns, uint64_t b_ns)
{
	return aqm_clamp_s64((int64_t)(a_ns - b_ns), -AQM_DELAY_MAX_NS, AQM_DELAY_MAX_NS);
}

/*
 * gain x delay in Q0.32: gain_q16 / 2^16 per s x delay_ns / 1e9 s x 2^32
 * = gain_q16 x delay_ns x 128 / 1953125, rounded towards zero.  With gain_q16 <= 2^22 and
 * |delay_ns| < 2^32 the product stays below 2^61.
 */
AQM_INLINE int64_t aqm_gain_q32(uint32_t gain_q16, int64_t delay_ns)
{
	const uint64_t magnitude = (uint64_t)(delay_ns < 0 ? -delay_ns : delay_ns);
	const int64_t product = (int64_t)aqm_div64(gain_q16 * magnitude * 128, 1953125);

	return delay_ns < 0 ? -product : product;
}

/* p^2, rounded down; p <= 1, so the result is exact in 64 bits only below 1. */
AQM_INLINE uint64_t aqm_square_q32(uint64_t p_q32)
{
	return p_q32 >= AQM_Q32_ONE ? AQM_Q32_ONE : (p_q32 * p_q32) >> 32;
}

/* True with probability p: 32 random bits are below it. */
AQM_INLINE bool aqm_chance(uint64_t p_q32, uint32_t bits)
{
	return bits < p_q32;
}

#endif
