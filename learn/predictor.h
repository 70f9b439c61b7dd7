/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network's probabilities for rows of a pool, given what happened before.
 */
#ifndef LEARN_PREDICTOR_H
#define LEARN_PREDICTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "learn/dataset.h"
#include "learn/metrics.h"
#include "policy/net.h"

#define PREDICTOR_BATCH 8 /* windows of one pass */

struct predictor_options {
	int64_t window; /* most steps of context, the row itself included */
	int64_t stride; /* rows scored by one pass: each sees window - stride + 1 .. window steps */
	uint32_t interval; /* the context is every `interval`-th row before */
	bool true_returns; /* show returns as they came true; false: the target, as at a router */
	size_t limit;	   /* score at most about this many rows, evenly spread; 0: all */
	/*
	 * Windows as policy/stream.h moves them: the first of an episode scores all of its rows,
	 * the others keep window - stride rows as context, never more.
	 */
	bool streamed;
};

/*
 * Scores rows [first, end): every row once, in windows that end at the last
 * row they score and reach back `window` steps (across `first`: the past is
 * no secret), but never across the start of an episode.  Probabilities are
 * added to `metrics`; `each` (may be NULL) gets every row's.
 */
int predictor_run(const struct policy_net *net, const struct dataset *dataset, size_t first,
		  size_t end, const struct predictor_options *options, struct metrics *metrics,
		  void (*each)(void *context, size_t row, const double probability[POOL_ACTIONS]),
		  void *context, struct error *error);

#endif
