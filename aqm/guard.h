/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard: whatever a policy says, its verdicts stay near those of the law.
 *
 * Two accounts a queue, both in signals (a drop or a mark is one) and both fed
 * by the probability p with which the law would signal now, at each packet
 * that the policy decides:
 *
 *   credit   earns gain x p, at most `burst`; a signal of the policy costs one.
 *            Without credit the policy may not signal.
 *   debt     earns p / gain; a signal pays one back.  At `burst` and beyond the
 *            policy may not let packets pass.
 *
 * So over any stretch a router signals at most gain + 1 times as often as the
 * law alone would in its place (the policy's share and the law's own), and at
 * least 1 / (gain + 1) times as often, give or take `burst` signals: a policy
 * can neither starve the link nor let the queue grow for ever.  When it may not
 * have its way the law's verdict stands.
 *
 * Integers only; nothing here knows what a policy is.
 */
#ifndef AQM_GUARD_H
#define AQM_GUARD_H

#include "aqm/facts.h"

#define AQM_GUARD_GAIN 8   /* policy and law may differ by this factor */
#define AQM_GUARD_BURST 16 /* and by this many signals */

struct aqm_guard_params {
	uint32_t gain;  /* 1..1024 */
	uint32_t burst; /* 1..2^20 */
};

struct aqm_guard_vars {
	uint64_t credit_q32[AQM_QUEUES]; /* signals, with 32 fraction bits */
	uint64_t debt_q32[AQM_QUEUES];   /* likewise */
};

AQM_INLINE void aqm_guard_init(const struct aqm_guard_params *params, struct aqm_guard_vars *vars)
{
	for (int i = 0; i < AQM_QUEUES; i++) {
		vars->credit_q32[i] = (uint64_t)params->burst << 32;
		vars->debt_q32[i] = 0;
	}
}

/* One signal was given in `queue`, whoever decided it. */
AQM_INLINE void aqm_guard_signalled(struct aqm_guard_vars *vars, unsigned queue)
{
	const uint64_t debt = vars->debt_q32[queue], credit = vars->credit_q32[queue];

	vars->debt_q32[queue] = debt > AQM_Q32_ONE ? debt - AQM_Q32_ONE : 0;
	vars->credit_q32[queue] = credit > AQM_Q32_ONE ? credit - AQM_Q32_ONE : 0;
}

/*
 * The policy wants `wanted` for a packet of `queue` while the law's probability
 * is `p_q32`.  True: it may; the accounts have moved.  False: the law decides;
 * a signal that it then gives is to be told to aqm_guard_signalled().
 */
AQM_INLINE bool aqm_guard_allows(const struct aqm_guard_params *params,
				 struct aqm_guard_vars *vars, unsigned queue, uint64_t p_q32,
				 enum aqm_verdict wanted)
{
	const uint64_t burst_q32 = (uint64_t)params->burst << 32;

	vars->credit_q32[queue] += p_q32 * params->gain;
	if (vars->credit_q32[queue] > burst_q32)
		vars->credit_q32[queue] = burst_q32;
	vars->debt_q32[queue] += aqm_div64(p_q32, params->gain);
	if (vars->debt_q32[queue] > burst_q32)
		vars->debt_q32[queue] = burst_q32;
	if (wanted == AQM_PASS)
		return vars->debt_q32[queue] < burst_q32;
	if (vars->credit_q32[queue] < AQM_Q32_ONE)
		return false;
	aqm_guard_signalled(vars, queue);
	return true;
}

#endif
