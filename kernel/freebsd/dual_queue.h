/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pair of queues of mbufs, L and Classic, under kernel/dual_host.h: DualPI2's or the student's.
 *
 * Whoever calls holds dummynet's lock.  The clock begins when the queue is made.
 */
#ifndef KERNEL_FREEBSD_DUAL_QUEUE_H
#define KERNEL_FREEBSD_DUAL_QUEUE_H

#include "kernel/freebsd/packet.h"
#include "kernel/freebsd/weights.h"

/* After a long sleep no more updates than these are made up for: 16 s at 16 ms. */
#define DUAL_QUEUE_CATCH_UP 1024

struct dual_fifo {
	struct mbuf *first, *last;
};

struct dual_queue {
	struct dual_host host;
	struct dual_fifo fifo[AQM_QUEUES];
	struct packet_log log;
	struct weights *weights; /* of a student, else NULL */
	uint64_t epoch_ns;
	bool logs;
};

/* NULL: no memory.  A student's model is the newest, whatever `params` has. */
struct dual_queue *dual_queue_new(const struct dual_host_params *params);

/* Frees the packets that wait, and forgets the lines that do; the law stays as it is. */
void dual_queue_flush(struct dual_queue *queue);

/* Flushes and frees. */
void dual_queue_free(struct dual_queue *queue);

/* Other parameters of the same law from now on; packets, p' and what was measured stay. */
void dual_queue_change(struct dual_queue *queue, const struct dual_host_params *params);

/* Takes the packet in any case; false: it was dropped. */
bool dual_queue_enqueue(struct dual_queue *queue, struct mbuf *m);

/* The next packet to send, or NULL. */
struct mbuf *dual_queue_dequeue(struct dual_queue *queue);

static inline uint32_t dual_queue_packets(const struct dual_queue *queue)
{
	return queue->host.backlog_pkts[0] + queue->host.backlog_pkts[1];
}

static inline uint64_t dual_queue_bytes(const struct dual_queue *queue)
{
	return queue->host.backlog_bytes[0] + queue->host.backlog_bytes[1];
}

static inline uint64_t dual_queue_drops(const struct dual_queue *queue)
{
	return queue->host.counts[0].drops + queue->host.counts[1].drops;
}

#endif
