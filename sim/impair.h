/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairments: nodes that lose, delay and reorder the packets that pass.
 *
 * Each draws from a generator of its own, so that one more moves no other's draws.
 */
#ifndef SIM_IMPAIR_H
#define SIM_IMPAIR_H

#include "base/rng.h"
#include "sim/network.h"
#include "sim/node.h"

/* Loses each packet with the same probability. */
struct loss {
	struct sim_node node;
	struct rng random;
	struct packet_pool *pool;
	double probability;
	uint64_t lost;
};

/* Loses packets by Gilbert's and Elliott's chain; it begins in the good state. */
struct loss_burst {
	struct sim_node node;
	struct rng random;
	struct packet_pool *pool;
	struct loss_burst_plan plan;
	bool bad;
	uint64_t lost;
};

/* Sends some packets over a detour: those behind them come first. */
struct reorder {
	struct sim_node node;
	struct rng random;
	double probability;
	struct delay_line detour;
	uint64_t reordered;
};

/* A packet that a jitter node holds. */
struct jitter_packet {
	uint64_t due_ns, number; /* equal times leave in the order of coming */
	struct packet *packet;
};

/* Holds every packet for a time drawn from an exponential law, of at most 10 times its mean. */
struct jitter {
	struct sim_node node;
	struct rng random;
	uint64_t mean_ns;
	bool may_overtake;
	uint64_t last_ns, numbers;   /* latest time of leaving; packets so far */
	struct jitter_packet *heap;  /* (capacity), the first to leave in front */
	uint64_t count, capacity;
};

/* Holds what comes in a stall until its end. */
struct stall {
	struct sim_node node;
	struct rng random;
	uint64_t every_ns, for_ns;
	uint64_t begin_ns, end_ns;    /* of the stall that is or comes next */
	struct packet *first, *last;  /* held */
	uint64_t count;
};

void loss_init(struct loss *loss, struct clock *clock, struct sim_node *next, double percent,
	       struct rng random, struct packet_pool *pool);
void loss_burst_init(struct loss_burst *burst, struct clock *clock, struct sim_node *next,
		     const struct loss_burst_plan *plan, struct rng random,
		     struct packet_pool *pool);
void reorder_init(struct reorder *reorder, struct clock *clock, struct sim_node *next,
		  const struct impairments *plan, struct rng random);
void jitter_init(struct jitter *jitter, struct clock *clock, struct sim_node *next,
		 const struct impairments *plan, struct rng random);
void stall_init(struct stall *stall, struct clock *clock, struct sim_node *next,
		const struct stall_plan *plan, struct rng random);

/* Frees the list of packets, not these. */
void jitter_free(struct jitter *jitter);

/* Whether there is anything to do to packets. */
bool impairments_any(const struct impairments *plan);

/* All impairments of one path, in a row: losses, then jitter, stalls, detours. */
struct impaired_path {
	struct loss loss;
	struct loss_burst burst;
	struct jitter jitter;
	struct stall stall;
	struct reorder reorder;
	struct sim_node *entry; /* the first that is there, or what comes behind */
};

void impaired_path_init(struct impaired_path *path, const struct impairments *plan,
			struct clock *clock, struct sim_node *next, const struct rng *random,
			struct packet_pool *pool);
void impaired_path_free(struct impaired_path *path);

/* Packets lost so far; packets in it now. */
uint64_t impaired_path_lost(const struct impaired_path *path);
uint64_t impaired_path_held(const struct impaired_path *path);

#endif
