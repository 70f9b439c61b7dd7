/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Curvy RED: the second example of a coupled dual-queue AQM (RFC 9332 appendix
 * B), as a decision core.
 *
 * No controller and no clock: an average Q_C of Classic packets' delays, moved by
 * 2^-smoothing at each of them as it leaves, is all the state there is.
 *
 *     sqrt(p_C) = (Q_C - min) / range,    p_CL = k sqrt(p_C)
 *
 * Classic packets are dropped or marked when two draws are both below sqrt(p_C),
 * L packets marked when one is below p_CL, or when they waited longer than a step.
 * This is the appendix with its curviness U at 1, where one draw (L) and two (C)
 * give the square that couples them.
 *
 * The appendix moves Q_C with Classic packets only; once they stop, the last
 * average would mark L for ever.  Here an L packet that leaves C empty counts as a
 * Classic delay of 0.
 */
#ifndef AQM_CURVY_RED_H
#define AQM_CURVY_RED_H

#include "aqm/fixed.h"
#include "aqm/step.h"

/* Longer delays count as this, 18 minutes: Q_C has 16 fraction bits in 56. */
#define AQM_CURVY_MAX_NS ((UINT64_C(1) << 40) - 1)

struct aqm_curvy_params {
	uint64_t min_ns;
	uint64_t range_ns;  /* of the Classic ramp; 1..2^32 */
	uint32_t k_q16;     /* at most 2^22 */
	uint32_t smoothing; /* of the average, as a power of 1/2; at most 16 */
	struct aqm_step_params step;
};

struct aqm_curvy_vars {
	uint64_t average_q16; /* Q_C in ns */
};

struct aqm_curvy_stats {
	uint64_t step_marks;
};

AQM_INLINE void aqm_curvy_init(struct aqm_curvy_vars *vars, struct aqm_curvy_stats *stats)
{
	*vars = (struct aqm_curvy_vars){0};
	*stats = (struct aqm_curvy_stats){0};
}

/* Q_C += 2^-smoothing (delay - Q_C), rounded towards the old one. */
AQM_INLINE uint64_t aqm_curvy_average_q16(const struct aqm_curvy_params *params,
					  uint64_t average_q16, uint64_t delay_ns)
{
	const uint64_t sample_q16 = (delay_ns < AQM_CURVY_MAX_NS ? delay_ns : AQM_CURVY_MAX_NS)
				    << 16;

	if (sample_q16 >= average_q16)
		return average_q16 + ((sample_q16 - average_q16) >> params->smoothing);
	return average_q16 - ((average_q16 - sample_q16) >> params->smoothing);
}

/* sqrt(p_C), between 0 and 1, rounded down. */
AQM_INLINE uint64_t aqm_curvy_root_q32(const struct aqm_curvy_params *params, uint64_t average_q16)
{
	const uint64_t min_q16 = params->min_ns << 16;
	const uint64_t above_q16 = average_q16 > min_q16 ? average_q16 - min_q16 : 0;

	if (above_q16 >> 16 >= params->range_ns)
		return AQM_Q32_ONE;
	/* above < 2^48, so above x 2^16 fits, and divides exactly as far as 32 bits go. */
	return aqm_div64(above_q16 << 16, params->range_ns);
}

AQM_INLINE enum aqm_verdict aqm_curvy_on_dequeue(const struct aqm_curvy_params *params,
						 struct aqm_curvy_vars *vars,
						 struct aqm_curvy_stats *stats,
						 const struct aqm_facts *facts,
						 uint32_t qlen_at_arrival_pkts)
{
	const bool classic = facts->queue == AQM_QUEUE_C;
	uint64_t root_q32;

	if (classic || facts->backlog_pkts[AQM_QUEUE_C] == 0)
		vars->average_q16 = aqm_curvy_average_q16(params, vars->average_q16,
							  classic ? facts->sojourn_ns : 0);
	root_q32 = aqm_curvy_root_q32(params, vars->average_q16);
	if (classic) {
		if (!aqm_squared_chance(root_q32, facts->random))
			return AQM_PASS;
		return facts->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
	}
	if (aqm_coupled_chance(params->k_q16, root_q32, (uint32_t)facts->random))
		return facts->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
	if (facts->ecn == AQM_NOT_ECT ||
	    !aqm_step_marks(&params->step, facts->sojourn_ns, qlen_at_arrival_pkts))
		return AQM_PASS;
	stats->step_marks++;
	return AQM_MARK;
}

#endif
