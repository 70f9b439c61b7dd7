/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard: an envelope around a classical law for whatever decides in its
 * place.  docs/guard.md states as a theorem what it guarantees, and proves it.
 *
 * A policy's verdict is stronger than the law's (pass < mark < drop), weaker, or
 * the same.
 *
 *   A stronger one, an extra signal, costs a token of its queue.  Each packet
 *   that arrives earns 2^level of a token.  The level is what measured
 *   utilisation allows: it rises with time in which the link (for Classic: the
 *   Classic queue) had something to send and the policy wanted more tokens than
 *   it had; it falls AQM_GUARD_IDLE times as fast while the link idles, and
 *   AQM_GUARD_UNFED times as fast while the Classic queue alone is empty.  Below
 *   0 there are no extra signals.
 *
 *   A weaker one, an omission, is refused wherever the packet waited longer than
 *   the law would have it wait, and costs a token that packets earn which waited
 *   less.
 *
 *   In the law's overload (RFC 9332 section 4.2.3) the law alone decides.
 *
 * Who uses it tells the guard of every arrival, every departure and every time
 * that the link asked for a packet and there was none, then asks it for each
 * packet on which policy and law differ.  Integers only, a handful of additions
 * a packet, no division; nothing here knows what a policy is.
 */
#ifndef AQM_GUARD_H
#define AQM_GUARD_H

#include "aqm/facts.h"

#define AQM_GUARD_DOUBLING_BITS 27 /* a level's unit: the time of one doubling, 134 ms */
#define AQM_GUARD_UNIT (INT64_C(1) << AQM_GUARD_DOUBLING_BITS)
#define AQM_GUARD_TOP (16 * AQM_GUARD_UNIT)     /* every packet earns a token */
#define AQM_GUARD_BOTTOM (-64 * AQM_GUARD_UNIT) /* no more idleness is remembered */
#define AQM_GUARD_IDLE 20			/* busy time that pays for idle time */
#define AQM_GUARD_UNFED 3			/* Classic's, for time that it is empty */
#define AQM_GUARD_LATE 8			/* of settings: time that pays for time too late */
#define AQM_GUARD_LONGEST_NS (INT64_C(1) << 34) /* between two events; more counts as this */
#define AQM_GUARD_EXTRA_BURST (8 * AQM_Q32_ONE) /* extra signals that may be saved up */
#define AQM_GUARD_OMITTED_BURST (2 * AQM_Q32_ONE)
#define AQM_GUARD_OMITTED_SHIFT 6 /* of packets that waited little, one in 2^6 earns a token */

struct aqm_guard_params {
	/* The law's own aim for each queue, in ns: its target; for L4S its step. */
	uint64_t aim_ns[AQM_QUEUES];
	uint64_t late_ns; /* of settings: a packet of any queue should not wait longer */
};

struct aqm_guard_vars {
	int64_t level[AQM_QUEUES];	  /* of extra signals; AQM_GUARD_BOTTOM..AQM_GUARD_TOP */
	uint64_t extra_q32[AQM_QUEUES];	  /* tokens, with 32 fraction bits */
	uint64_t omitted_q32[AQM_QUEUES]; /* likewise */
	uint64_t then_ns;		  /* when the levels were last brought up to date */
	int64_t trust;			  /* of settings: AQM_GUARD_BOTTOM..AQM_GUARD_UNIT */
	bool idle;			  /* the link has asked in vain since the last departure */
	bool classic;			  /* Classic has something to send */
	bool wanted[AQM_QUEUES];	  /* an extra signal failed for want of tokens */
	bool begun;			  /* there was a packet */
	bool mistrusted;
};

/* The envelope of a law that aims at these delays. */
AQM_INLINE void aqm_guard_set(struct aqm_guard_params *params, uint64_t target_ns,
			      uint64_t step_ns)
{
	params->aim_ns[AQM_QUEUE_C] = target_ns;
	params->aim_ns[AQM_QUEUE_L] = step_ns;
	params->late_ns = target_ns + target_ns / 2;
}

AQM_INLINE void aqm_guard_init(struct aqm_guard_vars *vars)
{
	*vars = (struct aqm_guard_vars){0};
	for (int i = 0; i < AQM_QUEUES; i++)
		vars->omitted_q32[i] = AQM_GUARD_OMITTED_BURST;
}

AQM_INLINE int64_t aqm_guard_moved(int64_t level, int64_t by, int64_t top)
{
	level += by;
	return level < AQM_GUARD_BOTTOM ? AQM_GUARD_BOTTOM : level > top ? top : level;
}

/* Tokens that a packet earns: 2^(level - top), linear between powers of two; Q0.32. */
AQM_INLINE uint64_t aqm_guard_earned_q32(int64_t level)
{
	const uint64_t whole = (uint64_t)level >> AQM_GUARD_DOUBLING_BITS;
	const uint64_t part = (uint64_t)level & (AQM_GUARD_UNIT - 1);

	if (level < 0)
		return 0;
	return (((uint64_t)AQM_GUARD_UNIT + part) << (32 - AQM_GUARD_DOUBLING_BITS)) >>
	       (16 - whole);
}

/* Time passed in which the link was busy, then idle. */
AQM_INLINE void aqm_guard_passed(struct aqm_guard_vars *vars, int64_t busy_ns, int64_t idle_ns)
{
	const int64_t lost = AQM_GUARD_IDLE * idle_ns;

	for (int i = 0; i < AQM_QUEUES; i++) {
		int64_t by = vars->wanted[i] ? busy_ns : 0;

		if (i == AQM_QUEUE_C && !vars->classic)
			by = -AQM_GUARD_UNFED * busy_ns;
		vars->level[i] = aqm_guard_moved(vars->level[i], by - lost, AQM_GUARD_TOP);
	}
	vars->trust = aqm_guard_moved(vars->trust, busy_ns - lost, AQM_GUARD_UNIT);
}

/* Time since the last event; there is none before the first packet. */
AQM_INLINE int64_t aqm_guard_since(struct aqm_guard_vars *vars, uint64_t now_ns)
{
	const uint64_t ns = vars->begun ? now_ns - vars->then_ns : 0;

	vars->then_ns = now_ns;
	return ns > (uint64_t)AQM_GUARD_LONGEST_NS ? AQM_GUARD_LONGEST_NS : (int64_t)ns;
}

/* A packet arrives: called for each, before any decision on it. */
AQM_INLINE void aqm_guard_arrived(struct aqm_guard_vars *vars, const struct aqm_facts *facts)
{
	const int64_t ns = aqm_guard_since(vars, facts->now_ns);
	uint64_t *tokens = &vars->extra_q32[facts->queue];

	vars->begun = true;
	aqm_guard_passed(vars, vars->idle ? 0 : ns, vars->idle ? ns : 0);
	*tokens += aqm_guard_earned_q32(vars->level[facts->queue]);
	if (*tokens > AQM_GUARD_EXTRA_BURST)
		*tokens = AQM_GUARD_EXTRA_BURST;
}

/* A packet is taken out: called for each, before any decision on it. */
AQM_INLINE void aqm_guard_departs(const struct aqm_guard_params *params,
				  struct aqm_guard_vars *vars, const struct aqm_facts *facts)
{
	const int64_t ns = aqm_guard_since(vars, facts->now_ns);
	const uint64_t waited_ns = facts->sojourn_ns;
	const int64_t waited = waited_ns > (uint64_t)ns ? ns : (int64_t)waited_ns;
	uint64_t *tokens = &vars->omitted_q32[facts->queue];

	/* An idle link has had something to send since this packet came. */
	aqm_guard_passed(vars, vars->idle ? waited : ns, vars->idle ? ns - waited : 0);
	if (waited_ns > params->late_ns)
		vars->trust = aqm_guard_moved(vars->trust, -AQM_GUARD_LATE * ns, AQM_GUARD_UNIT);
	vars->idle = false;
	vars->classic = facts->queue == AQM_QUEUE_C || facts->backlog_pkts[AQM_QUEUE_C] > 0;
	if (waited_ns > params->aim_ns[facts->queue])
		return;
	*tokens += AQM_Q32_ONE >> AQM_GUARD_OMITTED_SHIFT;
	if (*tokens > AQM_GUARD_OMITTED_BURST)
		*tokens = AQM_GUARD_OMITTED_BURST;
}

/* The link asked for a packet and there was none. */
AQM_INLINE void aqm_guard_found_empty(struct aqm_guard_vars *vars, uint64_t now_ns)
{
	const int64_t ns = aqm_guard_since(vars, now_ns);

	aqm_guard_passed(vars, vars->idle ? 0 : ns, vars->idle ? ns : 0);
	vars->idle = true;
	vars->classic = false;
}

/* May a packet of `queue` get an extra signal?  True: it is paid for. */
AQM_INLINE bool aqm_guard_adds(struct aqm_guard_vars *vars, unsigned queue)
{
	vars->wanted[queue] = vars->extra_q32[queue] < AQM_Q32_ONE;
	if (vars->level[queue] < 0 || vars->wanted[queue])
		return false;
	vars->extra_q32[queue] -= AQM_Q32_ONE;
	return true;
}

/* An extra signal that was paid for is one that the law gives too. */
AQM_INLINE void aqm_guard_repays(struct aqm_guard_vars *vars, unsigned queue)
{
	vars->extra_q32[queue] += AQM_Q32_ONE;
	if (vars->extra_q32[queue] > AQM_GUARD_EXTRA_BURST)
		vars->extra_q32[queue] = AQM_GUARD_EXTRA_BURST;
}

/* May a packet of `queue` that waited `waited_ns` go without the law's signal? */
AQM_INLINE bool aqm_guard_omits(const struct aqm_guard_params *params,
				struct aqm_guard_vars *vars, unsigned queue, uint64_t waited_ns)
{
	if (waited_ns > params->aim_ns[queue] || vars->omitted_q32[queue] < AQM_Q32_ONE)
		return false;
	vars->omitted_q32[queue] -= AQM_Q32_ONE;
	return true;
}

/*
 * What becomes of a packet: `wanted` where the guard allows it, else `law`.
 * For whoever knows both at once; `overload`: the law is in overload.
 */
AQM_INLINE enum aqm_verdict aqm_guard_judges(const struct aqm_guard_params *params,
					     struct aqm_guard_vars *vars,
					     const struct aqm_facts *facts, enum aqm_verdict law,
					     enum aqm_verdict wanted, bool overload)
{
	const uint64_t head_ns = facts->head_sojourn_ns[facts->queue];
	const uint64_t waited_ns = facts->sojourn_ns > head_ns ? facts->sojourn_ns : head_ns;

	if (wanted == law || overload)
		return law;
	if (wanted > law)
		return aqm_guard_adds(vars, facts->queue) ? wanted : law;
	return aqm_guard_omits(params, vars, facts->queue, waited_ns) ? wanted : law;
}

/*
 * For a policy that sets the law's parameters instead of judging packets: may
 * its settings be in force?  False: the defaults are, until the link has been
 * busy for long enough again.
 */
AQM_INLINE bool aqm_guard_trusts(struct aqm_guard_vars *vars)
{
	if (vars->trust < 0)
		vars->mistrusted = true;
	else if (vars->trust >= AQM_GUARD_UNIT)
		vars->mistrusted = false;
	return !vars->mistrusted;
}

#endif
