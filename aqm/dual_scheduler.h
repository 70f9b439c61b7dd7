/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who is served next in a dual queue: weighted round robin or time-shifted FIFO.
 */
#ifndef AQM_DUAL_SCHEDULER_H
#define AQM_DUAL_SCHEDULER_H

#include "aqm/tsf.h"
#include "aqm/wrr.h"

/* In the order of the parameter's choices: "wrr/tsf". */
enum aqm_dual_scheduler { AQM_SCHEDULER_WRR, AQM_SCHEDULER_TSF };

struct aqm_dual_scheduler_params {
	uint32_t kind; /* enum aqm_dual_scheduler */
	struct aqm_wrr_params wrr;
	uint64_t tshift_ns;
};

AQM_INLINE enum aqm_queue aqm_dual_choose(const struct aqm_dual_scheduler_params *params,
					  const struct aqm_wrr_vars *vars,
					  const struct aqm_head heads[AQM_QUEUES])
{
	return params->kind == AQM_SCHEDULER_TSF ? aqm_tsf_choose(params->tshift_ns, heads)
						 : aqm_wrr_choose(vars, heads);
}

/* ECT(1) and CE go to L (RFC 9331 section 5.1). */
AQM_INLINE enum aqm_queue aqm_dual_classify(uint8_t ecn)
{
	return ecn == AQM_ECT1 || ecn == AQM_CE ? AQM_QUEUE_L : AQM_QUEUE_C;
}

#endif
