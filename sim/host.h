/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hosts and their connections.
 *
 * A host stands for a flow of the scenario: the pair of machines at its two
 * ends, with the statistics that are told of it.  It has one connection for
 * the whole run, or as many as what it does asks for, one after another or at
 * a time.  The first has the flow's number; later ones get numbers of their
 * own, never used again, so that packets still under way find nobody rather
 * than a stranger, and flow queues see a new flow.
 */
#ifndef SIM_HOST_H
#define SIM_HOST_H

#include "sim/node.h"
#include "sim/run.h"

struct world;
struct host;

/* Both ends of a connection; one node, so that one timer serves both. */
struct connection {
	struct sim_node node; /* first */
	struct host *host;
	struct connection *next;         /* of the same host */
	struct endpoint *sender, *receiver;
	uint32_t id;                     /* packet.flow of its packets */
};

struct host {
	struct world *world;
	const struct scenario_group *group;
	uint64_t flow;
	struct rng random;               /* where connections get theirs from */
	struct delay_line back;          /* return path of this flow */
	struct connection *connections;  /* open ones, newest first */
	uint64_t delivered_at_warmup;    /* bytes */
	uint64_t delivered_at_bin;
	uint64_t retransmits_at_warmup, timeouts_at_warmup, marks_at_warmup;
	struct sim_flow_result *result;
};

/* Every open connection by packet.flow; grows with what hosts open. */
struct switchboard {
	struct connection **connections; /* (capacity); NULL: not open (any more) */
	uint64_t capacity, next;         /* next: first number not given yet */
};

/* Prepares host `flow` of `world` and opens its connection. */
int host_build(struct world *world, const struct scenario_group *group, uint64_t flow,
	       struct rng random, struct error *error);

/* Closes all of its connections. */
void host_free(struct host *host);

/* What its senders, and its receivers, have done so far; any of both may be NULL. */
void host_stats(const struct host *host, struct endpoint_stats *sent,
		struct endpoint_stats *received);

/* Hands a packet to the end of the connection that it is for. */
void switchboard_deliver(struct world *world, struct packet *packet);

void switchboard_free(struct switchboard *switchboard);

#endif
