/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The guard: an envelope around a classical law for whatever decides in its
 * place.  docs/guard.md states as a theorem what it guarantees, and proves it.
 *
 * Time is cut into phases.  While the guard is closed the law alone decides, and
 * the guard measures this link under it: the share of time in which the link
 * idles, and the share in which it sends Classic packets.  While it is open the
 * policy decides and draws on two budgets that time refills as fast as the
 * measured shares allow: idle time and a little more, and no more than half of
 * Classic's time lost.  A policy that signals too often uses them up; then the
 * guard closes, each time for twice as long, and opens when the link under the
 * law has refilled them.
 *
 * A verdict stronger than the law's (pass < mark < drop), an extra signal, needs
 * an open guard, a packet that waited for an eighth of what the law aims at (all
 * of it, where packets were late lately), and a token.  Packets earn 2^level of
 * one; the level grows with time in which there were not enough, so that nobody
 * can drop everything at once.
 *
 * A weaker verdict, an omission, costs a token that packets earn which waited no
 * longer than the law aims at, and is refused for those that waited longer.  In
 * the law's overload (RFC 9332 section 4.2.3) the law alone decides.
 *
 * Who uses it tells the guard of every arrival, every departure and every time
 * that the link asked for a packet and there was none.  Integers only, no
 * division; nothing here knows what a policy is.
 */
#ifndef AQM_GUARD_H
#define AQM_GUARD_H

#include "aqm/halved.h"

#define AQM_GUARD_LONGEST_NS (INT64_C(1) << 30) /* between two events; more counts as this */

/* The guard is closed for 2^30 ns (1.07 s) at first, then 2^31 ns, 2^35 (34 s) at most. */
#define AQM_GUARD_HOLD_BITS 30
#define AQM_GUARD_LENGTHENINGS 5
/* Time open, in holds, that takes one lengthening back. */
#define AQM_GUARD_FORGIVENESS 4
/* Measures from half of the hold on, and after a policy's phase not before 2^31 ns (2.1 s). */
#define AQM_GUARD_SETTLED_BITS 31
#define AQM_GUARD_MEMORY_BITS 34 /* of the measured shares: 17 s */
#define AQM_GUARD_FIRST_BITS 27	 /* of Classic's at first, 134 ms: a mean until there is more */

/* Budgets, in time. */
#define AQM_GUARD_IDLE_NS (INT64_C(1) << 27)  /* 134 ms of idle time */
#define AQM_GUARD_IDLE_SHARE_Q16 2048	      /* of the rest, beyond the measured share: 1/32 */
#define AQM_GUARD_UNFED_NS (INT64_C(1) << 30) /* 1.07 s of Classic's time */
#define AQM_GUARD_CALM_NS (INT64_C(1) << 31)  /* without late packets */
#define AQM_GUARD_LATE_NS (INT64_C(1) << 33)  /* no more is owed for late packets */
#define AQM_GUARD_LATE_COST 64		      /* ns without late packets that pay for one with */

/* Tokens, in signals with 32 fraction bits. */
#define AQM_GUARD_DOUBLING_BITS 26 /* time in which a level rises by one: 67 ms */
#define AQM_GUARD_UNIT (INT64_C(1) << AQM_GUARD_DOUBLING_BITS)
#define AQM_GUARD_WHOLE 16     /* the level at which a packet earns one token */
#define AQM_GUARD_CLASSIC_TOP 12 /* one Classic packet in 16 may be an extra signal */
#define AQM_GUARD_L4S_TOP 15	 /* one L4S packet in 2 */
#define AQM_GUARD_EXTRA_BURST (4 * AQM_Q32_ONE)
#define AQM_GUARD_OMITTED_BURST (2 * AQM_Q32_ONE)
#define AQM_GUARD_OMITTED_SHIFT 6 /* of packets that waited little, one in 64 earns a token */
#define AQM_GUARD_FLOOR_SHIFT 3	  /* no extra signals below an eighth of the aim */

#define AQM_GUARD_FEWER_SHIFT 3 /* settings may give signals for an eighth more delay */

struct aqm_guard_params {
	/* The law's own aim for each queue, in ns: its target; for L4S its step. */
	uint64_t aim_ns[AQM_QUEUES];
};

struct aqm_guard_vars {
	bool open;	       /* a policy may decide */
	bool begun;	       /* there was an event */
	bool idle;	       /* the link asked in vain after the last departure */
	bool classic;	       /* the link sends a Classic packet */
	bool late;	       /* it waited for one and a half times Classic's aim */
	bool calm;	       /* packets were hardly ever late */
	uint64_t then_ns;      /* the last event */
	uint64_t phase_ns;     /* open or closed for so long */
	uint32_t lengthenings; /* of the next time that it closes */
	uint32_t memory_bits;  /* of Classic's share */
	uint64_t measured_ns;  /* for so long */

	int64_t idle_share_q32, classic_share_q32; /* of time, while closed; 0..2^32 */
	int64_t idle_budget_ns;	  /* -AQM_GUARD_IDLE_NS..AQM_GUARD_IDLE_NS */
	int64_t unfed_budget_ns;  /* likewise */
	int64_t calm_ns;	  /* -AQM_GUARD_LATE_NS..AQM_GUARD_CALM_NS */

	int64_t level[AQM_QUEUES];	  /* of extra signals, in AQM_GUARD_UNIT */
	bool wanted[AQM_QUEUES];	  /* the last extra signal found no token */
	uint64_t extra_q32[AQM_QUEUES];	  /* tokens, with 32 fraction bits */
	uint64_t omitted_q32[AQM_QUEUES]; /* likewise */
};

/* The envelope of a law that aims at these delays. */
AQM_INLINE void aqm_guard_set(struct aqm_guard_params *params, uint64_t target_ns,
			      uint64_t step_ns)
{
	params->aim_ns[AQM_QUEUE_C] = target_ns;
	params->aim_ns[AQM_QUEUE_L] = step_ns;
}

AQM_INLINE void aqm_guard_init(struct aqm_guard_vars *vars)
{
	*vars = (struct aqm_guard_vars){.idle_budget_ns = AQM_GUARD_IDLE_NS / 4 * 3,
					.memory_bits = AQM_GUARD_FIRST_BITS};
}

/* May a policy decide, within the rules for extra signals and omissions? */
AQM_INLINE bool aqm_guard_trusts(const struct aqm_guard_vars *vars)
{
	return vars->open;
}

AQM_INLINE int64_t aqm_guard_within(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

/* A share of time after `ns` more, averaged over 2^bits ns. */
AQM_INLINE int64_t aqm_guard_averaged(int64_t share_q32, bool now, int64_t ns, unsigned bits)
{
	const int64_t to_q32 = now ? (int64_t)AQM_Q32_ONE : 0, memory_ns = INT64_C(1) << bits;

	return share_q32 +
	       aqm_halved((to_q32 - share_q32) * (ns > memory_ns ? memory_ns : ns), bits);
}

/* Idle time that `ns` allow: the measured share, and 1/32 of the rest. */
AQM_INLINE int64_t aqm_guard_idle_allowed(int64_t idle_share_q32, int64_t ns)
{
	const int64_t share = idle_share_q32 >> 16;

	return ns * (share + ((65536 - share) * AQM_GUARD_IDLE_SHARE_Q16 >> 16)) >> 16;
}

/* Classic's time that `ns` ask for: half of the measured share. */
AQM_INLINE int64_t aqm_guard_classic_asked(int64_t classic_share_q32, int64_t ns)
{
	return ns * (classic_share_q32 >> 16) >> 17;
}

AQM_INLINE void aqm_guard_turn(struct aqm_guard_vars *vars, bool open)
{
	vars->open = open;
	vars->phase_ns = 0;
	for (int i = 0; i < AQM_QUEUES; i++) {
		vars->level[i] = 0;
		vars->wanted[i] = false;
		vars->extra_q32[i] = 0;
	}
	if (open)
		vars->unfed_budget_ns = AQM_GUARD_UNFED_NS;
	else if (vars->lengthenings < AQM_GUARD_LENGTHENINGS)
		vars->lengthenings++;
}

AQM_INLINE uint64_t aqm_guard_hold_ns(const struct aqm_guard_vars *vars)
{
	return UINT64_C(1) << (AQM_GUARD_HOLD_BITS + vars->lengthenings);
}

/* Closed for long enough that what the link does is the law's doing. */
AQM_INLINE bool aqm_guard_measures(const struct aqm_guard_vars *vars)
{
	return vars->phase_ns >= aqm_guard_hold_ns(vars) / 2 &&
	       (vars->lengthenings == 0 || vars->phase_ns >> AQM_GUARD_SETTLED_BITS);
}

/* The law's doing, for `ns` more. */
AQM_INLINE void aqm_guard_measure(struct aqm_guard_vars *vars, int64_t ns)
{
	vars->idle_share_q32 = aqm_guard_averaged(vars->idle_share_q32, vars->idle, ns,
						  AQM_GUARD_MEMORY_BITS);
	vars->classic_share_q32 = aqm_guard_averaged(vars->classic_share_q32, vars->classic, ns,
						     vars->memory_bits);
	vars->measured_ns += (uint64_t)ns;
	if (vars->memory_bits < AQM_GUARD_MEMORY_BITS && vars->measured_ns >> vars->memory_bits)
		vars->memory_bits++;
}

/* Opens, closes, forgives. */
AQM_PART void aqm_guard_settle(struct aqm_guard_vars *vars)
{
	const uint64_t hold_ns = aqm_guard_hold_ns(vars);

	if (vars->open && (vars->idle_budget_ns < 0 || vars->unfed_budget_ns < 0)) {
		aqm_guard_turn(vars, false);
	} else if (!vars->open && vars->phase_ns >= hold_ns &&
		   vars->idle_budget_ns == AQM_GUARD_IDLE_NS) {
		aqm_guard_turn(vars, true);
	} else if (vars->open && vars->lengthenings &&
		   vars->phase_ns >= AQM_GUARD_FORGIVENESS * hold_ns) {
		vars->lengthenings--;
		vars->phase_ns = 0;
	}
}

/* Time passes until an event at now_ns. */
AQM_PART void aqm_guard_advance(struct aqm_guard_vars *vars, uint64_t now_ns)
{
	const uint64_t since_ns = vars->begun ? now_ns - vars->then_ns : 0;
	const int64_t ns = since_ns > (uint64_t)AQM_GUARD_LONGEST_NS ? AQM_GUARD_LONGEST_NS
								      : (int64_t)since_ns;

	vars->then_ns = now_ns;
	vars->begun = true;
	vars->phase_ns += (uint64_t)ns;
	vars->idle_budget_ns = aqm_guard_within(
		vars->idle_budget_ns + aqm_guard_idle_allowed(vars->idle_share_q32, ns) -
			(vars->idle ? ns : 0),
		-AQM_GUARD_IDLE_NS, AQM_GUARD_IDLE_NS);
	vars->unfed_budget_ns = aqm_guard_within(
		vars->unfed_budget_ns + (vars->classic ? ns : 0) -
			aqm_guard_classic_asked(vars->classic_share_q32, ns),
		-AQM_GUARD_UNFED_NS, AQM_GUARD_UNFED_NS);
	vars->calm_ns = aqm_guard_within(
		vars->calm_ns + (vars->late ? -AQM_GUARD_LATE_COST * ns : ns), -AQM_GUARD_LATE_NS,
		AQM_GUARD_CALM_NS);
	if (vars->calm_ns < 0 || vars->calm_ns == AQM_GUARD_CALM_NS)
		vars->calm = vars->calm_ns >= 0;
	if (!vars->open && aqm_guard_measures(vars))
		aqm_guard_measure(vars, ns);
	for (int i = 0; i < AQM_QUEUES; i++)
		vars->level[i] = aqm_guard_within(
			vars->level[i] + (vars->wanted[i] ? ns : -(ns >> 3)), 0,
			AQM_GUARD_UNIT * (i == AQM_QUEUE_C ? AQM_GUARD_CLASSIC_TOP
							   : AQM_GUARD_L4S_TOP));
	aqm_guard_settle(vars);
}

/* Tokens that a packet earns: 2^(level - AQM_GUARD_WHOLE), linear between powers of two; Q0.32. */
AQM_INLINE uint64_t aqm_guard_earned_q32(int64_t level)
{
	const uint64_t whole = (uint64_t)level >> AQM_GUARD_DOUBLING_BITS;
	const uint64_t part = (uint64_t)level & (AQM_GUARD_UNIT - 1);

	return (((uint64_t)AQM_GUARD_UNIT + part) << (32 - AQM_GUARD_DOUBLING_BITS)) >>
	       (AQM_GUARD_WHOLE - whole);
}

AQM_INLINE void aqm_guard_earn(uint64_t *tokens_q32, uint64_t earned_q32, uint64_t burst_q32)
{
	*tokens_q32 += earned_q32;
	if (*tokens_q32 > burst_q32)
		*tokens_q32 = burst_q32;
}

/* A packet arrives: called for each, before any decision on it. */
AQM_INLINE void aqm_guard_arrived(struct aqm_guard_vars *vars, const struct aqm_facts *facts)
{
	const unsigned queue = aqm_queue_of(facts);

	aqm_guard_advance(vars, facts->now_ns);
	if (vars->open)
		aqm_guard_earn(&vars->extra_q32[queue], aqm_guard_earned_q32(vars->level[queue]),
			       AQM_GUARD_EXTRA_BURST);
}

/* A packet is taken out: called for each, before any decision on it. */
AQM_INLINE void aqm_guard_departs(const struct aqm_guard_params *params,
				  struct aqm_guard_vars *vars, const struct aqm_facts *facts)
{
	const unsigned queue = aqm_queue_of(facts);
	const uint64_t target_ns = params->aim_ns[AQM_QUEUE_C];

	aqm_guard_advance(vars, facts->now_ns);
	vars->idle = false;
	vars->classic = queue == AQM_QUEUE_C;
	vars->late = facts->sojourn_ns > target_ns + target_ns / 2;
	if (facts->sojourn_ns <= params->aim_ns[queue])
		aqm_guard_earn(&vars->omitted_q32[queue], AQM_Q32_ONE >> AQM_GUARD_OMITTED_SHIFT,
			       AQM_GUARD_OMITTED_BURST);
}

/* The link asked for a packet and there was none. */
AQM_INLINE void aqm_guard_found_empty(struct aqm_guard_vars *vars, uint64_t now_ns)
{
	aqm_guard_advance(vars, now_ns);
	vars->idle = true;
	vars->late = false;
	vars->classic = false;
}

/*
 * Settings of a law that a policy chose, in any unit: where less of it gives more
 * signals (a target, a step) it may exceed the law's own by an eighth, where more
 * of it does (a gain, a coupling) it may fall an eighth short.  Settings that give
 * more signals are aqm_guard_trusts()'s matter.
 */
AQM_INLINE uint64_t aqm_guard_at_most(uint64_t wanted, uint64_t usual)
{
	const uint64_t most = usual + (usual >> AQM_GUARD_FEWER_SHIFT);

	return wanted > most ? most : wanted;
}

AQM_INLINE uint64_t aqm_guard_at_least(uint64_t wanted, uint64_t usual)
{
	const uint64_t least = usual - (usual >> AQM_GUARD_FEWER_SHIFT);

	return wanted < least ? least : wanted;
}

/* Did packets wait for long enough that an extra signal has something to do? */
AQM_INLINE bool aqm_guard_waits(const struct aqm_guard_params *params,
				const struct aqm_guard_vars *vars, unsigned queue,
				uint64_t waited_ns, uint64_t classic_ns)
{
	const unsigned shift = vars->calm ? AQM_GUARD_FLOOR_SHIFT : 0;

	return waited_ns > params->aim_ns[queue] >> shift ||
	       (queue == AQM_QUEUE_L && classic_ns > params->aim_ns[AQM_QUEUE_C] >> shift);
}

/*
 * May a packet of `queue` that waited `waited_ns` get an extra signal while
 * Classic's first packet has waited `classic_ns`?  True: it is paid for.
 */
AQM_INLINE bool aqm_guard_adds(const struct aqm_guard_params *params, struct aqm_guard_vars *vars,
			       unsigned queue, uint64_t waited_ns, uint64_t classic_ns)
{
	if (!vars->open || !aqm_guard_waits(params, vars, queue, waited_ns, classic_ns))
		return false;
	vars->wanted[queue] = vars->extra_q32[queue] < AQM_Q32_ONE;
	if (vars->wanted[queue])
		return false;
	vars->extra_q32[queue] -= AQM_Q32_ONE;
	return true;
}

/* An extra signal that was paid for is one that the law gives too. */
AQM_INLINE void aqm_guard_repays(struct aqm_guard_vars *vars, unsigned queue)
{
	aqm_guard_earn(&vars->extra_q32[queue], AQM_Q32_ONE, AQM_GUARD_EXTRA_BURST);
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
 * `overload`: the law is in overload.
 */
AQM_INLINE enum aqm_verdict aqm_guard_judges(const struct aqm_guard_params *params,
					     struct aqm_guard_vars *vars,
					     const struct aqm_facts *facts, enum aqm_verdict law,
					     enum aqm_verdict wanted, bool overload)
{
	const unsigned queue = aqm_queue_of(facts);
	const uint64_t head_ns = facts->head_sojourn_ns[queue];
	const uint64_t waited_ns = facts->sojourn_ns > head_ns ? facts->sojourn_ns : head_ns;
	bool granted;

	if (wanted == law || overload)
		return law;
	if (wanted == AQM_DROP && facts->ecn != AQM_NOT_ECT)
		return law;
	if (wanted > law)
		granted = aqm_guard_adds(params, vars, queue, waited_ns,
					 facts->head_sojourn_ns[AQM_QUEUE_C]);
	else
		granted = aqm_guard_omits(params, vars, queue, waited_ns);
	return granted ? wanted : law;
}

#endif
