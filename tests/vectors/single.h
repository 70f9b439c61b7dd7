/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The vectors through kernel/single_host.h, for laws of one queue, which holds the packets of both
 * sources: their cases with their parameters, and a host that needs nothing of its platform.
 *
 * Cases are counted on from those of pairs of queues.  Sums are closed with 0: not every host tells
 * what its law's probability is.
 */
#ifndef TESTS_VECTORS_SINGLE_H
#define TESTS_VECTORS_SINGLE_H

#include "kernel/single_host.h"
#include "tests/vectors/cases.h"

#define VECTORS_SINGLE_CASES(X)                                                                    \
	X(pi2, "pi2", "limit_packets=1000:max_burst_ms=10")                                        \
	X(pie, "pie", "limit_packets=1000:ecn_max_p=0.5")                                          \
	X(codel, "codel", "limit_packets=1000")                                                    \
	X(codel_drops, "codel", "limit_packets=1000:ecn=0:target_ms=2")                            \
	X(red, "red", "limit_packets=1000")                                                        \
	X(red_adaptive, "red", "limit_packets=1000:adaptive=1:max_p=0.01")

#define VECTORS_CASE_ENUM(name, law, settings) VECTORS_##name,
enum vectors_single_case {
	VECTORS_BEFORE_SINGLE = VECTORS_CASE_COUNT - 1,
	VECTORS_SINGLE_CASES(VECTORS_CASE_ENUM) VECTORS_END
};
#undef VECTORS_CASE_ENUM

#define VECTORS_SINGLE_RING 1024 /* a power of two, VECTORS_LIMIT_PKTS or more */

/* A packet, and the source (enum aqm_queue) that is told of it. */
struct vectors_single_place {
	struct single_host_packet packet;
	uint32_t source;
};

struct vectors_single {
	struct vectors vectors;
	struct single_host_params params;
	struct single_host host;
	struct vectors_single_place place[VECTORS_SINGLE_RING];
	uint32_t first, end;  /* counts; places are those modulo the size */
	struct vectors_op op; /* the next one, if `busy` */
	bool busy;
};

AQM_INLINE bool vectors_is_single(uint32_t which)
{
	return which >= VECTORS_CASE_COUNT;
}

/* The law's defaults are the program's. */
AQM_INLINE void vectors_single_params(uint32_t which, struct single_host_params *params)
{
	*params = (struct single_host_params){0};
	if (which == VECTORS_pi2) {
		params->law = SINGLE_HOST_PI2;
		params->pi2 = (struct aqm_pi2_params){
			.target_ns = 20000000,
			.tupdate_ns = 32000000,
			.max_burst_ns = 10000000,
			.ecn_max_p_q32 = UINT64_C(1) << 30,
			.alpha_q16 = 20480,
			.beta_q16 = 204800,
			.k_q16 = 2 << 16,
			.mtu_bytes = 1500,
		};
	} else if (which == VECTORS_pie) {
		params->law = SINGLE_HOST_PIE;
		params->pie = (struct aqm_pie_params){
			.target_ns = 15000000,
			.tupdate_ns = 15000000,
			.max_burst_ns = 150000000,
			.ecn_max_p_q32 = UINT64_C(1) << 31,
			.alpha_q16 = 8192,
			.beta_q16 = 81920,
		};
	} else if (which == VECTORS_codel || which == VECTORS_codel_drops) {
		params->law = SINGLE_HOST_CODEL;
		params->codel = (struct aqm_codel_params){
			.target_ns = which == VECTORS_codel ? 5000000 : 2000000,
			.interval_ns = 100000000,
			.mtu_bytes = 1500,
			.ecn = which == VECTORS_codel,
		};
	} else {
		params->law = SINGLE_HOST_RED;
		params->red = (struct aqm_red_params){
			.min_bytes = 7500,
			.max_bytes = 22500,
			.max_p_q32 = which == VECTORS_red ? 429496730 : 42949673,
			.weight_q32 = 8589935,
			.packet_time_ns = 1000000,
			.adaptive = which == VECTORS_red_adaptive,
			.gentle = true,
			.ecn = true,
		};
	}
}

AQM_INLINE void vectors_single_init(struct vectors_single *bench, uint64_t seed, uint32_t which)
{
	vectors_init(&bench->vectors, seed);
	vectors_single_params(which, &bench->params);
	single_host_init(&bench->host, &bench->params);
	bench->first = bench->end = 0;
	bench->busy = false;
}

AQM_INLINE struct vectors_single_place *vectors_single_at(struct vectors_single *bench, uint32_t at)
{
	return &bench->place[at & (VECTORS_SINGLE_RING - 1)];
}

/* BPF: nothing is known of a pointer but what it is, so that a test of it against NULL stays. */
#ifndef VECTORS_OPAQUE
#define VECTORS_OPAQUE(pointer)
#endif

/* The first packet, or NULL. */
AQM_INLINE const struct single_host_packet *vectors_single_head(struct vectors_single *bench)
{
	const struct single_host_packet *head = NULL;

	if (bench->first != bench->end)
		head = &vectors_single_at(bench, bench->first)->packet;
	VECTORS_OPAQUE(head);
	return head;
}

AQM_INLINE void vectors_single_arrival(struct vectors_single *bench)
{
	const struct vectors_op *op = &bench->op;
	const uint32_t source = aqm_dual_classify(op->ecn);
	struct single_host_packet packet = {
		.random = op->random,
		.len_bytes = op->len_bytes,
		.ecn = op->ecn,
	};
	const enum aqm_verdict verdict = single_host_arrive(
		&bench->params, &bench->host, vectors_single_head(bench), &packet,
		bench->host.backlog_pkts >= VECTORS_LIMIT_PKTS, op->at_ns, NULL);

	vectors_told(&bench->vectors, packet.random, source, verdict);
	if (verdict == AQM_DROP)
		return;
	if (verdict == AQM_MARK)
		packet.ecn = AQM_CE;
	*vectors_single_at(bench, bench->end++) = (struct vectors_single_place){packet, source};
}

/* A packet may be sent; false: one was dropped on leaving, and the link still asks. */
AQM_INLINE bool vectors_single_turn(struct vectors_single *bench)
{
	struct vectors_single_place place;
	enum aqm_verdict verdict;

	if (bench->first == bench->end) {
		single_host_found_empty(&bench->params, &bench->host);
		vectors_told_empty(&bench->vectors);
		return true;
	}
	place = *vectors_single_at(bench, bench->first++);
	verdict = single_host_depart(&bench->params, &bench->host, vectors_single_head(bench),
				     &place.packet, bench->op.at_ns);
	vectors_told(&bench->vectors, place.packet.random, place.source, verdict);
	return verdict != AQM_DROP;
}

/* The law's update, if one is due at or before the operation. */
AQM_INLINE bool vectors_single_tick(struct vectors_single *bench)
{
	const uint64_t *due_ns = single_host_due_ns(&bench->params, &bench->host);
	const struct single_host_packet *head = vectors_single_head(bench);

	if (due_ns == NULL || *due_ns > bench->op.at_ns)
		return false;
	single_host_tick(&bench->params, &bench->host, head ? *due_ns - head->enqueued_ns : 0);
	return true;
}

/* One step, as vectors_bench_step(). */
AQM_INLINE void vectors_single_step(struct vectors_single *bench)
{
	if (!bench->busy)
		vectors_next(&bench->vectors, &bench->op);
	bench->busy = true;
	if (vectors_single_tick(bench))
		return;
	if (bench->op.kind == VECTORS_ARRIVAL) {
		vectors_single_arrival(bench);
		bench->busy = false;
	} else {
		bench->busy = !vectors_single_turn(bench);
	}
}

#endif
