/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vectors through kernel/dual_host.h with two rings for packets: the host that needs nothing
 * of its platform, one step a call.
 */
#ifndef TESTS_VECTORS_BENCH_H
#define TESTS_VECTORS_BENCH_H

#include "tests/vectors/cases.h"

#define VECTORS_RING 1024 /* a power of two above VECTORS_LIMIT_PKTS */

struct vectors_ring {
	struct dual_host_packet packet[VECTORS_RING];
	uint32_t first, end;
};

struct vectors_bench {
	struct vectors vectors;
	struct dual_host host;
	struct vectors_ring ring[AQM_QUEUES];
	struct vectors_op op; /* the next one, if `busy` */
	bool busy;
};

/* A host may put another word before what a step calls (BPF: calls, for the sake of its stack). */
#ifndef VECTORS_PART
#define VECTORS_PART AQM_INLINE
#endif

/* `params` have the student's model, which outlives the bench. */
AQM_INLINE void vectors_bench_init(struct vectors_bench *bench, uint64_t seed,
				   const struct dual_host_params *params)
{
	vectors_init(&bench->vectors, seed);
	dual_host_init(&bench->host, params, 0);
	for (unsigned q = 0; q < AQM_QUEUES; q++)
		bench->ring[q].first = bench->ring[q].end = 0;
	bench->busy = false;
}

AQM_INLINE struct dual_host_packet *vectors_place(struct vectors_ring *ring, uint32_t at)
{
	return &ring->packet[at & (VECTORS_RING - 1)];
}

AQM_INLINE void vectors_heads(struct vectors_bench *bench, struct dual_host_heads *heads)
{
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		struct vectors_ring *ring = &bench->ring[q];
		const struct dual_host_packet *first = vectors_place(ring, ring->first);
		const bool any = ring->first != ring->end;

		heads->enqueued_ns[q] = any ? first->enqueued_ns : 0;
		heads->len_bytes[q] = any ? first->len_bytes : 0;
	}
}

VECTORS_PART void vectors_bench_tick(struct vectors_bench *bench)
{
	struct dual_host_heads heads;

	vectors_heads(bench, &heads);
	dual_host_tick(&bench->host, &heads);
}

VECTORS_PART void vectors_bench_arrival(struct vectors_bench *bench)
{
	const struct vectors_op *op = &bench->op;
	struct dual_host_packet packet = {
		.random = op->random,
		.len_bytes = op->len_bytes,
		.ecn = op->ecn,
	};
	struct dual_host_heads heads;
	struct vectors_ring *ring;
	enum aqm_verdict verdict;

	vectors_heads(bench, &heads);
	verdict = dual_host_arrive(&bench->host, &heads, &packet, op->at_ns);
	vectors_told(&bench->vectors, packet.random, packet.queue, verdict);
	if (verdict == AQM_DROP)
		return;
	if (verdict == AQM_MARK)
		packet.ecn = AQM_CE;
	ring = &bench->ring[packet.queue & 1];
	*vectors_place(ring, ring->end++) = packet;
}

/* A packet may be sent; false: one was dropped on leaving, and the link still asks. */
VECTORS_PART bool vectors_bench_turn(struct vectors_bench *bench)
{
	const uint64_t now_ns = bench->op.at_ns;
	struct dual_host_packet packet;
	struct dual_host_heads heads;
	enum aqm_verdict verdict;
	unsigned queue;

	vectors_heads(bench, &heads);
	queue = dual_host_take(&bench->host, &heads, now_ns);
	if (queue >= AQM_QUEUES) {
		vectors_told_empty(&bench->vectors);
		return true;
	}
	packet = *vectors_place(&bench->ring[queue], bench->ring[queue].first++);
	vectors_heads(bench, &heads);
	verdict = dual_host_depart(&bench->host, &heads, &packet, now_ns);
	vectors_told(&bench->vectors, packet.random, queue, verdict);
	return verdict != AQM_DROP;
}

/*
 * One step: an update of the law that is due, an arrival, or a packet that leaves.  No loop, so
 * that BPF can take it.
 */
AQM_INLINE void vectors_bench_step(struct vectors_bench *bench)
{
	if (!bench->busy)
		vectors_next(&bench->vectors, &bench->op);
	bench->busy = true;
	if (dual_host_due_ns(&bench->host) <= bench->op.at_ns) {
		vectors_bench_tick(bench);
	} else if (bench->op.kind == VECTORS_ARRIVAL) {
		vectors_bench_arrival(bench);
		bench->busy = false;
	} else {
		bench->busy = !vectors_bench_turn(bench);
	}
}

#endif
