/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a network under DualPI2 with its step's floor: alone, with a policy
 * on top that is asked about every packet, or under somebody's settings.
 */
#ifndef TESTS_GUARD_ARMS_H
#define TESTS_GUARD_ARMS_H

#include "sim/run.h"

#define ARM_SETTINGS "settings:"
#define ARM_NUDGED "nudged"

struct arm_figures {
	double p99_ms[3];    /* by enum aqm_queue, then of both */
	double goodput_mbps; /* of all flows */
	double share_c;	     /* of packets sent: Classic's */
	double asked, overridden;
};

/*
 * `name`: NULL the law alone; `nudged` the same with a target that is 0.1 % longer;
 * settings:KEY=VALUE:... a supervisor that asks for them (tests/guard/supervised.h);
 * else what follows `adversary:` (policy/adversary.h).  The first error is printed.
 */
int arm_run(const struct scenario *scenario, uint64_t seed, const char *name, bool unguarded,
	    struct arm_figures *figures);

/* Delay and goodput beside those of the law alone. */
struct arm_ratios {
	double delay, goodput;
};

struct arm_ratios arm_compare(const struct arm_figures *arm, const struct arm_figures *law);

#endif
