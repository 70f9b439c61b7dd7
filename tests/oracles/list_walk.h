/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For laws that decide at departure over a real list of packets (CoDel and its
 * kin): one queue twice, with random arrivals and departures.
 */
#ifndef TESTS_ORACLES_LIST_WALK_H
#define TESTS_ORACLES_LIST_WALK_H

#include "aqm/ref/codel.h"
#include "tests/oracles/oracles.h"

#define LIST_ROOM 256

struct list_walk {
	uint64_t now_ns, gap_ns, grid_ns;
	unsigned arrivals_of_16;
	unsigned number;
	struct oracle_packet ours[LIST_ROOM]; /* a ring */
	size_t first, waiting;
	uint64_t bytes;
	struct oracle_packet theirs_room[2 * LIST_ROOM];
	struct oracle_list theirs;
	struct oracle_packet out[LIST_ROOM];
};

void list_walk_open(struct list_walk *walk, struct rng *rng);

/* Moves time; true: a packet arrived, and either waits now or (*full) found no room. */
bool list_walk_next(struct list_walk *walk, struct rng *rng, bool *full);

/* Takes the first of our packets out and says what a law may know of it. */
struct oracle_packet list_walk_take(struct list_walk *walk, struct aqm_facts *facts);

#endif
