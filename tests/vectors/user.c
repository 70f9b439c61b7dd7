/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets, their sources, and telling.
 */
#include "tests/vectors/user.h"

#include <stdlib.h>

#include "aqm/student.h"

/* What the queue's sink has to do with. */
struct listener {
	struct vectors vectors;
	const struct vectors_user *user;
};

static void recorded(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	const struct vectors_user *user = ((struct listener *)context)->user;

	(void)now_ns;
	user->on_record(user->context, record);
}

/* The source that a packet comes from stands where TCP's number would. */
static void told(void *context, uint64_t now_ns, const struct packet *packet, enum aqm_queue queue,
		 enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	(void)now_ns;
	(void)queue;
	(void)sojourn_ns;
	vectors_told(&((struct listener *)context)->vectors, packet->random,
		     (unsigned)packet->tcp.seq, verdict);
}

static uint64_t marks_of(const struct queue *queue)
{
	return queue->counts[0].marks + queue->counts[1].marks;
}

/* A packet with the operation's facts; its random bits are the queue's to draw. */
static void put(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		const struct vectors_op *op)
{
	const enum aqm_queue source = aqm_dual_classify(op->ecn);
	struct packet *packet = packet_new(pool);
	const uint64_t marks = marks_of(queue);

	packet->len_bytes = op->len_bytes;
	packet->ecn = op->ecn;
	packet->tcp.seq = source;
	if (queue_enqueue(queue, packet, op->at_ns))
		vectors_told(vectors, op->random, source,
			     marks_of(queue) != marks ? AQM_MARK : AQM_PASS);
}

/* Packets that leave and drops are told by the sink. */
static void take(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		 uint64_t at_ns)
{
	struct packet *packet = queue_dequeue(queue, at_ns);

	if (packet)
		packet_free(pool, packet);
	else
		vectors_told_empty(vectors);
}

static void go_through(struct queue *queue, struct packet_pool *pool, struct vectors *vectors,
		       uint64_t packets)
{
	while (vectors->arrivals < packets) {
		struct vectors_op op;

		vectors_next(vectors, &op);
		if (op.kind == VECTORS_ARRIVAL)
			put(queue, pool, vectors, &op);
		else
			take(queue, pool, vectors, op.at_ns);
	}
}

static void empty(struct queue *queue, struct packet_pool *pool, uint64_t now_ns)
{
	struct packet *packet;

	while ((packet = queue_dequeue(queue, now_ns)) != NULL)
		packet_free(pool, packet);
}

/* With the law's parameters in `config`. */
static uint64_t run(const struct vectors_user *user, struct queue_config *config, uint64_t packets,
		    uint64_t seed, struct error *error)
{
	struct listener listener = {.user = user};
	struct packet_pool pool;
	struct queue *queue;
	uint64_t sum = 0;

	packet_pool_init(&pool);
	config->pool = &pool;
	config->sink.context = &listener;
	vectors_packet_state(config->random.state, seed + user->wrong);
	queue = queue_new(config, error);
	if (queue) {
		struct aqm_view view = {0};

		vectors_init(&listener.vectors, seed);
		go_through(queue, &pool, &listener.vectors, packets);
		config->law->view(queue->params, queue->vars, &view);
		sum = vectors_close(&listener.vectors, user->single ? 0 : view.p_base);
		if (user->emptied)
			empty(queue, &pool, listener.vectors.turn_ns);
	}
	queue_destroy(queue);
	packet_pool_free(&pool);
	return sum;
}

uint64_t vectors_user_run(const struct vectors_user *user, uint64_t packets, uint64_t seed,
			  struct error *error)
{
	struct queue_config config = {
		.law = aqm_find(user->law),
		.sink = {.leave = told, .record = user->on_record ? recorded : NULL},
	};
	void *params = calloc(1, config.law->params_size);
	uint64_t sum = 0;

	if (!aqm_params_default(config.law, params, error) &&
	    !aqm_params_set_all(config.law, params, user->settings, error)) {
		if (user->model)
			((struct aqm_student_params *)params)->model = user->model;
		config.params = params;
		sum = run(user, &config, packets, seed, error);
	}
	free(params);
	return sum;
}
