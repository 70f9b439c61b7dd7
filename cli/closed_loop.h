/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One closed-loop run as the commands need it: a scenario, a law, perhaps a
 * policy on top of it and a log beside it.
 */
#ifndef CLI_CLOSED_LOOP_H
#define CLI_CLOSED_LOOP_H

#include "policy/aqm_policy.h"
#include "sim/perturbation.h"
#include "sim/run.h"

struct closed_loop {
	const struct scenario *scenario;
	const struct aqm_ops *law;    /* that decides, alone or between a policy's decisions */
	const void *params;           /* of the law */
	struct policy *policy;        /* NULL: the law alone */
	uint64_t interval;            /* packets between questions to the policy */
	double latency_ms;            /* simulated time that a decision takes */
	enum aqm_policy_choice choice;
	bool unguarded;
	const struct perturbation_plan *disturbance; /* between law and senders, or NULL */
	struct perturbation_sums *disturbed;	     /* takes what came of it */
	uint64_t seed;
	double bin_s;
	const char *log;              /* file for the router's log, or NULL */
	const char *pcap;             /* file for every packet, "-" standard output, or NULL */
	void *context;
	/* Every record, in the log's order; optional. */
	int (*record)(void *context, uint64_t now_ns, const struct aqm_record *record,
		      struct error *error);
	/* The end of every bin; optional.  As in struct sim_options. */
	bool (*bin)(void *context, const struct sim_moment *moment);
	bool (*progress)(void *context, double done);
};

/*
 * Runs it.  `counts` (may be NULL) is zero without a policy or a student.  Log and
 * capture are replaced atomically, and not at all when the run fails.
 */
int closed_loop_run(const struct closed_loop *loop, struct sim_result *result,
		    struct aqm_policy_counts *counts, struct error *error);

#endif
