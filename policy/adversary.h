/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Policies that test the guard: they mean harm, or know nothing.
 *
 * None is of use to a router.  They stand among the policies so that every
 * command that takes a policy folder can show what the guard makes of them:
 * `--policy adversary:NAME`.  Most are patterns: for `on_ms` of every
 * `period_ms`, and where the packet's queue is between `low_ms` and `high_ms`
 * late, a share of packets gets the verdict of its queue; all others another
 * one.  `adversary:KEY=VALUE:...` makes any pattern, which is what a search
 * for the worst one goes through (tests/guard).
 *
 * One is no adversary: `gentle` couples the queues as DualPI2 does, but takes p'
 * from the delay alone, in proportion, and so keeps it lower: the kind of policy
 * that a guard should leave alone.
 */
#ifndef POLICY_ADVERSARY_H
#define POLICY_ADVERSARY_H

#include "policy/policy.h"

#define ADVERSARY_PREFIX "adversary:"

/* X(name, how it decides, pattern where it follows one, what it does) */
#define ADVERSARY_TABLE(X)                                                                         \
	X(enqueue, pattern, "c=pass:l=pass", "lets every packet pass")                             \
	X(drop, pattern, "c=drop:l=drop", "drops every packet")                                    \
	X(mark, pattern, "c=mark:l=mark", "marks every packet")                                    \
	X(opposite, pattern, "high_ms=8:c=drop:l=drop", "drops while the queue is short only")     \
	X(bursts, pattern, "period_ms=5000:on_ms=500:c=drop:l=drop",                               \
	  "drops everything for half a second of every five")                                      \
	X(waves, pattern, "period_ms=3000:on_ms=1500:c=drop:l=drop",                               \
	  "drops everything, then nothing, 1.5 s each")                                            \
	X(starve_classic, pattern, "c=drop:l=pass", "drops Classic, never signals L4S")            \
	X(starve_l4s, pattern, "c=pass:l=drop", "drops L4S, never signals Classic")                \
	X(random, chance, "", "any three probabilities, others for each packet")                   \
	X(nan, nothing, "", "says that the probabilities are no numbers")                          \
	X(gentle, gently, "", "no adversary: signals by the delay, below the law's target")

struct adversary_pattern {
	double period_ms, on_ms; /* on_ms >= period_ms: always on */
	double low_ms, high_ms;	 /* of the age of the queue's first packet */
	double share;		 /* of packets meant */
	enum aqm_verdict on[2];	 /* by enum aqm_queue */
	enum aqm_verdict rest[2];
};

/* From KEY=VALUE:...; what is not named: always, any delay, all packets, pass.  ERR_INVALID. */
int adversary_parse(struct adversary_pattern *pattern, const char *text, struct error *error);

/* `name` is what follows the prefix.  ERR_INVALID, ERR_NO_MEMORY. */
int adversary_open(struct policy **policy, const char *name, struct error *error);

/* One that follows the pattern.  ERR_NO_MEMORY. */
int adversary_new(struct policy **policy, const struct adversary_pattern *pattern,
		  struct error *error);

#endif
