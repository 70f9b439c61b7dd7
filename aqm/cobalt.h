/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * COBALT: CoDel and BLUE, alternately (Hoiland-Jorgensen, Taht, Morton: Piece of
 * CAKE, 2018; as Linux's sch_cake runs it), as a decision core.
 *
 * CoDel's half keeps one deadline, drop_next.  A packet that waited longer than
 * `target` starts a drop state; when the deadline has passed in one, the packet is
 * signalled and the deadline moves on by interval / sqrt(count).  Outside a drop
 * state count shrinks by the same steps instead of being forgotten.  With count 0
 * the deadline is an interval after the last packet: it then says how long the
 * queue has been active, so that the first packet above target waits a full
 * interval for its signal while packets flow, and none after a longer rest.
 *
 * BLUE's half drops with a probability that grows whenever the queue overflows and
 * shrinks whenever it is found empty, at most once per target time.  It drops
 * packets that could carry a mark as well: it is there for flows that do not
 * respond.
 *
 * A queue's last packet is never dropped.  Not here: sch_cake's allowance for
 * packet times of slow links, which needs the link's rate.
 *
 * Sojourns are those of the packet, backlogs those of its queue after it was
 * taken out.
 */
#ifndef AQM_COBALT_H
#define AQM_COBALT_H

#include "aqm/fixed.h"
#include "aqm/isqrt.h"

/* Steps of BLUE's probability: 1/256 up, 1/4096 down. */
#define AQM_COBALT_UP_Q32 (AQM_Q32_ONE / 256)
#define AQM_COBALT_DOWN_Q32 (AQM_Q32_ONE / 4096)

struct aqm_cobalt_params {
	uint64_t target_ns;
	uint64_t interval_ns; /* 1..AQM_INTERVAL_MAX_NS */
};

struct aqm_cobalt_vars {
	uint64_t drop_next_ns;
	uint64_t blue_ns; /* when p_q32 last changed */
	uint64_t p_q32;   /* of BLUE */
	uint32_t count;   /* saturates */
	bool dropping;
};

struct aqm_cobalt_stats {
	uint64_t entered;      /* drop states */
	uint64_t blue_ups;     /* steps of BLUE's probability */
	uint64_t blue_downs;
	uint64_t blue_signals; /* packets that BLUE alone chose */
};

AQM_INLINE void aqm_cobalt_init(struct aqm_cobalt_vars *vars)
{
	*vars = (struct aqm_cobalt_vars){0};
}

AQM_INLINE bool aqm_cobalt_blue_due(const struct aqm_cobalt_params *params,
				    const struct aqm_cobalt_vars *vars, uint64_t now_ns)
{
	return (int64_t)(now_ns - vars->blue_ns) > (int64_t)params->target_ns;
}

/* A packet was dropped for lack of room. */
AQM_INLINE void aqm_cobalt_on_overflow(const struct aqm_cobalt_params *params,
				       struct aqm_cobalt_vars *vars,
				       struct aqm_cobalt_stats *stats, uint64_t now_ns)
{
	if (aqm_cobalt_blue_due(params, vars, now_ns)) {
		vars->p_q32 += AQM_COBALT_UP_Q32;
		if (vars->p_q32 > AQM_Q32_ONE)
			vars->p_q32 = AQM_Q32_ONE;
		vars->blue_ns = now_ns;
		stats->blue_ups++;
	}
	vars->dropping = true;
	vars->drop_next_ns = now_ns;
	if (vars->count == 0)
		vars->count = 1;
}

/* With an empty queue: a new queue would behave the same. */
AQM_INLINE bool aqm_cobalt_at_rest(const struct aqm_cobalt_params *params,
				   const struct aqm_cobalt_vars *vars, uint64_t now_ns)
{
	return vars->p_q32 == 0 && vars->count == 0 && !vars->dropping &&
	       (int64_t)(now_ns - vars->drop_next_ns) > 0 &&
	       aqm_cobalt_blue_due(params, vars, now_ns);
}

/* Moves the deadline on by interval / sqrt(count). */
AQM_INLINE void aqm_cobalt_schedule(const struct aqm_cobalt_params *params,
				    struct aqm_cobalt_vars *vars, uint64_t from_ns)
{
	vars->drop_next_ns = from_ns + aqm_interval_over_sqrt_ns(params->interval_ns, vars->count);
}

AQM_INLINE bool aqm_cobalt_signal_due(const struct aqm_cobalt_vars *vars, uint64_t now_ns)
{
	return vars->count > 0 && (int64_t)(now_ns - vars->drop_next_ns) >= 0;
}

/* One step of forgetting. */
AQM_INLINE void aqm_cobalt_forget(const struct aqm_cobalt_params *params,
				  struct aqm_cobalt_vars *vars)
{
	vars->count--;
	aqm_cobalt_schedule(params, vars, vars->drop_next_ns);
}

/* The queue was served and held nothing. */
AQM_INLINE void aqm_cobalt_on_empty(const struct aqm_cobalt_params *params,
				    struct aqm_cobalt_vars *vars, struct aqm_cobalt_stats *stats,
				    uint64_t now_ns)
{
	if (vars->p_q32 > 0 && aqm_cobalt_blue_due(params, vars, now_ns)) {
		vars->p_q32 -= vars->p_q32 < AQM_COBALT_DOWN_Q32 ? vars->p_q32
								 : AQM_COBALT_DOWN_Q32;
		vars->blue_ns = now_ns;
		stats->blue_downs++;
	}
	vars->dropping = false;
	if (aqm_cobalt_signal_due(vars, now_ns))
		aqm_cobalt_forget(params, vars);
}

/* A packet above target is in a drop state, which may begin here. */
AQM_INLINE void aqm_cobalt_note_sojourn(const struct aqm_cobalt_params *params,
					struct aqm_cobalt_vars *vars,
					struct aqm_cobalt_stats *stats,
					const struct aqm_facts *facts)
{
	if (facts->sojourn_ns <= params->target_ns) {
		vars->dropping = false;
		return;
	}
	if (!vars->dropping) {
		vars->dropping = true;
		aqm_cobalt_schedule(params, vars, facts->now_ns);
		stats->entered++;
	}
	if (vars->count == 0)
		vars->count = 1;
}

/*
 * CoDel's half, for a packet that came out with the deadline `due` or not: true when it is to be
 * signalled.  The loop forgets no more steps than signals have counted.
 */
AQM_INLINE bool aqm_cobalt_codel(const struct aqm_cobalt_params *params,
				 struct aqm_cobalt_vars *vars, struct aqm_cobalt_stats *stats,
				 const struct aqm_facts *facts, bool due)
{
	aqm_cobalt_note_sojourn(params, vars, stats, facts);
	if (due && vars->dropping) {
		vars->count += vars->count < UINT32_MAX;
		aqm_cobalt_schedule(params, vars, vars->drop_next_ns);
		return true;
	}
	while (due) {
		aqm_cobalt_forget(params, vars);
		due = aqm_cobalt_signal_due(vars, facts->now_ns);
	}
	return false;
}

/* The verdict on a packet just taken out of its queue. */
AQM_INLINE enum aqm_verdict aqm_cobalt_on_dequeue(const struct aqm_cobalt_params *params,
						  struct aqm_cobalt_vars *vars,
						  struct aqm_cobalt_stats *stats,
						  const struct aqm_facts *facts)
{
	const uint64_t was_next_ns = vars->drop_next_ns;
	const bool due = aqm_cobalt_signal_due(vars, facts->now_ns);
	const bool signalled = aqm_cobalt_codel(params, vars, stats, facts, due);
	const bool by_blue = aqm_chance(vars->p_q32, (uint32_t)facts->random);
	const bool marks = signalled && facts->ecn != AQM_NOT_ECT;
	const bool drops = (signalled && !marks) || by_blue;
	/* Where it stood, or where steps took it; not where a drop state that begins puts it. */
	const uint64_t deadline_ns = due ? vars->drop_next_ns : was_next_ns;

	stats->blue_signals += by_blue && !signalled;
	if (vars->count == 0)
		vars->drop_next_ns = facts->now_ns + params->interval_ns;
	else if ((int64_t)(facts->now_ns - deadline_ns) > 0 && !drops)
		vars->drop_next_ns = facts->now_ns;
	if (drops && facts->backlog_pkts[facts->queue] > 0)
		return AQM_DROP;
	return marks ? AQM_MARK : AQM_PASS;
}

#endif
