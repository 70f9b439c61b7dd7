/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Integer square root, and the control law of CoDel that needs it.
 */
#ifndef AQM_ISQRT_H
#define AQM_ISQRT_H

#include "aqm/platform.h"

/* The square of an interval of this many ns still fits in 64 bits. */
#define AQM_INTERVAL_MAX_NS UINT64_C(4294967295)

/*
 * floor(sqrt(value)), exactly, for every value.
 *
 * Newton's iteration from above: a power of two that is at least the root, then the mean of the
 * guess and value / guess, until it no longer falls.  Converges in at most 6 rounds from a guess
 * within a factor of two; BPF wants a loop that says so.
 */
#define AQM_ISQRT_ROUNDS 7
AQM_INLINE uint64_t aqm_isqrt(uint64_t value)
{
	uint64_t root;

	if (value < 2)
		return value;
	root = UINT64_C(1) << ((65U - (uint32_t)aqm_leading_zeros(value)) / 2);
	for (int i = 0; i < AQM_ISQRT_ROUNDS; i++) {
		const uint64_t next = (root + aqm_div64(value, root)) / 2;

		if (next >= root)
			break;
		root = next;
	}
	return root;
}

/*
 * interval / sqrt(count) in ns, rounded down (RFC 8289 section 5.6, control_law): no table, no
 * error that grows with count, because floor(sqrt(floor(x))) = floor(sqrt(x)).
 * interval_ns <= AQM_INTERVAL_MAX_NS; count 0 counts as 1.
 */
AQM_INLINE uint64_t aqm_interval_over_sqrt_ns(uint64_t interval_ns, uint32_t count)
{
	return count < 2 ? interval_ns : aqm_isqrt(aqm_div64(interval_ns * interval_ns, count));
}

#endif
