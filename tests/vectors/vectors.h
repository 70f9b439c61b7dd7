/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Conformance vectors: packets from a seed, and one number for all that became of them.
 *
 * Whoever hosts a law asks vectors_next() what happens next, a packet that arrives or a link that
 * asks for one, does it, and tells what came of it.  Two hosts with the same sum gave the same
 * verdict to every packet, served the queues in the same order and ended with the same p'.
 *
 * Two sources answer signals, one Classic and one L4S, so that probabilities settle where real
 * ones do; phases add floods of either, silence, a link that stands still, and other rates.
 * What a source sends depends on what was told before, so one difference makes more.
 *
 * Freestanding, integers only, no division: kernels and BPF compile it too.  The sources' bits
 * and the packets' own bits are two generators of xoshiro256++; the second is base/rng.h's to the
 * bit, so a host that draws its packets' bits itself may start from vectors_packet_state().
 */
#ifndef TESTS_VECTORS_H
#define TESTS_VECTORS_H

#include "aqm/facts.h"

enum vectors_kind {
	VECTORS_ARRIVAL, /* a packet: len_bytes, ecn, random */
	VECTORS_TURN,    /* the link asks for a packet */
};

struct vectors_op {
	uint64_t at_ns; /* never before the last one's */
	uint64_t random;
	uint32_t kind; /* enum vectors_kind */
	uint32_t len_bytes;
	uint8_t ecn;
};

struct vectors {
	uint64_t source[4], packet[4]; /* generators */
	uint64_t arrival_ns[AQM_QUEUES]; /* next one of each source */
	uint64_t gap_ns[AQM_QUEUES];     /* between arrivals; signals lengthen it */
	bool flood[AQM_QUEUES];          /* arrivals without answers, in this phase */
	uint64_t turn_ns, turn_gap_ns;
	uint32_t batch, taken; /* packets that the link asks for at a moment, and has so far */
	uint64_t phase_end_ns;
	uint64_t arrivals; /* so far */
	uint64_t verdicts[3]; /* so far, at arrival and at departure */
	uint64_t sum;
};

#define VECTORS_FLOOD_GAP_NS (UINT64_C(1) << 18)
#define VECTORS_GAP_MIN_NS (UINT64_C(1) << 15)
#define VECTORS_GAP_MAX_NS (UINT64_C(1) << 25)

AQM_INLINE uint64_t vectors_rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* xoshiro256++. */
AQM_INLINE uint64_t vectors_draw(uint64_t state[4])
{
	const uint64_t result = vectors_rotate(state[0] + state[3], 23) + state[0];
	const uint64_t shifted = state[1] << 17;

	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = vectors_rotate(state[3], 45);
	return result;
}

/* Four words of splitmix64. */
AQM_INLINE void vectors_seed(uint64_t state[4], uint64_t seed)
{
	for (unsigned i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		state[i] = z ^ z >> 31;
	}
}

AQM_INLINE void vectors_init(struct vectors *vectors, uint64_t seed)
{
	*vectors = (struct vectors){
		.arrival_ns = {1000000, 1500000},
		.gap_ns = {UINT64_C(1) << 21, UINT64_C(1) << 21},
		.turn_ns = 1000000,
		.turn_gap_ns = UINT64_C(1) << 20,
		.batch = 1,
		.phase_end_ns = UINT64_C(1) << 31,
		.sum = seed,
	};
	vectors_seed(vectors->source, seed);
	vectors_seed(vectors->packet, seed + 1);
}

/* Packets' bits from the seed of vectors_init(): the state of a struct rng. */
AQM_INLINE void vectors_packet_state(uint64_t state[4], uint64_t seed)
{
	vectors_seed(state, seed + 1);
}

/* What the coming 16 ms to 2 s are like. */
AQM_INLINE void vectors_phase(struct vectors *vectors)
{
	const uint64_t bits = vectors_draw(vectors->source);
	const uint64_t length_ns = ((bits & 0xffff) | 0x8000) << (8 + (bits >> 16 & 7));
	const unsigned kind = bits >> 19 & 15;

	vectors->flood[AQM_QUEUE_C] = kind == 1;
	vectors->flood[AQM_QUEUE_L] = kind == 2;
	vectors->phase_end_ns += length_ns << 1;
	for (unsigned q = 0; q < AQM_QUEUES; q++)
		if (kind == 0 && vectors->arrival_ns[q] < vectors->phase_end_ns)
			vectors->arrival_ns[q] = vectors->phase_end_ns + (q << 10);
	if (kind == 3)
		vectors->turn_ns += length_ns >> 2;
	if (kind <= 7)
		return;
	vectors->turn_gap_ns = ((bits >> 24 & 0xff) | 0x100) << (9 + (bits >> 32 & 3));
	vectors->batch = bits >> 40 & 1 ? 1 + (uint32_t)(bits >> 41 & 15) : 1;
}

AQM_INLINE void vectors_arrival(struct vectors *vectors, unsigned queue, struct vectors_op *op)
{
	const uint64_t bits = vectors_draw(vectors->source);
	const uint64_t gap_ns = vectors->flood[queue] ? VECTORS_FLOOD_GAP_NS
						      : vectors->gap_ns[queue];

	op->at_ns = vectors->arrival_ns[queue];
	op->kind = VECTORS_ARRIVAL;
	op->random = vectors_draw(vectors->packet);
	op->len_bytes = bits & 3 ? 1500 : 40 + (uint32_t)(bits >> 2 & 1023);
	if (queue == AQM_QUEUE_L)
		op->ecn = bits >> 12 & 15 ? AQM_ECT1 : AQM_CE;
	else
		op->ecn = bits >> 12 & 1 ? AQM_ECT0 : AQM_NOT_ECT;
	/* From a half to one and a half of the gap. */
	vectors->arrival_ns[queue] += (gap_ns >> 1) + ((gap_ns * (bits >> 48)) >> 16);
	if (vectors->gap_ns[queue] > VECTORS_GAP_MIN_NS)
		vectors->gap_ns[queue] -= vectors->gap_ns[queue] >> 6;
	vectors->arrivals++;
}

/* What happens next. */
AQM_INLINE void vectors_next(struct vectors *vectors, struct vectors_op *op)
{
	const unsigned queue =
		vectors->arrival_ns[AQM_QUEUE_L] < vectors->arrival_ns[AQM_QUEUE_C] ? AQM_QUEUE_L
										    : AQM_QUEUE_C;

	*op = (struct vectors_op){0};
	if (vectors->arrival_ns[queue] > vectors->phase_end_ns &&
	    vectors->turn_ns > vectors->phase_end_ns)
		vectors_phase(vectors);
	if (vectors->arrival_ns[queue] <= vectors->turn_ns) {
		vectors_arrival(vectors, queue, op);
		return;
	}
	op->at_ns = vectors->turn_ns;
	op->kind = VECTORS_TURN;
	if (++vectors->taken < vectors->batch)
		return;
	vectors->taken = 0;
	vectors->turn_ns += vectors->batch * vectors->turn_gap_ns;
}

AQM_INLINE void vectors_fold(struct vectors *vectors, uint64_t value)
{
	vectors->sum = (vectors->sum ^ value) * UINT64_C(0x100000001b3);
	vectors->sum ^= vectors->sum >> 29;
}

/*
 * A packet was put into `queue`, or refused, or left it, or was dropped on leaving, with what was
 * carried out (a mark that it cannot carry: AQM_DROP); `random`: its bits, by which it is known.
 * A packet that gets a signal at arrival and passes on leaving is told twice.
 */
AQM_INLINE void vectors_told(struct vectors *vectors, uint64_t random, unsigned queue,
			     enum aqm_verdict verdict)
{
	vectors_fold(vectors, random ^ (uint64_t)queue << 62 ^ (uint64_t)verdict << 60);
	vectors->verdicts[verdict & 3 ? (verdict == AQM_MARK ? 1 : 2) : 0]++;
	if (verdict == AQM_PASS || vectors->gap_ns[queue & 1] > VECTORS_GAP_MAX_NS)
		return;
	vectors->gap_ns[queue & 1] += vectors->gap_ns[queue & 1] >> (queue == AQM_QUEUE_C ? 1 : 4);
}

/* The link asked, and there was nothing, or nothing any more. */
AQM_INLINE void vectors_told_empty(struct vectors *vectors)
{
	vectors_fold(vectors, 1);
}

/* The last word: p' at the end.  Returns the sum. */
AQM_INLINE uint64_t vectors_close(struct vectors *vectors, uint64_t p_q32)
{
	vectors_fold(vectors, p_q32);
	return vectors->sum;
}

#endif
