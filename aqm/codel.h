/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * CoDel: Controlled Delay (RFC 8289), as a decision core.
 *
 * A packet that leaves is above when it waited `target` or longer and more than
 * one maximum packet stays behind it.  When every packet has been above for an
 * interval, CoDel enters drop state: it drops one, and the next
 * interval / sqrt(count) later, until a packet is not above (sections 5.5, 5.6).  A
 * later drop state that begins soon after the last one resumes near its count.
 *
 * The text drops and looks at the next packet in one loop.  Here the host pops,
 * asks, and on AQM_DROP frees the packet, pops again and asks again at the same
 * time; `pending` remembers what the text would still have done with the next
 * packet in hand.  As the last packet is never above, a next one always exists.
 *
 * With `ecn`, a packet that can carry a mark is marked where another would be
 * dropped; nothing is popped then, so nothing is pending.
 *
 * Sojourns are those of the packet, backlogs those of its queue after it was
 * taken out.
 */
#ifndef AQM_CODEL_H
#define AQM_CODEL_H

#include "aqm/facts.h"
#include "aqm/isqrt.h"
#include "aqm/record_line.h"

/* Drop states further apart than this many intervals start anew (section 5.5). */
#define AQM_CODEL_MEMORY_INTERVALS 16

struct aqm_codel_params {
	uint64_t target_ns;
	uint64_t interval_ns; /* 1..AQM_INTERVAL_MAX_NS */
	uint32_t mtu_bytes;   /* MAXPACKET: a backlog up to this is never above */
	bool ecn;
};

/* What the packet behind a dropped one still has to settle. */
enum aqm_codel_pending {
	AQM_CODEL_SETTLED,
	AQM_CODEL_ENTERED, /* the drop began drop state: this packet passes, whatever it is */
	AQM_CODEL_DROPPED, /* in drop state: if this packet is above, schedule the next drop */
};

struct aqm_codel_vars {
	uint64_t first_above_ns; /* when an interval above is over; 0: the last one was not above */
	uint64_t drop_next_ns;
	uint32_t count;      /* signals since drop state began; saturates */
	uint32_t last_count; /* count when it began */
	bool dropping;
	uint8_t pending;     /* enum aqm_codel_pending */
};

struct aqm_codel_stats {
	uint64_t entered; /* drop states */
};

AQM_INLINE void aqm_codel_init(struct aqm_codel_vars *vars)
{
	*vars = (struct aqm_codel_vars){0};
}

AQM_INLINE uint64_t aqm_codel_control_law(const struct aqm_codel_params *params, uint64_t from_ns,
					  uint32_t count)
{
	return from_ns + aqm_interval_over_sqrt_ns(params->interval_ns, count);
}

/* Keeps first_above_ns; true: every packet of the last interval was above (ok_to_drop). */
AQM_INLINE bool aqm_codel_above(const struct aqm_codel_params *params, struct aqm_codel_vars *vars,
				const struct aqm_facts *facts)
{
	if (facts->sojourn_ns < params->target_ns ||
	    facts->backlog_bytes[facts->queue] <= params->mtu_bytes) {
		vars->first_above_ns = 0;
		return false;
	}
	if (vars->first_above_ns == 0) {
		vars->first_above_ns = facts->now_ns + params->interval_ns;
		return false;
	}
	return facts->now_ns >= vars->first_above_ns;
}

/* Drop state begins with one signal (section 5.5, with its memory of count). */
AQM_INLINE void aqm_codel_enter(const struct aqm_codel_params *params, struct aqm_codel_vars *vars,
				struct aqm_codel_stats *stats, uint64_t now_ns)
{
	const uint32_t delta = vars->count - vars->last_count;
	const int64_t since_ns = (int64_t)(now_ns - vars->drop_next_ns);
	const int64_t memory_ns = AQM_CODEL_MEMORY_INTERVALS * (int64_t)params->interval_ns;

	vars->dropping = true;
	vars->count = delta > 1 && since_ns < memory_ns ? delta : 1;
	vars->last_count = vars->count;
	vars->drop_next_ns = aqm_codel_control_law(params, now_ns, vars->count);
	stats->entered++;
}

/* The verdict on a packet just taken out of its queue. */
AQM_INLINE enum aqm_verdict aqm_codel_on_dequeue(const struct aqm_codel_params *params,
						 struct aqm_codel_vars *vars,
						 struct aqm_codel_stats *stats,
						 const struct aqm_facts *facts)
{
	const bool above = aqm_codel_above(params, vars, facts);
	const bool markable = params->ecn && facts->ecn != AQM_NOT_ECT;
	const uint8_t pending = vars->pending;

	vars->pending = AQM_CODEL_SETTLED;
	if (pending == AQM_CODEL_ENTERED)
		return AQM_PASS;
	if (!above) {
		vars->dropping = false;
		return AQM_PASS;
	}
	if (!vars->dropping) {
		aqm_codel_enter(params, vars, stats, facts->now_ns);
		if (markable)
			return AQM_MARK;
		vars->pending = AQM_CODEL_ENTERED;
		return AQM_DROP;
	}
	if (pending == AQM_CODEL_DROPPED)
		vars->drop_next_ns =
			aqm_codel_control_law(params, vars->drop_next_ns, vars->count);
	if (facts->now_ns < vars->drop_next_ns)
		return AQM_PASS;
	vars->count += vars->count < UINT32_MAX;
	if (markable) {
		vars->drop_next_ns =
			aqm_codel_control_law(params, vars->drop_next_ns, vars->count);
		return AQM_MARK;
	}
	vars->pending = AQM_CODEL_DROPPED;
	return AQM_DROP;
}

/* The queue was found empty: nothing can be above. */
AQM_INLINE void aqm_codel_on_empty(struct aqm_codel_vars *vars)
{
	vars->first_above_ns = 0;
	vars->dropping = false;
	vars->pending = AQM_CODEL_SETTLED;
}

/* One packet of this queue was dropped for lack of room: signal more often (as sch_fq_codel). */
AQM_INLINE void aqm_codel_on_overflow(struct aqm_codel_vars *vars)
{
	vars->count += vars->count < UINT32_MAX;
}

/* Nothing that was learned is remembered any more: the next drop state starts at 1 in any case. */
AQM_INLINE bool aqm_codel_at_rest(const struct aqm_codel_params *params,
				  const struct aqm_codel_vars *vars, uint64_t now_ns)
{
	const int64_t since_ns = (int64_t)(now_ns - vars->drop_next_ns);
	const int64_t memory_ns = AQM_CODEL_MEMORY_INTERVALS * (int64_t)params->interval_ns;

	return !vars->dropping && vars->first_above_ns == 0 && since_ns >= memory_ns;
}

/* The law's fields of a log line; `share_q32` stands for a probability, which CoDel has not. */
AQM_INLINE void aqm_codel_record(const struct aqm_codel_params *params,
				 const struct aqm_codel_vars *vars, uint64_t share_q32,
				 const struct aqm_facts *facts, struct aqm_record *record)
{
	record->qdelay_reference = (int64_t)aqm_div64(params->target_ns, 1000);
	record->tupdate = (int64_t)aqm_div64(params->interval_ns, 1000);
	record->status_flags = vars->dropping;
	record->drop_probability = aqm_record_probability(share_q32);
	record->current_queue_delay =
		(int64_t)aqm_div64(facts->head_sojourn_ns[facts->queue], 1000);
	record->dequeue_count = vars->count;
}

#endif
