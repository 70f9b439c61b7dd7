/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The native L4S AQM as a step: mark when a packet waited longer than a
 * threshold (RFC 9332 section 2.5.1 and appendix A.1), unless the queue was so
 * short when it arrived that waiting proves nothing.
 */
#ifndef AQM_STEP_H
#define AQM_STEP_H

#include "aqm/facts.h"

struct aqm_step_params {
	uint64_t threshold_ns;
	uint32_t min_qlen_pkts; /* packets that must have been queued at arrival; Linux: 0 */
};

/* `qlen_at_arrival_pkts`: packets in L when this one arrived, itself not counted. */
AQM_INLINE bool aqm_step_marks(const struct aqm_step_params *params, uint64_t sojourn_ns,
			       uint32_t qlen_at_arrival_pkts)
{
	return sojourn_ns > params->threshold_ns && qlen_at_arrival_pkts >= params->min_qlen_pkts;
}

#endif
