/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A link that sends packets in aggregates, in the manner of Wi-Fi: it waits for its turn, takes as
 * many packets as an aggregate may hold, and they arrive together when the last one is sent.
 */
#ifndef SIM_AGGREGATE_H
#define SIM_AGGREGATE_H

#include "base/rng.h"
#include "sim/network.h"
#include "sim/node.h"

struct aggregate {
	struct sim_node node;
	struct queue *queue;
	struct capacity capacity;
	struct aggregation_plan plan;
	struct rng random;
	struct link_sink sink;
	enum { AGGREGATE_IDLE, AGGREGATE_CONTENDS, AGGREGATE_SENDS } state;
	uint64_t due_ns;       /* the end of what it does */
	struct packet *first;  /* on the air, in order */
	uint64_t count;
};

void aggregate_init(struct aggregate *aggregate, struct clock *clock, struct sim_node *next,
		    struct queue *queue, const struct rate_plan *rate,
		    const struct aggregation_plan *plan, struct rng random, struct link_sink sink);

#endif
