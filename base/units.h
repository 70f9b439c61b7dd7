/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Units: time is 64-bit nanoseconds from the start of a run; rates are bit/s.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdint.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* "Never": a deadline that no run reaches. */
#define TIME_NEVER_NS UINT64_MAX

/* Rounded to the nearest nanosecond; negative and NaN give 0. */
static inline uint64_t ns_from_seconds(double seconds)
{
	return seconds > 0 ? (uint64_t)(seconds * 1e9 + 0.5) : 0;
}

static inline uint64_t ns_from_ms(double ms)
{
	return ms > 0 ? (uint64_t)(ms * 1e6 + 0.5) : 0;
}

static inline double seconds_from_ns(uint64_t ns)
{
	return (double)ns / 1e9;
}

static inline double ms_from_ns(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* Time a packet of `bytes` takes at `rate_bps` (> 0), rounded up to a whole nanosecond. */
static inline uint64_t transmission_ns(uint64_t bytes, uint64_t rate_bps)
{
	const unsigned __int128 bits_ns = (unsigned __int128)bytes * 8 * NS_PER_S;

	return (uint64_t)((bits_ns + rate_bps - 1) / rate_bps);
}

#endif
