/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The burst allowance of PIE (RFC 8033 section 4.4): time in which nothing is
 * signalled, full at the start and after a quiet time.
 */
#ifndef AQM_BURST_H
#define AQM_BURST_H

#include "aqm/platform.h"

/* What is left after an update; `quiet`: nothing is signalled, and two delays were short. */
AQM_INLINE uint64_t aqm_burst_after_update(uint64_t allowance_ns, uint64_t max_burst_ns,
					   uint64_t tupdate_ns, bool quiet)
{
	if (quiet)
		return max_burst_ns;
	return allowance_ns > tupdate_ns ? allowance_ns - tupdate_ns : 0;
}

#endif
