/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log-linear buckets of unsigned values: [0, 2 << bits) one by one, then
 * 1 << bits to each power of two, up to 64 bits.
 *
 * The middle of a bucket is within 1 / (2 << bits) of every value in it.
 */
#ifndef BASE_LOG_BUCKETS_H
#define BASE_LOG_BUCKETS_H

#include <math.h>
#include <stdint.h>

/* How many there are. */
#define LOG_BUCKETS(bits) ((2U << (bits)) + ((63U - (bits)) << (bits)))

static inline unsigned log_bucket(uint64_t value, unsigned bits)
{
	unsigned shift;

	if (value < UINT64_C(2) << bits)
		return (unsigned)value;
	/* value >> shift lies in [1 << bits, 2 << bits) */
	shift = 63 - bits - (unsigned)__builtin_clzll(value);
	return (shift << bits) + (unsigned)(value >> shift);
}

/* Middle of a bucket. */
static inline double log_bucket_middle(unsigned bucket, unsigned bits)
{
	unsigned shift;

	if (bucket < 2U << bits)
		return bucket;
	shift = (bucket >> bits) - 1;
	return ldexp(bucket - (shift << bits) + 0.5, (int)shift);
}

#endif
