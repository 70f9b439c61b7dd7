/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets, their sources, and telling.
 */
#include "kernel/freebsd/test/bench_user.h"

#include <stdlib.h>

/* The source that a packet comes from stands where TCP's number would. */
static void told(void *context, uint64_t now_ns, const struct packet *packet, enum aqm_queue queue,
		 enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	(void)now_ns;
	(void)queue;
	(void)sojourn_ns;
	vectors_told(context, packet->random, (unsigned)packet->tcp.seq, verdict);
}

static uint64_t marks_of(const struct queue *queue)
{
	return queue->counts[0].marks + queue->counts[1].marks;
}

static void put(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		const struct vectors_op *op)
{
	const enum aqm_queue source =
		op->ecn == AQM_ECT1 || op->ecn == AQM_CE ? AQM_QUEUE_L : AQM_QUEUE_C;
	struct packet *packet = packet_new(pool);
	const uint64_t marks = marks_of(queue);

	packet->len_bytes = op->len_bytes;
	packet->ecn = op->ecn;
	packet->tcp.seq = source;
	if (queue_enqueue(queue, packet, op->at_ns))
		vectors_told(vectors, op->random, source,
			     marks_of(queue) != marks ? AQM_MARK : AQM_PASS);
}

static void take(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		 uint64_t at_ns)
{
	struct packet *packet = queue_dequeue(queue, at_ns);

	if (packet)
		packet_free(pool, packet);
	else
		vectors_told_empty(vectors);
}

static void run(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		uint64_t packets, uint64_t seed)
{
	vectors_init(vectors, seed);
	while (vectors->arrivals < packets) {
		struct vectors_op op;

		vectors_next(vectors, &op);
		if (op.kind == VECTORS_ARRIVAL)
			put(queue, pool, vectors, &op);
		else
			take(queue, pool, vectors, op.at_ns);
	}
}

uint64_t bench_user_run(const char *law, const char *settings, bool dual, uint64_t packets,
			uint64_t seed, bench_on_record *on_record)
{
	struct vectors vectors;
	struct queue_config config = {
		.law = aqm_find(law),
		.sink = {.context = &vectors, .leave = told, .record = on_record}};
	void *params = calloc(1, config.law->params_size);
	struct packet_pool pool;
	struct aqm_view view = {0};
	struct queue *queue;

	if (aqm_params_default(config.law, params, NULL) ||
	    aqm_params_set_all(config.law, params, settings, NULL)) {
		free(params);
		return 0;
	}
	packet_pool_init(&pool);
	config.pool = &pool;
	config.params = params;
	vectors_packet_state(config.random.state, seed);
	queue = queue_new(&config, NULL);
	if (queue) {
		run(queue, &pool, &vectors, packets, seed);
		config.law->view(queue->params, queue->vars, &view);
	}
	queue_destroy(queue);
	packet_pool_free(&pool);
	free(params);
	return queue ? vectors_close(&vectors, dual ? view.p_base : 0) : 0;
}
