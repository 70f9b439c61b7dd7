/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One way through a router: a queue under a law, an emulated link that serves it, an emulated delay
 * behind the link.
 *
 * The path has no clock.  Whoever drives it tells the time, which never goes back, and may be late:
 * path_run() does everything that was due in the meantime, each thing at its own time, so that the
 * rate of the link, sojourn times and the law's updates do not depend on how late it was.  The
 * packets then wait, due, in path_take().  Between the same arrivals at the same times a path
 * decides what the simulator's bottleneck decides, packet by packet.
 */
#ifndef ROUTER_PATH_H
#define ROUTER_PATH_H

#include "base/histogram.h"
#include "net/capacity.h"
#include "queue/queue.h"
#include "router/flows.h"
#include "router/frames.h"

/* What leaves a path to whoever listens; every member is optional. */
struct path_sink {
	void *context;
	/* As in struct queue_sink. */
	void (*record)(void *context, uint64_t now_ns, const struct aqm_record *record);
	/* A packet left the queue, or was dropped: its bytes show a mark already. */
	void (*leave)(void *context, uint64_t now_ns, const struct packet *packet,
		      enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns);
};

struct path_config {
	const struct aqm_ops *law;
	const void *params;      /* of the law; copied */
	struct rate_plan rate;   /* rate_mbps 0 and no trace: no link is emulated, nothing waits */
	uint64_t delay_ns;
	uint64_t seed;           /* of the packets' random bits and of the flows' hash */
	struct packet_pool *pool; /* these outlive the path */
	struct frames *frames;
	struct path_sink sink;
};

/* Since the start, per enum aqm_queue; queue->counts has the others. */
struct path_queue_stats {
	struct histogram sojourn_ns; /* of packets that left the queue */
	uint64_t ect_drops;          /* of packets that could have carried a mark */
};

struct path {
	struct queue *queue;
	struct packet_pool *pool;
	struct frames *frames;
	struct path_sink sink;
	bool shaped;               /* the link is emulated */
	struct rate_plan rate;
	struct capacity capacity;
	struct packet *on_wire;
	uint64_t wire_free_ns;
	uint64_t begin_ns;         /* the link takes the next packet then; TIME_NEVER_NS: no wait */
	uint64_t delay_ns;
	struct packet *first, *last; /* behind the link, by the time at which they are due */
	uint64_t delayed_pkts;
	uint64_t perturbation;
	uint64_t now_ns;           /* the latest time that was told */
	uint64_t sent_pkts, sent_bytes; /* IP, that the link has carried */
	struct path_queue_stats stats[AQM_QUEUES];
	struct flows *flows;       /* owned */
};

/* ERR_NO_MEMORY, ERR_INVALID (the law's parameters). */
int path_open(struct path *path, const struct path_config *config, struct error *error);
void path_close(struct path *path);

/*
 * A packet arrives: its bytes (taken over, of path->frames), the IP header at `ip_offset`, and what
 * ip_parse() said of them; `ip` NULL: no IP packet, which nobody can mark.  What was due before is
 * done first.  False: dropped for lack of memory.
 */
bool path_arrive(struct path *path, uint8_t *bytes, uint32_t size, uint32_t ip_offset,
		 const struct ip_summary *ip, uint64_t now_ns);

/* Does what is due at or before `now_ns`. */
void path_run(struct path *path, uint64_t now_ns);

/* When path_run() or path_take() has something to do next; TIME_NEVER_NS: never. */
uint64_t path_next_ns(const struct path *path);

/* Packets in it. */
uint64_t path_held(const struct path *path);

/* The next packet that is due to leave the router, in order; NULL: none.  path_drop() it later. */
struct packet *path_take(struct path *path, uint64_t now_ns);

/* Gives back a packet and its bytes. */
void path_drop(struct path *path, struct packet *packet);

#endif
