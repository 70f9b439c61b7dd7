/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Experience for supervising policies (policy/settings.h): which row of a table
 * of settings a network wants, in hindsight, and the way there from any other.
 *
 * In every network each row runs on its own, on a few seeds; the one with the
 * best reward, relative to DualPI2 as it is, is the network's.  Then the network
 * runs once more while a walker moves between rows, mostly towards that row, else
 * anywhere; every `interval`-th packet's record before the decision becomes a row
 * of the pool, whose action is the move towards the best row.  What a policy
 * learns from it is to tell from a router's records where it is and where to go.
 */
#ifndef LEARN_HINDSIGHT_H
#define LEARN_HINDSIGHT_H

#include <stdbool.h>

#include "experience/pool.h"
#include "learn/objective.h"
#include "policy/settings.h"
#include "sim/scenario.h"

struct hindsight_options {
	struct policy_settings settings;
	struct objective objective;
	uint64_t interval; /* packets between decisions, >= 1 */
	uint64_t seeds;	   /* runs of each row, >= 1 */
	uint64_t seed;
	double explore;	   /* share of the walker's moves that go anywhere, [0, 1] */
	size_t most_rows;  /* of the pool from one network; the last ones go */
	unsigned threads;  /* 0: one a core */
};

struct hindsight_network {
	double reward[POLICY_SETTINGS_ROWS]; /* of each row, mean over seeds; 0: DualPI2 as it is */
	int best;
	size_t rows; /* of the pool */
};

/*
 * Fills `networks` (count) and adds all of their rows to `pool`, an initialised one, whose columns
 * this sets.  `stop` (may be NULL) is asked often; true ends it with ERR_INTERRUPTED.
 */
int hindsight_run(const struct hindsight_options *options, const struct scenario *scenarios,
		  size_t count, struct hindsight_network *networks, struct pool *pool,
		  bool (*stop)(void *context), void *context, struct error *error);

/* Only the rewards and the best rows: nobody walks, and there is no pool. */
int hindsight_score(const struct hindsight_options *options, const struct scenario *scenarios,
		    size_t count, struct hindsight_network *networks, bool (*stop)(void *context),
		    void *context, struct error *error);

#endif
