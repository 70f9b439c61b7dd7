/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a network is made of: nodes that take packets and wake at deadlines.
 *
 * forward() gives a node a packet (it owns it from then on); run() is called
 * when its deadline has come.  A node arms itself with node_arm().
 */
#ifndef SIM_NODE_H
#define SIM_NODE_H

#include "base/heap.h"
#include "net/capacity.h"
#include "net/packet.h"
#include "queue/queue.h"

struct clock {
	struct heap heap;
	uint64_t now_ns;
	bool failed; /* out of memory somewhere: the run ends */
};

struct sim_node;

struct sim_node_ops {
	void (*forward)(struct sim_node *node, struct packet *packet);
	void (*run)(struct sim_node *node);
	/*
	 * `packet` comes next, and then `after` (NULL: not known): have what they will need fetched
	 * from memory; optional.
	 */
	void (*expect)(struct sim_node *node, const struct packet *packet,
		       const struct packet *after);
};

/* Every node embeds this first. */
struct sim_node {
	struct heap_node timer; /* first: the heap gives it back; due no later than due_ns */
	uint64_t due_ns;        /* when to run; TIME_NEVER_NS: not armed */
	const struct sim_node_ops *ops;
	struct clock *clock;
	struct sim_node *next;  /* where packets go on */
};

static inline void node_forward(struct sim_node *node, struct packet *packet)
{
	node->ops->forward(node, packet);
}

void node_init(struct sim_node *node, const struct sim_node_ops *ops, struct clock *clock,
	       struct sim_node *next);

/*
 * Arms `node` for `due_ns`, or disarms it for TIME_NEVER_NS.  A deadline that moves to later costs
 * nothing: the clock looks again at the earlier time.  Most timers are put off at every packet.
 */
void node_arm(struct sim_node *node, uint64_t due_ns);

/* Takes a node that is about to go off the clock. */
void node_forget(struct sim_node *node);

/*
 * Runs what is due first, if that is before `end_ns`; false: nothing is.  Equal deadlines run in
 * the order in which the clock learnt of them.
 */
bool clock_run_next(struct clock *clock, uint64_t end_ns);

/* Delay line: packets leave in order, `delay_ns` after they came. */
struct delay_line {
	struct sim_node node;
	uint64_t delay_ns;
	uint64_t grid_ns; /* times of coming are rounded down to this clock's ticks; 0: exact */
	struct packet *first, *last; /* enqueued_ns holds the time of leaving */
};

void delay_line_init(struct delay_line *line, struct clock *clock, struct sim_node *next,
		     uint64_t delay_ns);

/* Keeps the packet that came last `more_ns` longer; there must be one. */
void delay_line_hold_last(struct delay_line *line, uint64_t more_ns);

/* Packets in it. */
uint64_t delay_line_held(const struct delay_line *line);

/* What a link tells of the packets it sends. */
struct link_sink {
	void *context;
	void (*sent)(void *context, uint64_t now_ns, const struct packet *packet);
};

/* A queue and the link behind it: one packet on the wire at a time. */
struct bottleneck {
	struct sim_node node;
	struct queue *queue;
	struct capacity capacity;
	struct packet *on_wire;
	uint64_t wire_free_ns;
	uint64_t begin_ns; /* the link takes the next packet then; TIME_NEVER_NS: does not wait */
	struct link_sink sink;
};

void bottleneck_init(struct bottleneck *bottleneck, struct clock *clock, struct sim_node *next,
		     struct queue *queue, const struct rate_plan *plan, struct link_sink sink);

#endif
