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

struct app;
struct world;
struct host;

/* Both ends of a connection; one node, so that one timer serves both. */
struct connection {
	struct sim_node node; /* first */
	struct host *host;
	struct connection *next;         /* of the same host */
	struct endpoint *sender, *receiver;
	uint64_t end_due_ns[2];          /* when they want to run: sender, receiver */
	uint32_t id;                     /* packet.flow of its packets */
	bool closing;                    /* goes when neither end waits for anything */
	uint64_t write_ns, write_bytes;  /* to be written then; TIME_NEVER_NS: nothing */
	uint64_t asked_bytes;            /* written, and to be written */
	uint64_t delivered_bytes;
	uint64_t progress_ns;            /* when last something came of what was asked for */
	struct packet *held_ack;         /* by thinning, with how many before it; or NULL */
	uint64_t thinned_acks;
	uint64_t begun_ns;               /* an application's note: when what it carries began */
};

/* What arrives as datagrams, measured. */
struct datagram_meter {
	uint64_t base;                   /* number of the last one sent in warm-up */
	uint64_t highest;                /* number that arrived, after warm-up */
	uint64_t last_delay_ns;
	double differences_ns;           /* of delay between neighbours, summed up */
};

/* What a packet needs fills the first cache line. */
struct host {
	_Alignas(NET_CACHE_LINE_BYTES) struct world *world;
	const struct scenario_group *group;
	struct sim_node *entry;          /* where its data goes */
	struct delay_line *back;         /* return path, shared with flows of the same delay */
	struct sim_flow_result *result;
	struct app *app;                 /* NULL: sends all the time */
	struct connection *connections;  /* open ones, newest first */
	uint64_t flow;
	struct rng random;               /* where connections get theirs from */
	uint64_t rtt_ns;                 /* of an empty path */
	uint64_t opened;                 /* connections so far */
	struct endpoint_stats sent, received; /* of the ends of closed connections */
	struct datagram_meter meter;
	uint64_t delivered_at_warmup;    /* bytes */
	uint64_t delivered_at_bin;
	uint64_t retransmits_at_warmup, timeouts_at_warmup, marks_at_warmup;
};

/* An open connection, and its ends, so that none has to be read to fetch the others. */
struct switchboard_line {
	struct connection *connection; /* NULL: not open (any more) */
	struct endpoint *ends[2];      /* by packet.to_server */
};

/* Every open connection by packet.flow; grows with what hosts open. */
struct switchboard {
	struct switchboard_line *lines; /* (capacity) */
	uint64_t capacity, next;        /* next: first number not given yet */
	struct store *store;            /* where the lines lie */
};

/* Prepares host `flow` of `world`: opens its connection, or gives it its application. */
int host_build(struct world *world, const struct scenario_group *group, uint64_t flow,
	       struct rng random, struct error *error);

/* Frees all of it; timers are not looked at again. */
void host_free(struct host *host);

/* Warm-up is over: what was counted before is left out. */
void host_end_warmup(struct host *host);

/* The run is over: completes the flow's result. */
void host_finish(struct host *host);

/* Opens one more connection, whose payload is what is written; NULL: out of memory, the run ends.
 */
struct connection *host_connect(struct host *host);

/* Its sender has `bytes` more to send, from now on or from `at_ns` on (one such a time). */
void connection_write(struct connection *connection, uint64_t bytes);
void connection_write_at(struct connection *connection, uint64_t bytes, uint64_t at_ns);

/* Nothing more will be written: it goes when all is acknowledged. */
void connection_close(struct connection *connection);

/* What all its senders, and all its receivers, have done so far. */
void host_stats(const struct host *host, struct endpoint_stats *sent,
		struct endpoint_stats *received);

/* Hands a packet to the end of the connection that it is for. */
void switchboard_deliver(struct world *world, struct packet *packet);

/* Has what `packet` will need, which is next, fetched from memory, and the line of `after`. */
void switchboard_expect(const struct world *world, const struct packet *packet,
			const struct packet *after);

#endif
