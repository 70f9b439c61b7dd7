/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Weighted round robin between L and C (RFC 9332 section 4.2.2 leaves the
 * choice; the rule is that of Linux's sch_dualpi2).
 *
 * One credit counts for both: serving L adds (share of C) x length, serving C
 * takes away (share of L) x length, each only while the other queue waits.  L
 * is served while the credit is not positive.
 */
#ifndef AQM_WRR_H
#define AQM_WRR_H

#include "aqm/facts.h"

struct aqm_wrr_params {
	uint32_t c_percent; /* share protected for C, in (0, 100) */
};

struct aqm_wrr_vars {
	int64_t credit;
};

/* Where the credit starts, and starts again when both queues ran empty. */
AQM_INLINE void aqm_wrr_reset(const struct aqm_wrr_params *params, struct aqm_wrr_vars *vars,
			      uint32_t mtu_bytes)
{
	vars->credit = (int64_t)mtu_bytes *
		       ((int64_t)params->c_percent - (100 - (int64_t)params->c_percent));
}

/* Queue to serve; at least one is not empty. */
AQM_INLINE enum aqm_queue aqm_wrr_choose(const struct aqm_wrr_vars *vars,
					 const struct aqm_head heads[AQM_QUEUES])
{
	if (heads[AQM_QUEUE_L].len_bytes == 0)
		return AQM_QUEUE_C;
	if (heads[AQM_QUEUE_C].len_bytes == 0 || vars->credit <= 0)
		return AQM_QUEUE_L;
	return AQM_QUEUE_C;
}

/* A packet of `len_bytes` left `queue` while the other one was (not) waiting. */
AQM_INLINE void aqm_wrr_served(const struct aqm_wrr_params *params, struct aqm_wrr_vars *vars,
			       enum aqm_queue queue, uint32_t len_bytes, bool other_waits)
{
	if (!other_waits)
		return;
	if (queue == AQM_QUEUE_L)
		vars->credit += (int64_t)params->c_percent * len_bytes;
	else
		vars->credit -= (100 - (int64_t)params->c_percent) * len_bytes;
}

#endif
