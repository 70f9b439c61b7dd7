/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What holds packets in user space, hosting a law.
 *
 * One queue object is a FIFO or a pair of FIFOs (L and C) with a law
 * (`struct aqm_ops`) that decides, or many flow queues with an instance of the
 * law each (flow_queue.h).  It owns the packets in it: dropped packets go back to
 * the pool.  Everything it decides leaves through the sink.
 */
#ifndef QUEUE_QUEUE_H
#define QUEUE_QUEUE_H

#include "aqm/ops.h"
#include "base/rng.h"
#include "net/packet.h"

struct queue;

/* Counters since creation, per enum aqm_queue. */
struct queue_counts {
	uint64_t arrived_pkts, arrived_bytes;
	uint64_t left_pkts, left_bytes; /* handed to the link */
	uint64_t marks;                 /* CE set here */
	uint64_t drops;                 /* by the law or for lack of room */
};

/* Where a queue tells what happened; every member is optional. */
struct queue_sink {
	void *context;
	/*
	 * One record per enqueue attempt, with the action taken, as the kernel logs it
	 * (printed after the decision, before the packet is queued).
	 */
	void (*record)(void *context, uint64_t now_ns, const struct aqm_record *record);
	/* A packet left: verdict AQM_PASS or AQM_MARK, or AQM_DROP (at enqueue: sojourn 0). */
	void (*leave)(void *context, uint64_t now_ns, const struct packet *packet,
		      enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns);
};

/* A packet's random bits: `never` makes draws fire at probability 1 only, `always` above 0. */
enum queue_draws { QUEUE_DRAWS_RANDOM, QUEUE_DRAWS_NEVER, QUEUE_DRAWS_ALWAYS };

struct queue_config {
	const struct aqm_ops *law;
	const void *params;        /* of law->params_size; copied */
	struct packet_pool *pool;  /* outlives the queue */
	enum queue_draws draws;    /* random, unless a law is being examined */
	struct rng random;         /* the packets' 64-bit draws come from here, one per arrival */
	struct queue_sink sink;
};

struct queue_ops {
	const char *name;
	/* Takes the packet in any case.  Returns true when it was kept. */
	bool (*enqueue)(struct queue *queue, struct packet *packet, uint64_t now_ns);
	/* Next packet to send (caller owns it), or NULL. */
	struct packet *(*dequeue)(struct queue *queue, uint64_t now_ns);
	/* Earliest time the queue wants run() to be called; TIME_NEVER_NS: never. */
	uint64_t (*next_ns)(const struct queue *queue);
	/* Periodic updates due at or before `now_ns`. */
	void (*run)(struct queue *queue, uint64_t now_ns);
	/* How long the first packet of a queue (of flow queues: the oldest packet) has waited. */
	uint64_t (*head_sojourn_ns)(const struct queue *queue, enum aqm_queue which,
				    uint64_t now_ns);
	void (*destroy)(struct queue *queue);
};

struct queue {
	const struct queue_ops *ops;
	const struct aqm_ops *law;
	void *params, *stats;
	void *vars; /* what the law would show; of flow queues: of the one last touched */
	uint64_t backlog_bytes[AQM_QUEUES];
	uint32_t backlog_pkts[AQM_QUEUES];
	struct queue_counts counts[AQM_QUEUES];
};

/* Makes the queue a law wants: single, dual, or flow queues.  NULL with `error` set on failure. */
struct queue *queue_new(const struct queue_config *config, struct error *error);
void queue_destroy(struct queue *queue);

/* How long the first packet of a queue has waited; 0 when there is none. */
static inline uint64_t queue_head_sojourn_ns(const struct queue *queue, enum aqm_queue which,
					     uint64_t now_ns)
{
	return queue->ops->head_sojourn_ns(queue, which, now_ns);
}

static inline bool queue_enqueue(struct queue *queue, struct packet *packet, uint64_t now_ns)
{
	return queue->ops->enqueue(queue, packet, now_ns);
}

static inline struct packet *queue_dequeue(struct queue *queue, uint64_t now_ns)
{
	return queue->ops->dequeue(queue, now_ns);
}

static inline uint64_t queue_next_ns(const struct queue *queue)
{
	return queue->ops->next_ns(queue);
}

static inline void queue_run(struct queue *queue, uint64_t now_ns)
{
	queue->ops->run(queue, now_ns);
}

#endif
