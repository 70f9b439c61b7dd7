/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every kind of queue does with its law's word: draws a packet's random
 * bits, carries verdicts out, counts, tells the sink, and makes records.
 *
 * Inside queue/ only.
 */
#ifndef QUEUE_HOST_H
#define QUEUE_HOST_H

#include "queue/queue.h"

struct queue_host {
	struct queue queue; /* first */
	struct packet_pool *pool;
	enum queue_draws draws;
	struct rng random;
	struct queue_sink sink;
};

/* Checks the parameters, copies them, and starts the law; queue_host_close() is due on failure too.
 */
int queue_host_open(struct queue_host *host, const struct queue_ops *ops,
		    const struct queue_config *config, struct error *error);

/* Frees what queue_host_open() made, not `host` itself. */
void queue_host_close(struct queue_host *host);

/* The 64 random bits of the packet that arrives now. */
static inline uint64_t queue_host_draw(struct queue_host *host)
{
	if (host->draws == QUEUE_DRAWS_RANDOM)
		return rng_u64(&host->random);
	return host->draws == QUEUE_DRAWS_NEVER ? UINT64_MAX : 0;
}

/* The packet's own part of the facts. */
static inline void queue_host_packet_facts(struct aqm_facts *facts,
					   const struct packet *packet)
{
	facts->random = packet->random;
	facts->len_bytes = packet->len_bytes;
	facts->cookie = packet->cookie;
	facts->ecn = packet->ecn;
}

/* Sets CE; the verdict becomes a drop where that is impossible.  Counts marks and drops. */
static inline enum aqm_verdict queue_host_carry_out(struct queue_host *host,
						    struct packet *packet,
						    enum aqm_queue queue,
						    enum aqm_verdict verdict)
{
	struct queue_counts *counts = &host->queue.counts[queue];

	if (verdict == AQM_MARK && packet->ecn == AQM_NOT_ECT)
		verdict = AQM_DROP;
	if (verdict == AQM_MARK) {
		packet->ecn = AQM_CE;
		counts->marks++;
	}
	if (verdict == AQM_DROP)
		counts->drops++;
	return verdict;
}

/* Tells the sink; a dropped packet goes back to the pool. */
void queue_host_leave(struct queue_host *host, struct packet *packet, enum aqm_queue queue,
		      enum aqm_verdict verdict, uint64_t now_ns, uint64_t sojourn_ns);

/* enum aqm_logged_action of a verdict. */
int64_t queue_logged_action(enum aqm_verdict verdict);

/* The log line of an arrival, from the law's state in `vars`. */
void queue_host_record(const struct queue_host *host, const void *vars,
		       const struct aqm_facts *facts, bool decided, enum aqm_verdict verdict,
		       struct aqm_record *record);

#endif
