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

/* Delay differences are clamped to this: 18 minutes. */
#define AQM_DELAY_MAX_NS ((INT64_C(1) << 40) - 1)

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
 * What one update of a PI controller adds to its probability, in Q0.32, before any clamp:
 * alpha (qdelay - target) + beta (qdelay - previous).  A gain of g / 2^16 per s times d / 10^9 s
 * times 2^32 is g d x 128 / 1953125; the sum is rounded once, towards zero.  With gains up to
 * 2^22 and differences below 2^40 the sum stays within +-2^63, and the result within +-2^50.
 */
AQM_INLINE int64_t aqm_pi_change_q32(uint32_t alpha_q16, uint32_t beta_q16, uint64_t target_ns,
				     uint64_t qdelay_ns, uint64_t previous_ns)
{
	const int64_t error_ns = aqm_delay_difference_ns(qdelay_ns, target_ns);
	const int64_t change_ns = aqm_delay_difference_ns(qdelay_ns, previous_ns);
	const int64_t sum = alpha_q16 * error_ns + beta_q16 * change_ns;
	const uint64_t magnitude = (uint64_t)(sum < 0 ? -sum : sum);
	const uint64_t whole = aqm_div64(magnitude, 1953125);
	const uint64_t rest = aqm_div64((magnitude - whole * 1953125) * 128, 1953125);
	const int64_t change = (int64_t)(whole * 128 + rest);

	return sum < 0 ? -change : change;
}

/* k p', rounded down; may exceed 1.  k_q16 is at most 2^22. */
AQM_INLINE uint64_t aqm_coupled_q32(uint32_t k_q16, uint64_t p_q32)
{
	return (p_q32 * k_q16) >> 16;
}

/* p^2, rounded down; p <= 1.  (2^32)^2 would not fit in 64 bits. */
AQM_INLINE uint64_t aqm_square_q32(uint64_t p_q32)
{
	return p_q32 >= AQM_Q32_ONE ? AQM_Q32_ONE : (p_q32 * p_q32) >> 32;
}

/* p^2 >= level, not rounded; both are at most 1. */
AQM_INLINE bool aqm_square_reaches(uint64_t p_q32, uint64_t level_q32)
{
	return p_q32 >= AQM_Q32_ONE ||
	       (level_q32 < AQM_Q32_ONE && p_q32 * p_q32 >= level_q32 << 32);
}

/* True with probability p: 32 random bits are below it. */
AQM_INLINE bool aqm_chance(uint64_t p_q32, uint32_t bits)
{
	return bits < p_q32;
}

/*
 * True with probability p^2: two draws with p, each with half of the bits (RFC 9332 section 4.2.1).
 */
AQM_INLINE bool aqm_squared_chance(uint64_t p_q32, uint64_t bits)
{
	return aqm_chance(p_q32, (uint32_t)bits) && aqm_chance(p_q32, (uint32_t)(bits >> 32));
}

/* True with probability k p', not rounded; k_q16 is at most 2^22. */
AQM_INLINE bool aqm_coupled_chance(uint32_t k_q16, uint64_t p_q32, uint32_t bits)
{
	return (uint64_t)bits << 16 < p_q32 * k_q16;
}

#endif
