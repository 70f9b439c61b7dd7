/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One more hop on a path: a queue under a law, the link behind it, its delay, and their statistics.
 */
#ifndef SIM_HOP_H
#define SIM_HOP_H

#include "base/rng.h"
#include "sim/node.h"
#include "sim/run.h"

struct world;

struct hop {
	struct bottleneck link; /* first: where packets come in */
	struct delay_line delay;
	struct queue *queue;
	struct rate_plan rate;
	const struct world *world;
	struct sim_hop_result *result;
	uint64_t bytes_after_warmup; /* that the link sent */
};

/* Builds a zeroed hop; on failure hop_free() still is due.  The result is the world's. */
int hop_build(struct hop *hop, struct world *world, const struct hop_plan *plan,
	      struct sim_node *next, struct rng random, struct sim_hop_result *result,
	      struct error *error);
void hop_free(struct hop *hop);

/* Warm-up is over; the run is over: completes the result. */
void hop_end_warmup(struct hop *hop);
void hop_finish(struct hop *hop);

/* Packets dropped so far; packets in it now. */
uint64_t hop_dropped(const struct hop *hop);
uint64_t hop_held(const struct hop *hop);

#endif
