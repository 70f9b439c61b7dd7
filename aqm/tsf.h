/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Time-shifted FIFO between L and C (RFC 9332 section 4.2.2 and appendix A.1):
 * the packet that has waited longest goes first, with a head start of `shift_ns`
 * for L.  While Classic waits less than the shift, L has priority; an L queue that
 * never ends can delay Classic by the shift and what L itself waits, no more.
 */
#ifndef AQM_TSF_H
#define AQM_TSF_H

#include "aqm/facts.h"

/* Queue to serve; at least one is not empty.  shift_ns is at most 2^33. */
AQM_INLINE enum aqm_queue aqm_tsf_choose(uint64_t shift_ns, const struct aqm_head heads[AQM_QUEUES])
{
	if (heads[AQM_QUEUE_L].len_bytes == 0)
		return AQM_QUEUE_C;
	if (heads[AQM_QUEUE_C].len_bytes == 0)
		return AQM_QUEUE_L;
	return heads[AQM_QUEUE_L].sojourn_ns + shift_ns >= heads[AQM_QUEUE_C].sojourn_ns
		       ? AQM_QUEUE_L
		       : AQM_QUEUE_C;
}

#endif
