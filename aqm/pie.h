/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * PIE: Proportional Integral controller Enhanced (RFC 8033), as a decision core.
 *
 * Every tupdate (section 4.2)
 *
 *     p += (alpha (qdelay - target) + beta (qdelay - previous)) / scale(p)
 *
 * where scale(p) shrinks the step while p is small.  On arrival (section 4.1) a
 * packet is passed while the burst allowance lasts, while delay was under half
 * the target and p under 0.2, and while less than two packets are queued.
 * Otherwise it is dropped with probability p, de-randomised (section 5.4): p is
 * accumulated, nothing happens below 0.85, something always does at 8.5.  Below
 * ecn_max_p, ECN-capable packets are marked instead (section 5.1).
 *
 * Queue delay is the age of the head packet (section 5.2's direct measurement),
 * so no departure rate is estimated.
 */
#ifndef AQM_PIE_H
#define AQM_PIE_H

#include "aqm/burst.h"
#include "aqm/fixed.h"
#include "aqm/halved.h"
#include "aqm/record_line.h"

/* "Two packets" of section 4.1, in bytes of a mean packet of 1000. */
#define AQM_PIE_MIN_BACKLOG_BYTES 2000
/* The least probability in Q0.32 that is not below 1 / n. */
#define AQM_PIE_ONE_OVER(n) ((AQM_Q32_ONE + (n) - 1) / (n))
/* De-randomisation bounds of section 5.4: 0.85, rounded up, and 8.5. */
#define AQM_PIE_ACCUMULATED_LOW_Q32 ((AQM_Q32_ONE * 17 + 19) / 20)
#define AQM_PIE_ACCUMULATED_HIGH_Q32 (AQM_Q32_ONE * 17 / 2)

struct aqm_pie_params {
	uint64_t target_ns;
	uint64_t tupdate_ns;
	uint64_t max_burst_ns;
	uint64_t ecn_max_p_q32;
	uint32_t alpha_q16; /* per second, at most 2^22 */
	uint32_t beta_q16;  /* per second, at most 2^22 */
};

struct aqm_pie_vars {
	uint64_t p_q32;
	uint64_t accumulated_q32;
	uint64_t burst_allowance_ns;
	uint64_t qdelay_ns, previous_qdelay_ns;
	uint64_t update_due_ns;
};

struct aqm_pie_stats {
	uint64_t updates;
	uint64_t forced; /* decisions at an accumulated 8.5 */
};

AQM_INLINE void aqm_pie_init(const struct aqm_pie_params *params, struct aqm_pie_vars *vars,
			     struct aqm_pie_stats *stats)
{
	*vars = (struct aqm_pie_vars){
		.burst_allowance_ns = params->max_burst_ns,
		.update_due_ns = params->tupdate_ns,
	};
	*stats = (struct aqm_pie_stats){0};
}

/* Divisor of the step by the size of p (section 4.2): powers of two as a shift. */
AQM_INLINE unsigned aqm_pie_scale_shift(uint64_t p_q32)
{
	if (p_q32 < AQM_PIE_ONE_OVER(1000000))
		return 11;
	if (p_q32 < AQM_PIE_ONE_OVER(100000))
		return 9;
	if (p_q32 < AQM_PIE_ONE_OVER(10000))
		return 7;
	if (p_q32 < AQM_PIE_ONE_OVER(1000))
		return 5;
	if (p_q32 < AQM_PIE_ONE_OVER(100))
		return 3;
	return p_q32 < AQM_PIE_ONE_OVER(10) ? 1 : 0;
}

/* The new probability from the old one and two delays. */
AQM_INLINE uint64_t aqm_pie_next_p(const struct aqm_pie_params *params, uint64_t p_q32,
				   uint64_t qdelay_ns, uint64_t previous_ns)
{
	int64_t step = aqm_pi_change_q32(params->alpha_q16, params->beta_q16, params->target_ns,
					 qdelay_ns, previous_ns);

	step = aqm_halved(step, aqm_pie_scale_shift(p_q32));
	if (p_q32 >= AQM_PIE_ONE_OVER(10) && step > (int64_t)(AQM_Q32_ONE / 50))
		step = (int64_t)(AQM_Q32_ONE / 50);
	step = aqm_clamp_s64((int64_t)p_q32 + step, 0, (int64_t)AQM_Q32_ONE);
	if (qdelay_ns == 0 && previous_ns == 0)
		step = (int64_t)aqm_div64((uint64_t)step * 49, 50);
	return (uint64_t)step;
}

AQM_INLINE void aqm_pie_update(const struct aqm_pie_params *params, struct aqm_pie_vars *vars,
			       struct aqm_pie_stats *stats, uint64_t qdelay_ns)
{
	vars->p_q32 = aqm_pie_next_p(params, vars->p_q32, qdelay_ns, vars->previous_qdelay_ns);
	vars->burst_allowance_ns = aqm_burst_after_update(
		vars->burst_allowance_ns, params->max_burst_ns, params->tupdate_ns,
		vars->p_q32 == 0 && 2 * qdelay_ns < params->target_ns &&
			2 * vars->previous_qdelay_ns < params->target_ns);
	vars->qdelay_ns = qdelay_ns;
	vars->previous_qdelay_ns = qdelay_ns;
	vars->update_due_ns += params->tupdate_ns;
	stats->updates++;
}

/* With an empty queue, a state that updates do not change: that of a queue long unused. */
AQM_INLINE bool aqm_pie_at_rest(const struct aqm_pie_params *params,
				const struct aqm_pie_vars *vars)
{
	return vars->p_q32 == 0 && vars->accumulated_q32 == 0 && vars->qdelay_ns == 0 &&
	       vars->previous_qdelay_ns == 0 && vars->burst_allowance_ns == params->max_burst_ns;
}

/* De-randomised draw (section 5.4); resets the accumulated probability when it acts. */
AQM_INLINE bool aqm_pie_acts(struct aqm_pie_vars *vars, struct aqm_pie_stats *stats, uint32_t bits)
{
	bool acts;

	if (vars->p_q32 == 0)
		vars->accumulated_q32 = 0;
	vars->accumulated_q32 += vars->p_q32;
	if (vars->accumulated_q32 < AQM_PIE_ACCUMULATED_LOW_Q32)
		return false;
	acts = aqm_chance(vars->p_q32, bits);
	if (vars->accumulated_q32 >= AQM_PIE_ACCUMULATED_HIGH_Q32) {
		stats->forced++;
		acts = true;
	}
	if (acts)
		vars->accumulated_q32 = 0;
	return acts;
}

/* A packet found no room: the draw starts anew (appendix A, enqueue). */
AQM_INLINE void aqm_pie_on_overflow(struct aqm_pie_vars *vars)
{
	vars->accumulated_q32 = 0;
}

AQM_INLINE enum aqm_verdict aqm_pie_on_enqueue(const struct aqm_pie_params *params,
					       struct aqm_pie_vars *vars,
					       struct aqm_pie_stats *stats,
					       const struct aqm_facts *facts)
{
	const uint64_t backlog_bytes =
		facts->backlog_bytes[AQM_QUEUE_C] + facts->backlog_bytes[AQM_QUEUE_L];

	if (vars->burst_allowance_ns > 0)
		return AQM_PASS;
	if (2 * vars->previous_qdelay_ns < params->target_ns && vars->p_q32 < AQM_PIE_ONE_OVER(5))
		return AQM_PASS;
	if (backlog_bytes <= AQM_PIE_MIN_BACKLOG_BYTES)
		return AQM_PASS;
	if (!aqm_pie_acts(vars, stats, (uint32_t)facts->random))
		return AQM_PASS;
	return facts->ecn != AQM_NOT_ECT && vars->p_q32 <= params->ecn_max_p_q32 ? AQM_MARK
										  : AQM_DROP;
}

/* The law's fields of a log line. */
AQM_INLINE void aqm_pie_record(const struct aqm_pie_params *params,
			       const struct aqm_pie_vars *vars, struct aqm_record *record)
{
	record->qdelay_reference = (int64_t)aqm_div64(params->target_ns, 1000);
	record->tupdate = (int64_t)aqm_div64(params->tupdate_ns, 1000);
	record->max_burst = (int64_t)aqm_div64(params->max_burst_ns, 1000);
	record->max_ecn_threshold = (int64_t)(params->ecn_max_p_q32 >> 19);
	record->alpha = params->alpha_q16 >> 3;
	record->beta = params->beta_q16 >> 3;
	record->flags = 19;
	record->status_flags = 3;
	record->burst_allowance = (int64_t)aqm_div64(vars->burst_allowance_ns, 1000);
	record->drop_probability = aqm_record_probability(vars->p_q32);
	record->current_queue_delay = (int64_t)aqm_div64(vars->qdelay_ns, 1000);
	record->previous_queue_delay = (int64_t)aqm_div64(vars->previous_qdelay_ns, 1000);
	record->accumulated_probability = aqm_record_probability(vars->accumulated_q32);
}

#endif
