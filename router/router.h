/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A router of two ports in user space: what comes in at one leaves at the other, each way through a
 * path (router/path.h).
 *
 * It is a wire with queues, not a hop: packets keep their TTL and their Ethernet headers.  Way 0
 * goes from port 0 to port 1 and is the managed one.
 */
#ifndef ROUTER_ROUTER_H
#define ROUTER_ROUTER_H

#include "router/path.h"
#include "router/port.h"

#define ROUTER_WAYS 2

/* Since the start; packets of one way. */
struct router_counts {
	uint64_t received;
	uint64_t malformed; /* not IP, though the port has nothing else: thrown away */
	uint64_t no_room;   /* buffers or memory ran out */
	uint64_t sent;
	uint64_t not_sent;  /* the other port did not take them */
};

/* A clock of ns from some moment on; it never goes back. */
struct router_clock {
	uint64_t (*now_ns)(void *context);
	void *context;
};

struct router_config {
	struct port *ports[ROUTER_WAYS]; /* the router's once router_open() succeeded */
	/* pool and frames are set by router_open(). */
	struct path_config ways[ROUTER_WAYS];
	size_t frame_bytes;              /* longest packet that can pass, link header included */
	size_t frame_limit;              /* packets in the router at most */
	struct router_clock clock;
};

struct router {
	struct port *ports[ROUTER_WAYS];
	struct path ways[ROUTER_WAYS];
	struct router_counts counts[ROUTER_WAYS];
	struct packet_pool pool;
	struct frames frames;
	struct port_frame spare[PORT_BATCH]; /* empty buffers for what comes next */
	size_t spares;
	struct router_clock clock;
};

/* ERR_NO_MEMORY, ERR_INVALID. */
int router_open(struct router *router, const struct router_config *config, struct error *error);

/* Packets inside are lost; ports are closed. */
void router_close(struct router *router);

/*
 * Receives a batch from each port and sends what is due.  `more` tells that packets may still wait
 * at a port.  ERR_IO: a port is gone.
 */
int router_turn(struct router *router, bool *more, struct error *error);

/* When the next turn has something to do although no packet came. */
uint64_t router_next_ns(const struct router *router);

/* Packets inside. */
uint64_t router_held(const struct router *router);

#endif
