/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The only door from a decision core to a platform.
 *
 * Need: fixed-width integers, bool, size_t, a 64-bit division, the leading zeros of 64 bits,
 * always-inline.
 * Nothing else: no libc, no allocation, no float, no clock, no randomness.
 * A kernel or BPF build supplies a twin of this file with the same names.
 */
#ifndef AQM_PLATFORM_H
#define AQM_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AQM_INLINE static inline __attribute__((always_inline))
/* Of what is long: called, not inlined, where the stack is small (BPF). */
#define AQM_PART AQM_INLINE

/* Quotient of two unsigned 64-bit numbers; divisor > 0. */
AQM_INLINE uint64_t aqm_div64(uint64_t dividend, uint64_t divisor)
{
	return dividend / divisor;
}

/* Zero bits above the highest set one; value > 0. */
AQM_INLINE int aqm_leading_zeros(uint64_t value)
{
	return __builtin_clzll(value);
}

#endif
