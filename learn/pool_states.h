/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of a pool as a student in the mode `verdict` would have seen them, with what was done.
 *
 * A router's record is written when a packet arrives, of the same facts that a student reads then,
 * so the features are the columns' logarithms, but for what microseconds round off.  Two of a
 * pool's columns, PIE's burst allowance and accumulated probability, are no feature of a student's,
 * and most of a student's features are in no pool.
 */
#ifndef LEARN_POOL_STATES_H
#define LEARN_POOL_STATES_H

#include "experience/pool.h"
#include "learn/visits.h"

/* X(feature, column) */
#define POOL_STATES_TABLE(X)                                                                       \
	X(is_l, queue_type)                                                                        \
	X(packet_length, packet_length)                                                            \
	X(qdelay_own, current_queue_delay)                                                         \
	X(backlog_own, length_in_bytes)                                                            \
	X(p_own, drop_probability)                                                                 \
	X(drops_own, total_drops)

#define POOL_STATES_FEATURES 6

/* The features that a pool's columns tell, ascending, into `feature`; returns how many. */
int pool_states_features(const struct pool *pool, uint8_t feature[POOL_STATES_FEATURES]);

/*
 * The first column in which a row has a number that no router logs: from 2^53 on, or in those of
 * POOL_STATES_TABLE below 0; -1: there is none.
 */
int pool_states_odd(const struct pool *pool, size_t row);

/*
 * Whole segments of rows [first, end) into an empty part, which visits_free() frees: features by
 * enum aqm_student_feature, those that the pool does not tell 0; target 1 for what was done, by
 * enum aqm_verdict; law: the law's probability of a signal.  A segment lies in one episode: what
 * an episode has left beyond whole ones goes.  `row` (end - first) receives which row of the pool
 * each step is.  ERR_NO_MEMORY.
 */
int pool_states_read(struct visits_part *part, size_t *row, const struct pool *pool, size_t first,
		     size_t end, struct error *error);

#endif
