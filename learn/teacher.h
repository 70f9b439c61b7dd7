/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An adapted backbone as a teacher: asked about states that somebody else
 * visited.
 *
 * What was visited is a pool of the records before the decision, with what was
 * done; each episode is one router.  The teacher reads it as it would have seen
 * it at that router, in its own windows, under its own target return, and says
 * how likely each verdict (of one that moves settings: each move) should have
 * been.  These are the probabilities that
 * policy/llm_policy.h gives at the router (learn/teacher_test), computed a
 * window at a time, so that a label costs a fraction of a decision.
 */
#ifndef LEARN_TEACHER_H
#define LEARN_TEACHER_H

#include "aqm/record.h"
#include "base/error.h"
#include "experience/pool.h"
#include "learn/predictor.h"
#include "policy/config.h"
#include "policy/net.h"

struct teacher {
	struct policy_net net;
	struct policy_config config;
	struct predictor_options options;
	int field[POOL_MAX_FEATURES]; /* of each feature, in struct aqm_record */
};

/* ERR_INVALID where a feature is not a field of a router's record. */
int teacher_open(struct teacher *teacher, const char *directory, struct error *error);
void teacher_free(struct teacher *teacher);

/* An empty pool with the teacher's features as columns. */
void teacher_pool(const struct teacher *teacher, struct pool *pool);

/* Adds a step to a pool of teacher_pool().  ERR_NO_MEMORY. */
int teacher_saw(const struct teacher *teacher, struct pool *pool, const struct aqm_record *before,
		enum pool_action action);

/*
 * probability (pool->rows, POOL_ACTIONS), in the order of a pool, each row summing to 1.  The
 * number of threads is the caller's (tensor/threads.h).
 */
int teacher_label(const struct teacher *teacher, const struct pool *pool, float *probability,
		  struct error *error);

#endif
