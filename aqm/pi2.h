/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PI2: proportional integral controller with an improved square, for a single
 * queue (De Schepper, Bondarenko, Tsang, Briscoe, CoNEXT 2016), as a decision core.
 *
 * Every tupdate
 *
 *     p' += alpha (qdelay - target) + beta (qdelay - previous qdelay)
 *
 * without PIE's tables: p' acts linearly on scalable flows, and its square on
 * Classic ones, so one pair of gains serves any load.  On arrival a Classic
 * packet is signalled with p'^2, two draws that both have to say yes; a scalable
 * one (ECT(1), or CE that may have been) is marked with k p'.
 *
 * Above a Classic probability of ecn_max_p marks no longer help (the paper's 25 %
 * at k = 2, where k p' is 1): Classic packets are dropped whatever their ECN field
 * says, and scalable ones are dropped with p'^2 and marked otherwise, as RFC 9332
 * section 4.2.3 does it.
 *
 * Nothing is signalled while less than two packets of MTU size wait, nor while
 * the burst allowance lasts.  The allowance is PIE's (RFC 8033 section 4.4); the
 * paper has none: 0.
 */
#ifndef AQM_PI2_H
#define AQM_PI2_H

#include "aqm/burst.h"
#include "aqm/fixed.h"
#include "aqm/record_line.h"

struct aqm_pi2_params {
	uint64_t target_ns;
	uint64_t tupdate_ns;
	uint64_t max_burst_ns;
	uint64_t ecn_max_p_q32; /* of p'^2 */
	uint32_t alpha_q16;     /* per second, at most 2^22 */
	uint32_t beta_q16;      /* per second, at most 2^22 */
	uint32_t k_q16;         /* coupling factor, at most 2^22 */
	uint32_t mtu_bytes;
};

struct aqm_pi2_vars {
	uint64_t p_q32; /* p', in [0, 2^32] */
	uint64_t previous_qdelay_ns;
	uint64_t burst_allowance_ns;
	uint64_t update_due_ns;
};

struct aqm_pi2_stats {
	uint64_t updates;
	uint64_t overload_packets;
};

AQM_INLINE void aqm_pi2_init(const struct aqm_pi2_params *params, struct aqm_pi2_vars *vars,
			     struct aqm_pi2_stats *stats)
{
	*vars = (struct aqm_pi2_vars){
		.burst_allowance_ns = params->max_burst_ns,
		.update_due_ns = params->tupdate_ns,
	};
	*stats = (struct aqm_pi2_stats){0};
}

AQM_INLINE void aqm_pi2_update(const struct aqm_pi2_params *params, struct aqm_pi2_vars *vars,
			       struct aqm_pi2_stats *stats, uint64_t qdelay_ns)
{
	const int64_t change =
		aqm_pi_change_q32(params->alpha_q16, params->beta_q16, params->target_ns, qdelay_ns,
				  vars->previous_qdelay_ns);

	vars->p_q32 =
		(uint64_t)aqm_clamp_s64((int64_t)vars->p_q32 + change, 0, (int64_t)AQM_Q32_ONE);
	vars->burst_allowance_ns = aqm_burst_after_update(
		vars->burst_allowance_ns, params->max_burst_ns, params->tupdate_ns,
		vars->p_q32 == 0 && 2 * qdelay_ns < params->target_ns &&
			2 * vars->previous_qdelay_ns < params->target_ns);
	vars->previous_qdelay_ns = qdelay_ns;
	vars->update_due_ns += params->tupdate_ns;
	stats->updates++;
}

AQM_INLINE enum aqm_verdict aqm_pi2_on_enqueue(const struct aqm_pi2_params *params,
					       const struct aqm_pi2_vars *vars,
					       struct aqm_pi2_stats *stats,
					       const struct aqm_facts *facts)
{
	const bool scalable = facts->ecn == AQM_ECT1 || facts->ecn == AQM_CE;
	const bool overload = aqm_square_reaches(vars->p_q32, params->ecn_max_p_q32);
	const bool squared = aqm_squared_chance(vars->p_q32, facts->random);

	if (vars->burst_allowance_ns > 0 ||
	    facts->backlog_bytes[AQM_QUEUE_C] < 2 * (uint64_t)params->mtu_bytes)
		return AQM_PASS;
	stats->overload_packets += overload;
	if (squared && (overload || facts->ecn == AQM_NOT_ECT))
		return AQM_DROP;
	if (scalable)
		return aqm_coupled_chance(params->k_q16, vars->p_q32, (uint32_t)facts->random)
			       ? AQM_MARK
			       : AQM_PASS;
	return squared ? AQM_MARK : AQM_PASS;
}

/* The law's fields of a log line; probability is that of Classic packets, as in a log of PIE. */
AQM_INLINE void aqm_pi2_record(const struct aqm_pi2_params *params,
			       const struct aqm_pi2_vars *vars, const struct aqm_facts *facts,
			       struct aqm_record *record)
{
	record->qdelay_reference = (int64_t)aqm_div64(params->target_ns, 1000);
	record->tupdate = (int64_t)aqm_div64(params->tupdate_ns, 1000);
	record->max_burst = (int64_t)aqm_div64(params->max_burst_ns, 1000);
	record->max_ecn_threshold = (int64_t)(params->ecn_max_p_q32 >> 19);
	record->alpha = params->alpha_q16 >> 3;
	record->beta = params->beta_q16 >> 3;
	record->status_flags = 3;
	record->burst_allowance = (int64_t)aqm_div64(vars->burst_allowance_ns, 1000);
	record->drop_probability = aqm_record_probability(aqm_square_q32(vars->p_q32));
	record->current_queue_delay =
		(int64_t)aqm_div64(facts->head_sojourn_ns[AQM_QUEUE_C], 1000);
	record->previous_queue_delay = (int64_t)aqm_div64(vars->previous_qdelay_ns, 1000);
}

#endif
