/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any policy as a queue law.
 *
 * The law made here wraps another one.  The inner law runs for every packet as
 * it always does, so its state stays that of a law at work; every `interval`-th
 * arriving packet, over both queues, is put to the policy, and the policy's
 * verdict replaces the law's for one packet.  Queues host it like any law and
 * need not know that policies exist.
 *
 * The policy sees the inner law's record *before* the decision.  With a latency
 * of 0 its verdict is for that very packet; otherwise for the first packet that
 * arrives `latency_ns` later or after.  A decision that is still being made when
 * the next is due is late: the policy is busy and is not asked again until it
 * has spoken.  A policy that decides elsewhere (policy/background.h) takes the time
 * that it takes: its verdict is for the first packet that arrives when it is there.
 *
 * A verdict is drawn with the packet's own random bits, the same that the law
 * uses, so a policy with the law's probabilities acts on the law's packets; or
 * it is the most likely one (argmax).  A mark on a packet that cannot carry one
 * is a drop, for policies as for laws.
 *
 * A supervising policy (policy/settings.h) gives no verdicts: its decisions, asked
 * for, timed and drawn in the same way, move the inner law between the rows of its
 * table, and the law decides every packet.  While the guard does not trust it, and
 * under rows that ask for fewer signals than the guard allows, the law's own
 * settings are in force.
 */
#ifndef POLICY_AQM_POLICY_H
#define POLICY_AQM_POLICY_H

#include "aqm/ops.h"
#include "policy/policy.h"

/* X(name, what it means) */
#define AQM_POLICY_CHOICE_TABLE(X)                                                                 \
	X(drawn, "drawn from the policy's probabilities with the packet's random bits")            \
	X(argmax, "the most likely verdict")

enum aqm_policy_choice {
#define AQM_POLICY_CHOICE_ENUM(name, text) AQM_POLICY_##name,
	AQM_POLICY_CHOICE_TABLE(AQM_POLICY_CHOICE_ENUM)
#undef AQM_POLICY_CHOICE_ENUM
	AQM_POLICY_CHOICES
};

/* By name, or -1. */
int aqm_policy_choice_find(const char *name);

struct aqm_policy_config {
	const struct aqm_ops *law; /* the inner law */
	const void *law_params;    /* of law->params_size; copied */
	struct policy *policy;     /* not owned; serves one run at a time; may be shared by turns */
	uint64_t interval;         /* >= 1 */
	uint64_t latency_ns;
	enum aqm_policy_choice choice;
	bool guarded;              /* by aqm/guard.h, around what the law aims at */
};

/* Since the law was last initialised. */
struct aqm_policy_counts {
	uint64_t arrivals;   /* packets the law was asked about */
	uint64_t decisions;  /* packets put to the policy */
	uint64_t applied;    /* verdicts that came from the policy or were denied by the guard */
	uint64_t late;       /* decisions still being made when the next was due */
	/*
	 * Verdicts replaced by the law's, at arrival or at departure: by the guard, or because they
	 * were no probabilities.
	 */
	uint64_t overridden;
	/*
	 * Packets that met another fate than the inner law had in store: its verdict in the
	 * state it was in.  A packet dropped on arrival, where the law would only have decided
	 * at departure, counts.
	 */
	uint64_t differed;
	/*
	 * `differed` was not counted: settings are decided, and what the law would have done
	 * without them nobody asks; or it is a student, whose law runs inside it.
	 */
	bool uncompared;
	/* `overridden` are packets that left under settings which the guard had cut. */
	bool cut;
};

struct aqm_policy;

/* ERR_INVALID, ERR_NO_MEMORY. */
int aqm_policy_new(struct aqm_policy **wrapped, const struct aqm_policy_config *config,
		   struct error *error);
void aqm_policy_free(struct aqm_policy *wrapped);

/* The law and its parameters, for a queue; both live as long as `wrapped`. */
const struct aqm_ops *aqm_policy_ops(const struct aqm_policy *wrapped);
const void *aqm_policy_params(const struct aqm_policy *wrapped);

struct aqm_policy_counts aqm_policy_counts(const struct aqm_policy *wrapped);

/*
 * Laws cannot fail, policies can: after a failure the inner law decides alone.
 * Returns the first failure of the run, 0 when there was none.
 */
int aqm_policy_failure(const struct aqm_policy *wrapped, struct error *error);

#endif
