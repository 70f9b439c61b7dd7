/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy: sees records of a router, says how likely each verdict should be.
 *
 * The record passed to observe() is the state *before* the decision; once the
 * packet's fate is known it is told to acted().  One policy object serves one
 * router.
 */
#ifndef POLICY_POLICY_H
#define POLICY_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "aqm/facts.h"
#include "aqm/record.h"
#include "base/error.h"

struct policy;
struct policy_settings;

struct policy_cost {
	uint64_t decisions;
	uint64_t wall_ns;        /* spent in decide(), all decisions */
	uint64_t parameters;     /* all */
	uint64_t trainable;      /* adapted */
	uint64_t memory_bytes;   /* weights, caches, scratch */
};

struct policy_ops {
	const char *name;
	/* A packet arrived that will be put to the policy: its record before any decision. */
	int (*observe)(struct policy *policy, const struct aqm_record *record,
		       struct error *error);
	/* Probability of each enum aqm_verdict for the packet observed last; they sum to 1. */
	int (*decide)(struct policy *policy, uint64_t now_ns, double probability[3],
		      struct error *error);
	/*
	 * Only of a policy that decides elsewhere (policy/background.h), in place of decide():
	 * observe() begins a decision; this gives it and returns 1 once it is there, 0 as long as
	 * it is not, without waiting.
	 */
	int (*ready)(struct policy *policy, double probability[3], struct error *error);
	/* What was done with that packet. */
	void (*acted)(struct policy *policy, enum aqm_verdict verdict);
	/* Start of a new run: forget the history. */
	void (*reset)(struct policy *policy);
	void (*cost)(const struct policy *policy, struct policy_cost *cost);
	/*
	 * The table of a supervising policy (policy/settings.h), whose verdicts are moves between
	 * its rows; NULL, and optional, for a policy that gives verdicts.
	 */
	const struct policy_settings *(*settings)(const struct policy *policy);
	void (*destroy)(struct policy *policy);
};

/* Every policy embeds this first. */
struct policy {
	const struct policy_ops *ops;
};

/* How to run a policy where not as its policy.json says; a zeroed one changes nothing. */
struct policy_manner {
	/*
	 * Storage of the backbone's weights: f32, bf16, f16, int8, int4, stored.  What was
	 * trained over f32 weights folds its adapter in and is rounded then.
	 */
	const char *precision;
	const char *context;   /* what a full window does: exact, keep, cached (policy/stream.h) */
};

/*
 * Opens a policy directory (policy.json and what it names).  Any kind of policy;
 * `adversary:NAME` has no directory (policy/adversary.h).  ERR_UNSUPPORTED for a student
 * (policy/student_file.h), which is a law.
 */
int policy_open(struct policy **policy, const char *directory, struct error *error);

/* False: the name alone says what the policy is. */
bool policy_has_directory(const char *name);

/* The same in another manner.  ERR_INVALID for names that there are not. */
int policy_open_as(struct policy **policy, const char *directory,
		   const struct policy_manner *manner, struct error *error);
void policy_destroy(struct policy *policy);

#endif
