/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts violations of the guard's theorem (docs/guard.md) while it works.
 *
 * The checker is told what the guard is told and what it answered, and knows
 * nothing of its tokens and budgets: each claim about every stretch of events is
 * kept as the worst stretch that ends now, which one addition brings up to date.
 */
#ifndef TESTS_GUARD_CHECKER_H
#define TESTS_GUARD_CHECKER_H

#include "aqm/guard.h"

/* X(name, the claim that failed) */
#define CHECKER_CLAIMS(X)                                                                          \
	X(verdict, "a verdict is the law's or the policy's")                                       \
	X(closed, "no extra signals while closed")                                                 \
	X(overload, "the law alone in overload")                                                   \
	X(waited, "extra signals for packets that waited, omissions for others")                   \
	X(extra, "4 extra signals and one in 16 packets of Classic, one in 2 of L4S")              \
	X(omitted, "2 omissions, and one in 64 packets that waited little")                        \
	X(idle, "idle time while open: what is allowed and 134 ms")                                \
	X(classic, "Classic's time while open: half of the measured, but for 1.07 s")              \
	X(hold, "closed for as long as it should be")                                              \
	X(share, "measured shares are averages")

enum checker_claim {
#define CHECKER_CLAIM(name, text) CHECKER_##name,
	CHECKER_CLAIMS(CHECKER_CLAIM)
#undef CHECKER_CLAIM
		CHECKER_CLAIM_COUNT
};

struct checker {
	uint64_t violations[CHECKER_CLAIM_COUNT];
	uint64_t openings, closings;
	/* Worst stretches that end now. */
	int64_t extra_16ths[AQM_QUEUES], omitted_64ths[AQM_QUEUES];
	double idle_ns, classic_ns;
	/* What the checker measured itself. */
	double idle_share, classic_share, measured_ns;
	unsigned doublings; /* of the memory of Classic's share */
	bool begun, idle, classic, open;
	uint64_t then_ns, phase_ns;
	unsigned closed_in_a_row;
};

/* Before the guard's own function of the same event, then after it. */
void checker_time(struct checker *checker, const struct aqm_guard_vars *before, uint64_t now_ns);
void checker_arrived(struct checker *checker, const struct aqm_guard_vars *after, unsigned queue);
void checker_departed(struct checker *checker, const struct aqm_guard_params *params,
		      const struct aqm_guard_vars *after, const struct aqm_facts *facts);
void checker_found_empty(struct checker *checker, const struct aqm_guard_vars *after);

/* What the guard answered, and its state before. */
void checker_judged(struct checker *checker, const struct aqm_guard_params *params,
		    const struct aqm_guard_vars *before, const struct aqm_facts *facts,
		    enum aqm_verdict law, enum aqm_verdict wanted, bool overload,
		    enum aqm_verdict verdict);
void checker_repaid(struct checker *checker, unsigned queue);

uint64_t checker_total(const struct checker *checker);
const char *checker_claim_text(enum checker_claim claim);

#endif
