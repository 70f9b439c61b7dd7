/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A virtual pair of queues in front of a real link: the packets go on at once, and what would have
 * become of them in a dual queue at `rate` is worked out beside them.  With a rate a little below
 * the real one, signals come before the real queue builds (an adaptive virtual queue: Kunniyur and
 * Srikant 2001, with the law and both queues of RFC 9332 in the place of a threshold).
 *
 * Packets in it are facts of packets.  One departs when the virtual link is free, and the law
 * judges it as it judges real ones; but the packet itself is gone, so its signal is owed, and paid
 * by the next packet of the same queue: a mark if it can carry one, otherwise a drop.  What the law
 * drops because it is in overload (RFC 9332 section 4.2.3) is paid by a drop.  A packet dropped in
 * payment does not enter the queue.
 */
#ifndef KERNEL_VIRTUAL_QUEUE_H
#define KERNEL_VIRTUAL_QUEUE_H

#include "kernel/dual_host.h"

#define VIRTUAL_QUEUE_PLACES 4096 /* of each queue, a power of two; limit_pkts is below */
#define VIRTUAL_QUEUE_OWED 4      /* signals are owed to so many packets at most */

struct virtual_queue_ring {
	struct dual_host_packet packet[VIRTUAL_QUEUE_PLACES];
	uint32_t first, end; /* counts; places are those modulo the size */
};

struct virtual_queue {
	struct dual_host host;
	struct virtual_queue_ring ring[AQM_QUEUES];
	uint64_t rate_bytes_per_s; /* 1 to 2^33 */
	uint64_t free_ns;          /* the virtual link is, from then on */
	bool idle;                 /* it asked for a packet since, and there was none */
	uint32_t owed_signals[AQM_QUEUES], owed_drops[AQM_QUEUES];
	uint64_t marked[AQM_QUEUES], dropped[AQM_QUEUES]; /* real packets */
};

AQM_INLINE void virtual_queue_init(struct virtual_queue *queue,
				   const struct dual_host_params *params, uint64_t rate_bytes_per_s,
				   uint64_t now_ns)
{
	dual_host_init(&queue->host, params, now_ns);
	queue->rate_bytes_per_s = rate_bytes_per_s;
	queue->free_ns = now_ns;
	queue->idle = false;
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		queue->ring[q].first = queue->ring[q].end = 0;
		queue->owed_signals[q] = queue->owed_drops[q] = 0;
		queue->marked[q] = queue->dropped[q] = 0;
	}
}

AQM_INLINE struct dual_host_packet *virtual_queue_place(struct virtual_queue_ring *ring,
							uint32_t at)
{
	return &ring->packet[at & (VIRTUAL_QUEUE_PLACES - 1)];
}

AQM_INLINE void virtual_queue_heads(struct virtual_queue *queue, struct dual_host_heads *heads)
{
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		struct virtual_queue_ring *ring = &queue->ring[q];
		const struct dual_host_packet *first = virtual_queue_place(ring, ring->first);
		const bool any = ring->first != ring->end;

		heads->enqueued_ns[q] = any ? first->enqueued_ns : 0;
		heads->len_bytes[q] = any ? first->len_bytes : 0;
	}
}

/*
 * When the link asks next: once it is free and there is a packet.  Where there is none it asks
 * once, as soon as it is free, and again for the next one; until then: UINT64_MAX.
 */
AQM_INLINE uint64_t virtual_queue_due_ns(const struct virtual_queue *queue,
					 const struct dual_host_heads *heads)
{
	uint64_t first_ns = UINT64_MAX;

	if (heads->len_bytes[0] == 0 && heads->len_bytes[1] == 0)
		return queue->idle ? UINT64_MAX : queue->free_ns;
	for (unsigned q = 0; q < AQM_QUEUES; q++)
		if (heads->len_bytes[q] && heads->enqueued_ns[q] < first_ns)
			first_ns = heads->enqueued_ns[q];
	return first_ns > queue->free_ns ? first_ns : queue->free_ns;
}

/* Time on the link, for at most 2^16 bytes. */
AQM_INLINE uint64_t virtual_queue_time_ns(const struct virtual_queue *queue, uint32_t len_bytes)
{
	return aqm_div64(len_bytes * UINT64_C(1000000000), queue->rate_bytes_per_s);
}

/* One more signal is owed to this queue. */
AQM_INLINE void virtual_queue_owe(uint32_t *owed)
{
	*owed += *owed < VIRTUAL_QUEUE_OWED;
}

/* The link asks for a packet at `at_ns`, and one departs if there is any. */
AQM_PART void virtual_queue_depart(struct virtual_queue *queue, uint64_t at_ns)
{
	struct dual_host_packet packet;
	struct dual_host_heads heads;
	enum aqm_verdict verdict;
	unsigned q;

	virtual_queue_heads(queue, &heads);
	q = dual_host_take(&queue->host, &heads, at_ns);
	queue->idle = q >= AQM_QUEUES;
	if (queue->idle)
		return;
	packet = *virtual_queue_place(&queue->ring[q & 1], queue->ring[q & 1].first++);
	virtual_queue_heads(queue, &heads);
	verdict = dual_host_depart(&queue->host, &heads, &packet, at_ns);
	if (verdict == AQM_DROP && packet.ecn != AQM_NOT_ECT)
		virtual_queue_owe(&queue->owed_drops[q & 1]);
	else if (verdict != AQM_PASS)
		virtual_queue_owe(&queue->owed_signals[q & 1]);
	queue->free_ns = at_ns;
	if (verdict != AQM_DROP)
		queue->free_ns += virtual_queue_time_ns(queue, packet.len_bytes);
}

AQM_PART void virtual_queue_tick(struct virtual_queue *queue)
{
	struct dual_host_heads heads;

	virtual_queue_heads(queue, &heads);
	dual_host_tick(&queue->host, &heads);
}

/* What is due next at or before now_ns, an update or a departure; false: nothing is. */
AQM_INLINE bool virtual_queue_step(struct virtual_queue *queue, uint64_t now_ns)
{
	const uint64_t tick_ns = dual_host_due_ns(&queue->host);
	struct dual_host_heads heads;
	uint64_t depart_ns;

	virtual_queue_heads(queue, &heads);
	depart_ns = virtual_queue_due_ns(queue, &heads);
	if (tick_ns > now_ns && depart_ns > now_ns)
		return false;
	if (tick_ns <= depart_ns)
		virtual_queue_tick(queue);
	else
		virtual_queue_depart(queue, depart_ns);
	return true;
}

/* What is owed to a packet of this queue: AQM_DROP, AQM_MARK, or AQM_PASS for nothing. */
AQM_INLINE enum aqm_verdict virtual_queue_pay(struct virtual_queue *queue, unsigned q, uint8_t ecn)
{
	if (queue->owed_drops[q]) {
		queue->owed_drops[q]--;
		return AQM_DROP;
	}
	if (queue->owed_signals[q] == 0)
		return AQM_PASS;
	queue->owed_signals[q]--;
	return ecn == AQM_NOT_ECT ? AQM_DROP : AQM_MARK;
}

/*
 * A packet arrives at now_ns, when steps up to then have been made: what becomes of it.  Sets what
 * dual_host_arrive() sets.
 */
AQM_PART enum aqm_verdict virtual_queue_arrive(struct virtual_queue *queue,
					       struct dual_host_packet *packet, uint64_t now_ns)
{
	const unsigned q = aqm_dual_classify(packet->ecn) & 1U;
	enum aqm_verdict verdict = virtual_queue_pay(queue, q, packet->ecn), own;
	struct dual_host_heads heads;

	if (verdict != AQM_DROP) {
		virtual_queue_heads(queue, &heads);
		own = dual_host_arrive(&queue->host, &heads, packet, now_ns);
		verdict = own > verdict ? own : verdict;
	}
	if (verdict != AQM_DROP)
		*virtual_queue_place(&queue->ring[q], queue->ring[q].end++) = *packet;
	queue->marked[q] += verdict == AQM_MARK;
	queue->dropped[q] += verdict == AQM_DROP;
	return verdict;
}

#endif
