/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signed numbers over powers of two, rounded towards zero as C's division does: BPF has no
 * division of signed numbers, and a shift alone rounds down.
 */
#ifndef AQM_HALVED_H
#define AQM_HALVED_H

#include "aqm/facts.h"

/* value / 2^bits; bits at most 62. */
AQM_INLINE int64_t aqm_halved(int64_t value, unsigned bits)
{
	return (value + (value < 0 ? (INT64_C(1) << bits) - 1 : 0)) >> bits;
}

/* The same for 32 bits; bits at most 30. */
AQM_INLINE int32_t aqm_halved_s32(int32_t value, unsigned bits)
{
	return (value + (value < 0 ? (1 << bits) - 1 : 0)) >> bits;
}

#endif
