/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * DualPI2: the coupled dual-queue AQM of RFC 9332, as a decision core.
 *
 * A PI controller moves the base probability p' every tupdate (appendix A.1):
 *
 *     p' += alpha (qdelay - target) + beta (qdelay - previous qdelay)
 *
 * with qdelay the larger age of the two queues' first packets.  Classic packets
 * are dropped or marked with p_C = p'^2, L4S packets marked with the larger of
 * the coupled p_CL = k p' and the step.  While less than two packets of MTU
 * size are queued p' is not applied.  Overload is k p' >= 1: then C drops with
 * p'^2 whatever its ECN field says, and L drops with p'^2 and marks otherwise
 * (section 4.2.3); without drop_overload p' stops at 1 / k instead.
 *
 * Two sets of defaults exist; `profile` names the one used: that of Linux's
 * sch_dualpi2, and that of the RFC's appendix, whose step is a ramp of +-20 %
 * around the threshold that needs more than one MTU queued.
 *
 * The core decides; it neither holds packets nor chooses the queue to serve
 * (aqm/wrr.h).
 */
#ifndef AQM_DUALPI2_H
#define AQM_DUALPI2_H

#include "aqm/fixed.h"
#include "aqm/record_line.h"
#include "aqm/step.h"

enum aqm_dualpi2_profile { AQM_DUALPI2_LINUX, AQM_DUALPI2_RFC9332 };

struct aqm_dualpi2_params {
	uint64_t target_ns;
	uint64_t tupdate_ns;
	uint32_t alpha_q16; /* per second, at most 2^22 */
	uint32_t beta_q16;  /* per second, at most 2^22 */
	uint32_t k_q16;     /* coupling factor */
	uint32_t mtu_bytes;
	uint32_t profile;   /* enum aqm_dualpi2_profile */
	struct aqm_step_params step;
	bool drop_early;    /* decide on C at enqueue instead of dequeue */
	bool drop_overload;
};

struct aqm_dualpi2_vars {
	uint64_t p_q32;              /* p', in [0, 2^32] */
	uint64_t previous_qdelay_ns;
	uint64_t update_due_ns;
};

struct aqm_dualpi2_stats {
	uint64_t updates;
	uint64_t step_marks;
	uint64_t overload_packets;
};

AQM_INLINE void aqm_dualpi2_init(const struct aqm_dualpi2_params *params,
				 struct aqm_dualpi2_vars *vars, struct aqm_dualpi2_stats *stats)
{
	*vars = (struct aqm_dualpi2_vars){.update_due_ns = params->tupdate_ns};
	*stats = (struct aqm_dualpi2_stats){0};
}

AQM_INLINE uint64_t aqm_dualpi2_qdelay_ns(const struct aqm_facts *facts)
{
	const uint64_t c = facts->head_sojourn_ns[AQM_QUEUE_C];
	const uint64_t l = facts->head_sojourn_ns[AQM_QUEUE_L];

	return l > c ? l : c;
}

/*
 * p' after an update, from p' before it and the queue delay now and at the last one: at most 1, or
 * at most 1 / k where overload must not drop.
 */
AQM_INLINE uint64_t aqm_dualpi2_next_q32(const struct aqm_dualpi2_params *params,
					 uint64_t target_ns, uint64_t p_q32, uint64_t qdelay_ns,
					 uint64_t previous_qdelay_ns)
{
	const int64_t change =
		aqm_pi_change_q32(params->alpha_q16, params->beta_q16, target_ns, qdelay_ns,
				  previous_qdelay_ns);
	int64_t highest = (int64_t)AQM_Q32_ONE;

	if (!params->drop_overload && params->k_q16 > (1U << 16))
		highest = (int64_t)aqm_div64(AQM_Q32_ONE << 16, params->k_q16);
	return (uint64_t)aqm_clamp_s64((int64_t)p_q32 + change, 0, highest);
}

/* The periodic update (RFC 9332 appendix A.1, dualpi2_update). */
AQM_PART void aqm_dualpi2_update(const struct aqm_dualpi2_params *params,
				 struct aqm_dualpi2_vars *vars,
				 struct aqm_dualpi2_stats *stats, const struct aqm_facts *facts)
{
	const uint64_t qdelay_ns = aqm_dualpi2_qdelay_ns(facts);

	vars->p_q32 = aqm_dualpi2_next_q32(params, params->target_ns, vars->p_q32, qdelay_ns,
					   vars->previous_qdelay_ns);
	vars->previous_qdelay_ns = qdelay_ns;
	vars->update_due_ns += params->tupdate_ns;
	stats->updates++;
}

/* While less than two packets of MTU size are queued p' is not applied. */
AQM_INLINE bool aqm_dualpi2_is_short(const struct aqm_dualpi2_params *params,
				     const struct aqm_facts *facts)
{
	return facts->backlog_bytes[AQM_QUEUE_C] + facts->backlog_bytes[AQM_QUEUE_L] <
	       2 * (uint64_t)params->mtu_bytes;
}

/* k p' >= 1, or p' >= 1: with k below 1 marks still serve Classic up to p' = 1. */
AQM_INLINE bool aqm_dualpi2_overload(const struct aqm_dualpi2_params *params, uint64_t p_q32)
{
	return p_q32 >= AQM_Q32_ONE || aqm_coupled_q32(params->k_q16, p_q32) >= AQM_Q32_ONE;
}

/* Fate of a packet under p' alone; `squared`: what a draw with probability p'^2 said. */
AQM_INLINE enum aqm_verdict aqm_dualpi2_fate(const struct aqm_dualpi2_params *params,
					     const struct aqm_dualpi2_vars *vars,
					     struct aqm_dualpi2_stats *stats,
					     const struct aqm_facts *facts, bool squared)
{
	const bool saturated = aqm_coupled_q32(params->k_q16, vars->p_q32) >= AQM_Q32_ONE;
	/* p_C >= min(1 / k^2, 1) */
	const bool overload = aqm_dualpi2_overload(params, vars->p_q32);

	if (aqm_dualpi2_is_short(params, facts))
		return AQM_PASS;
	stats->overload_packets += overload;
	if (facts->queue == AQM_QUEUE_C) {
		if (!squared)
			return AQM_PASS;
		return overload || facts->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
	}
	if (saturated)
		return params->drop_overload && squared ? AQM_DROP : AQM_MARK;
	if (!aqm_coupled_chance(params->k_q16, vars->p_q32, (uint32_t)facts->random))
		return AQM_PASS;
	return facts->ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
}

/* The same with the packet's random bits. */
AQM_INLINE enum aqm_verdict aqm_dualpi2_pi(const struct aqm_dualpi2_params *params,
					   const struct aqm_dualpi2_vars *vars,
					   struct aqm_dualpi2_stats *stats,
					   const struct aqm_facts *facts)
{
	return aqm_dualpi2_fate(params, vars, stats, facts,
				aqm_squared_chance(vars->p_q32, facts->random));
}

/*
 * The native L4S AQM: Linux's step, or the ramp of the RFC's appendix A.1 (laqm), from 0 at 0.8 to
 * 1 at 1.2 of the threshold.  The draw is that of the coupled probability: together they mark with
 * the larger of both (section 2.4), not with their sum.
 */
AQM_INLINE bool aqm_dualpi2_native(const struct aqm_dualpi2_params *params,
				   const struct aqm_facts *facts, uint32_t qlen_at_arrival_pkts)
{
	if (params->profile == AQM_DUALPI2_LINUX || params->step.threshold_ns == 0)
		return aqm_step_marks(&params->step, facts->sojourn_ns, qlen_at_arrival_pkts);
	return qlen_at_arrival_pkts >= params->step.min_qlen_pkts &&
	       aqm_ramp_marks(params->step.threshold_ns, facts->sojourn_ns,
			      (uint32_t)facts->random);
}

AQM_INLINE enum aqm_verdict aqm_dualpi2_on_enqueue(const struct aqm_dualpi2_params *params,
						   const struct aqm_dualpi2_vars *vars,
						   struct aqm_dualpi2_stats *stats,
						   const struct aqm_facts *facts)
{
	return params->drop_early ? aqm_dualpi2_pi(params, vars, stats, facts) : AQM_PASS;
}

AQM_INLINE enum aqm_verdict aqm_dualpi2_on_dequeue(const struct aqm_dualpi2_params *params,
						   const struct aqm_dualpi2_vars *vars,
						   struct aqm_dualpi2_stats *stats,
						   const struct aqm_facts *facts,
						   uint32_t qlen_at_arrival_pkts)
{
	enum aqm_verdict verdict = AQM_PASS;

	if (!params->drop_early)
		verdict = aqm_dualpi2_pi(params, vars, stats, facts);
	if (verdict != AQM_PASS || facts->queue != AQM_QUEUE_L || facts->ecn == AQM_NOT_ECT)
		return verdict;
	if (!aqm_dualpi2_native(params, facts, qlen_at_arrival_pkts))
		return AQM_PASS;
	stats->step_marks++;
	return AQM_MARK;
}

/*
 * The law's fields of a log line.  The log has PIE's: probability is that of the packet's queue,
 * delay its head's age.  There is neither burst allowance nor accumulated probability: both stay 0.
 */
AQM_INLINE void aqm_dualpi2_record(const struct aqm_dualpi2_params *params,
				   const struct aqm_dualpi2_vars *vars,
				   const struct aqm_facts *facts, struct aqm_record *record)
{
	const uint64_t p_q32 = facts->queue == AQM_QUEUE_L
				       ? aqm_coupled_q32(params->k_q16, vars->p_q32)
				       : aqm_square_q32(vars->p_q32);

	record->qdelay_reference = (int64_t)aqm_div64(params->target_ns, 1000);
	record->tupdate = (int64_t)aqm_div64(params->tupdate_ns, 1000);
	record->alpha = params->alpha_q16 >> 3;
	record->beta = params->beta_q16 >> 3;
	record->status_flags = 3;
	record->drop_probability =
		p_q32 >= AQM_Q32_ONE ? AQM_RECORD_PROBABILITY_ONE : (int64_t)(p_q32 >> 1);
	record->current_queue_delay =
		(int64_t)aqm_div64(facts->head_sojourn_ns[facts->queue], 1000);
	record->previous_queue_delay = (int64_t)aqm_div64(vars->previous_qdelay_ns, 1000);
}

#endif
