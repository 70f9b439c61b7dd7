/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router in software: a dummynet pipe, and the processor that serves it.
 *
 * Pipe: at every tick of its clock it sends what the rate allowed since the
 * last tick, all at once.  A pipe without debt sends at once and then owes the
 * bits; it saves up nothing.  The packet that put it into debt leaves when the
 * debt is paid.
 *
 * Processor: handles one thing at a time: packets that the network brought and
 * packets that left the delay in the order in which they came, and the pipe's
 * tick when no packet waits, for the network's interrupts come before the
 * pipe's task.  Putting a packet into the queue costs time (the testbed's kernel
 * prints a line for it); sending one on costs nothing.  While the tick waits the
 * link stands still, the queue grows, and the law's view of the delay grows
 * old: receive livelock (Mogul and Ramakrishnan, 1996), bounded because hosts
 * send no more than their windows.
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "sim/node.h"

struct processor;

struct pipe {
	struct sim_node node;
	struct delay_line *delay;    /* where packets go */
	struct processor *processor; /* whose turn a tick needs, or NULL */
	struct queue *queue;
	uint64_t rate_bps;
	uint64_t tick_ns;
	int64_t credit_bits;
	uint64_t served_ns; /* tick of the last service */
	bool active;        /* in debt: serves on ticks */
	struct link_sink sink;
};

void pipe_init(struct pipe *pipe, struct clock *clock, struct delay_line *delay,
	       struct queue *queue, uint64_t rate_bps, uint64_t tick_ns, struct link_sink sink);

struct processor {
	struct sim_node node;        /* packets to be handled come in here */
	struct sim_node *exit;       /* where packets go that made all their passes */
	struct pipe *pipe;           /* whose ticks wait for their turn, or NULL */
	uint64_t cost_ns;            /* of putting a packet into the queue */
	uint8_t passes;              /* through the queue */
	uint64_t room_packets;       /* that may wait when one more comes from the network */
	uint64_t drops;              /* for lack of room */
	struct packet_pool *pool;    /* where dropped packets go */
	struct link_sink no_room;    /* told of them; optional */
	struct packet *first, *last; /* waiting; the first one is in hand */
	uint64_t waiting;            /* packets */
	bool tick_waits;             /* for the last packet to be handled */
};

/* `queue` takes the packets that have passes left; `pipe` may be NULL. */
void processor_init(struct processor *processor, struct clock *clock, struct sim_node *queue,
		    struct sim_node *exit, struct pipe *pipe);

#endif
