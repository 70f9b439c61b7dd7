/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rules that know nothing of learning, to stand beside every accuracy.
 */
#ifndef LEARN_BASELINES_H
#define LEARN_BASELINES_H

#include <stdbool.h>
#include <stddef.h>

#include "experience/pool.h"
#include "learn/metrics.h"

/* X(name, text): in the order in which they are printed; text: what the rule does */
#define BASELINE_TABLE(X)                                                                          \
	X(majority, "the most frequent action, always")                                            \
	X(two_comparisons, "reads the action off what the log says of the time after it")          \
	X(copy_previous, "the action of the row before")

enum baseline {
#define BASELINE_ENUM(name, text) BASELINE_##name,
	BASELINE_TABLE(BASELINE_ENUM)
#undef BASELINE_ENUM
		BASELINES
};

const char *baseline_name(enum baseline baseline);

/* What it does, in a few words. */
const char *baseline_text(enum baseline baseline);

/*
 * Scores a rule on rows [first, end) of a pool, on those alone that are `wanted`
 * (pool->rows flags; NULL: all).  `majority` answers the most frequent action of
 * the rows before `first` (of the scored rows when there are none),
 * `copy_previous` the action of the row before (enqueue at the start of an
 * episode).  False, with *metrics empty, when the pool lacks a column that the
 * rule needs.
 */
bool baseline_score(enum baseline baseline, const struct pool *pool, size_t first, size_t end,
		    const bool *wanted, struct metrics *metrics);

/* Which part of the confusion row `row` belongs to: by queue_type, METRICS_ALL without that column.
 */
enum metrics_part pool_row_part(const struct pool *pool, size_t row);

#endif
