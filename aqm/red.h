/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RED: random early detection (Floyd and Jacobson 1993), as a decision core.
 *
 * On every arrival (figure 2 of the paper) the average queue length moves:
 *
 *     avg += w (q - avg)             while packets wait
 *     avg  = (1 - w)^m avg           after an idle time in which m packets could have left
 *
 * Below `min` a packet passes.  Between `min` and `max` it is signalled with
 *
 *     p_b = max_p (avg - min) / (max - min),    p_a = p_b / (1 - count p_b)
 *
 * where count is how many packets came since the last signal, this one included: gaps between
 * signals are then uniform.  `gentle` (Floyd 2000) lets p_b rise from max_p to 1 between max and
 * 2 max.  Above that, without `gentle` above max, every packet is dropped.  With
 * `ecn`, packets that can carry a mark are marked instead of being dropped at
 * random, but not where every packet is (RFC 3168 section 7).
 *
 * `adaptive` (Floyd, Gummadi and Shenker 2001, figure 2): every half second max_p
 * moves so that avg stays in the middle fifth between min and max; up by
 * min(0.01, max_p / 4) while max_p <= 0.5, down to nine tenths while it is >= 0.01.
 *
 * The queue is counted in bytes, signals fall on packets of any length alike
 * (RFC 7141).
 */
#ifndef AQM_RED_H
#define AQM_RED_H

#include "aqm/record_line.h"
#include "aqm/wide.h"

/* Longer queues count as this: avg has 16 fraction bits in 44. */
#define AQM_RED_MAX_BYTES ((UINT64_C(1) << 28) - 1)
#define AQM_RED_ADAPT_NS UINT64_C(500000000)

struct aqm_red_params {
	uint64_t min_bytes, max_bytes; /* min < max <= 10^8 */
	uint64_t max_p_q32;
	uint64_t weight_q32;     /* of one arrival in the average: 10^-6..1 */
	uint64_t packet_time_ns; /* what a packet takes on the idle link; > 0 */
	bool adaptive, gentle, ecn;
};

struct aqm_red_vars {
	uint64_t avg_q16;   /* bytes */
	uint64_t max_p_q32; /* moves with `adaptive` */
	uint64_t p_q32;     /* p_b of the last arrival; 1 where every packet is dropped */
	uint64_t adapt_due_ns;
	uint32_t count;     /* packets since the last signal; saturates */
	bool between;       /* the last arrival found avg at or above min: count is not -1 */
};

struct aqm_red_stats {
	uint64_t forced; /* dropped because avg was too high for chance */
};

AQM_INLINE void aqm_red_init(const struct aqm_red_params *params, struct aqm_red_vars *vars,
			     struct aqm_red_stats *stats)
{
	*vars = (struct aqm_red_vars){
		.max_p_q32 = params->max_p_q32,
		.adapt_due_ns = params->adaptive ? AQM_RED_ADAPT_NS : UINT64_MAX,
	};
	*stats = (struct aqm_red_stats){0};
}

/* The new average when a packet arrives at `backlog_bytes`, rounded towards the old one. */
AQM_INLINE uint64_t aqm_red_average_q16(const struct aqm_red_params *params, uint64_t avg_q16,
					uint64_t backlog_bytes, uint64_t idle_ns)
{
	const uint64_t bytes = backlog_bytes < AQM_RED_MAX_BYTES ? backlog_bytes
								  : AQM_RED_MAX_BYTES;
	const uint64_t sample_q16 = bytes << 16;
	const uint64_t left_q32 = AQM_Q32_ONE - params->weight_q32;
	const uint64_t m = aqm_div64(idle_ns, params->packet_time_ns);

	if (bytes > 0 && sample_q16 >= avg_q16)
		return avg_q16 + aqm_share(sample_q16 - avg_q16, params->weight_q32);
	if (bytes > 0)
		return avg_q16 - aqm_share(avg_q16 - sample_q16, params->weight_q32);
	if (m == 0)
		return avg_q16;
	return aqm_mul_q64(avg_q16, aqm_power_q64(left_q32 << 32, m));
}

/* p_b between the thresholds; `avg_q16` is at least min. */
AQM_INLINE uint64_t aqm_red_base_q32(const struct aqm_red_params *params, uint64_t avg_q16,
				     uint64_t max_p_q32)
{
	const uint64_t min_q16 = params->min_bytes << 16, max_q16 = params->max_bytes << 16;

	if (avg_q16 < max_q16)
		return aqm_muldiv(avg_q16 - min_q16, max_p_q32, max_q16 - min_q16);
	if (!params->gentle || avg_q16 >= 2 * max_q16)
		return AQM_Q32_ONE;
	return max_p_q32 + aqm_muldiv(avg_q16 - max_q16, AQM_Q32_ONE - max_p_q32, max_q16);
}

/* True with probability p_b / (1 - count p_b): bits / 2^32 is below it, without a division. */
AQM_INLINE bool aqm_red_chance(uint64_t p_q32, uint32_t count, uint32_t bits)
{
	const uint64_t product_q32 = p_q32 * count;

	if (p_q32 >= AQM_Q32_ONE || product_q32 >= AQM_Q32_ONE)
		return true;
	return bits * (AQM_Q32_ONE - product_q32) < p_q32 << 32;
}

/* Counts the packet, and says whether it is signalled. */
AQM_INLINE bool aqm_red_acts(const struct aqm_red_params *params, struct aqm_red_vars *vars,
			     uint32_t bits)
{
	if (vars->avg_q16 < params->min_bytes << 16) {
		vars->between = false;
		vars->p_q32 = 0;
		return false;
	}
	vars->p_q32 = aqm_red_base_q32(params, vars->avg_q16, vars->max_p_q32);
	if (!vars->between)
		vars->count = 0;
	else
		vars->count += vars->count < UINT32_MAX;
	vars->between = true;
	if (!aqm_red_chance(vars->p_q32, vars->count, bits))
		return false;
	vars->count = 0;
	return true;
}

AQM_INLINE enum aqm_verdict aqm_red_on_enqueue(const struct aqm_red_params *params,
					       struct aqm_red_vars *vars,
					       struct aqm_red_stats *stats,
					       const struct aqm_facts *facts)
{
	const uint64_t top_q16 = (params->max_bytes << 16) << params->gentle;

	vars->avg_q16 = aqm_red_average_q16(params, vars->avg_q16,
					    facts->backlog_bytes[AQM_QUEUE_C], facts->idle_ns);
	if (!aqm_red_acts(params, vars, (uint32_t)facts->random))
		return AQM_PASS;
	if (vars->avg_q16 >= top_q16) {
		stats->forced++;
		return AQM_DROP;
	}
	return params->ecn && facts->ecn != AQM_NOT_ECT ? AQM_MARK : AQM_DROP;
}

/* Every half second, where `adaptive`: max_p towards what keeps avg in the middle. */
AQM_INLINE void aqm_red_adapt(const struct aqm_red_params *params, struct aqm_red_vars *vars)
{
	const uint64_t min_q16 = params->min_bytes << 16;
	const uint64_t span_q16 = (params->max_bytes << 16) - min_q16;
	const uint64_t most_q32 = (AQM_Q32_ONE + 50) / 100, quarter_q32 = vars->max_p_q32 / 4;

	vars->adapt_due_ns += AQM_RED_ADAPT_NS;
	if (5 * vars->avg_q16 > 5 * min_q16 + 3 * span_q16 && vars->max_p_q32 <= AQM_Q32_ONE / 2)
		vars->max_p_q32 += quarter_q32 < most_q32 ? quarter_q32 : most_q32;
	else if (5 * vars->avg_q16 < 5 * min_q16 + 2 * span_q16 &&
		 vars->max_p_q32 >= AQM_Q32_ONE / 100)
		vars->max_p_q32 -= vars->max_p_q32 / 10;
}

/*
 * The law's fields of a log line; the accumulated probability is count x p_b, which grows from
 * signal to signal.
 */
AQM_INLINE void aqm_red_record(const struct aqm_red_vars *vars, const struct aqm_facts *facts,
			       struct aqm_record *record)
{
	const uint64_t count = vars->between ? vars->count : 0;

	record->drop_probability = aqm_record_probability(vars->p_q32);
	record->accumulated_probability = aqm_record_probability(count * vars->p_q32);
	record->current_queue_delay =
		(int64_t)aqm_div64(facts->head_sojourn_ns[AQM_QUEUE_C], 1000);
}

#endif
