/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fifo has no core: what is checked is the host that every law stands in, with
 * tail drop at a limit.  First in, first out, nothing else.
 */
#include <stdlib.h>

#include "aqm/ref/codel.h"
#include "queue/queue.h"
#include "tests/oracles/rows.h"

#define ROOM 512

struct fifo_state {
	struct world world;
	struct packet_pool pool;
	struct queue *queue;
	uint32_t limit_pkts;
	unsigned arrivals_of_16;
	struct oracle_packet room[2 * ROOM];
	struct oracle_list list;
	uint64_t sojourn_ns; /* of the packet that left last, as the queue tells it */
	uint32_t number;
};

static void fifo_close(void *state)
{
	struct fifo_state *fifo = state;

	queue_destroy(fifo->queue);
	packet_pool_free(&fifo->pool);
}

static void fifo_left(void *context, uint64_t now_ns, const struct packet *packet,
		      enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct fifo_state *fifo = context;

	(void)now_ns;
	(void)packet;
	(void)queue;
	(void)verdict;
	fifo->sojourn_ns = sojourn_ns;
}

static void fifo_open(void *state, struct rng *rng)
{
	struct fifo_state *fifo = state;
	struct error error = {0};
	uint32_t params[16];
	struct queue_config config = {.law = aqm_find("fifo"),
				      .params = params,
				      .pool = &fifo->pool,
				      .sink = {.context = fifo, .leave = fifo_left}};

	if (fifo->queue)
		fifo_close(fifo);
	world_open(&fifo->world, rng);
	packet_pool_init(&fifo->pool);
	fifo->limit_pkts = (uint32_t)draw_log(rng, 1, ROOM);
	if (config.law->params_size > sizeof(params) ||
	    aqm_params_default(config.law, params, &error))
		abort();
	params[0] = fifo->limit_pkts;
	fifo->queue = queue_new(&config, &error);
	fifo->list = (struct oracle_list){.packets = fifo->room, .capacity = (size_t)2 * ROOM};
	fifo->arrivals_of_16 = (unsigned)draw_between(rng, 6, 12);
}

static void fifo_arrive(struct fifo_state *fifo, const struct aqm_facts *facts,
			struct oracle_score *score)
{
	const bool room = fifo->list.end - fifo->list.first < fifo->limit_pkts;
	struct packet *packet = packet_new(&fifo->pool);

	packet->len_bytes = facts->len_bytes;
	packet->ecn = facts->ecn;
	packet->flow = fifo->number;
	oracle_verdict(score,
		       queue_enqueue(fifo->queue, packet, facts->now_ns) ? AQM_PASS : AQM_DROP,
		       room ? AQM_PASS : AQM_DROP);
	if (room)
		oracle_list_put(&fifo->list,
				(struct oracle_packet){.number = fifo->number,
						       .arrived_ns = (double)facts->now_ns,
						       .len_bytes = facts->len_bytes});
	fifo->number++;
}

static void fifo_leave(struct fifo_state *fifo, uint64_t now_ns, struct oracle_score *score)
{
	struct packet *packet = queue_dequeue(fifo->queue, now_ns);

	oracle_equal(score, packet != NULL, fifo->list.first != fifo->list.end);
	if (packet == NULL)
		return;
	oracle_equal(score, packet->flow, fifo->list.packets[fifo->list.first].number);
	oracle_equal(score, fifo->sojourn_ns,
		     now_ns - (uint64_t)fifo->list.packets[fifo->list.first].arrived_ns);
	fifo->list.bytes -= fifo->list.packets[fifo->list.first++].len_bytes;
	oracle_equal(score, fifo->queue->backlog_bytes[AQM_QUEUE_C], (uint64_t)fifo->list.bytes);
	packet_free(&fifo->pool, packet);
}

static void fifo_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct fifo_state *fifo = state;
	struct aqm_facts facts;

	world_next(&fifo->world, rng, &facts);
	if (rng_below(rng, 16) < fifo->arrivals_of_16)
		fifo_arrive(fifo, &facts, score);
	else
		fifo_leave(fifo, facts.now_ns, score);
}

const struct oracle_row oracle_fifo = {
	.name = "fifo",
	.compared = "order, sojourns (ns), backlog, drops exactly",
	.allowed = 0,
	.size = sizeof(struct fifo_state),
	.open = fifo_open,
	.step = fifo_step,
	.close = fifo_close,
};
