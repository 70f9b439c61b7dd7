/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The native L4S AQM as a step or a ramp.  Step: mark when a packet waited longer than a
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

/*
 * True with a probability that rises from 0 at 0.8 to 1 at 1.2 of the threshold, not rounded:
 * bits / 2^32 < (5 sojourn - 4 threshold) / (2 threshold).  The threshold is below 2^32 ns and
 * not 0; then neither side reaches 2^64.
 */
AQM_INLINE bool aqm_ramp_marks(uint64_t threshold_ns, uint64_t sojourn_ns, uint32_t bits)
{
	if (sojourn_ns >= 2 * threshold_ns || 5 * sojourn_ns >= 6 * threshold_ns)
		return true;
	return 5 * sojourn_ns > 4 * threshold_ns &&
	       bits * threshold_ns < (5 * sojourn_ns - 4 * threshold_ns) << 31;
}

#endif
