/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Aggregates: contention, airtime, arrival.
 */
#include "sim/aggregate.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

static void aggregate_arm(struct aggregate *aggregate)
{
	uint64_t due_ns = queue_next_ns(aggregate->queue);

	if (aggregate->state != AGGREGATE_IDLE && aggregate->due_ns < due_ns)
		due_ns = aggregate->due_ns;
	node_arm(&aggregate->node, due_ns);
}

/* With nothing to send there is nothing to contend for; nobody has a turn on a link that stands
 * still.
 */
static void contend(struct aggregate *aggregate)
{
	const uint32_t *backlog = aggregate->queue->backlog_pkts;
	const double gap_ms = aggregate->plan.gap_ms * rng_exponential(&aggregate->random);

	aggregate->state =
		backlog[AQM_QUEUE_C] + backlog[AQM_QUEUE_L] ? AGGREGATE_CONTENDS : AGGREGATE_IDLE;
	aggregate->due_ns = aggregate->node.clock->now_ns + ns_from_ms(gap_ms);
	if (aggregate->state == AGGREGATE_CONTENDS)
		aggregate->due_ns = capacity_begin_ns(&aggregate->capacity, aggregate->due_ns);
}

/* Takes packets until the aggregate is full; the last one may end after its time. */
static void begin_aggregate(struct aggregate *aggregate)
{
	const uint64_t now_ns = aggregate->node.clock->now_ns;
	const uint64_t end_ns = now_ns + ns_from_ms(aggregate->plan.txop_ms);
	struct packet **link = &aggregate->first;

	aggregate->due_ns = now_ns;
	while (aggregate->count < aggregate->plan.packets &&
	       (aggregate->count == 0 || aggregate->due_ns < end_ns)) {
		struct packet *packet = queue_dequeue(aggregate->queue, now_ns);

		if (packet == NULL)
			break;
		aggregate->due_ns = capacity_finish_ns(&aggregate->capacity, aggregate->due_ns,
						       packet->len_bytes);
		packet->next = NULL;
		*link = packet;
		link = &packet->next;
		aggregate->count++;
	}
	aggregate->state = AGGREGATE_SENDS;
}

static void end_aggregate(struct aggregate *aggregate)
{
	while (aggregate->first) {
		struct packet *packet = aggregate->first;

		aggregate->first = packet->next;
		aggregate->count--;
		packet->next = NULL;
		aggregate->sink.sent(aggregate->sink.context, aggregate->node.clock->now_ns,
				     packet);
		packet->hops++;
		node_forward(aggregate->node.next, packet);
	}
	contend(aggregate);
}

static void aggregate_forward(struct sim_node *node, struct packet *packet)
{
	struct aggregate *aggregate = (struct aggregate *)node;

	queue_enqueue(aggregate->queue, packet, node->clock->now_ns);
	if (aggregate->state != AGGREGATE_IDLE)
		return;
	contend(aggregate);
	aggregate_arm(aggregate);
}

static void aggregate_run(struct sim_node *node)
{
	struct aggregate *aggregate = (struct aggregate *)node;
	const uint64_t now_ns = node->clock->now_ns;

	queue_run(aggregate->queue, now_ns);
	if (aggregate->state == AGGREGATE_CONTENDS && aggregate->due_ns <= now_ns)
		begin_aggregate(aggregate);
	if (aggregate->state == AGGREGATE_SENDS && aggregate->due_ns <= now_ns)
		end_aggregate(aggregate);
	aggregate_arm(aggregate);
}

static const struct sim_node_ops aggregate_ops = {
	.forward = aggregate_forward,
	.run = aggregate_run,
};

void aggregate_init(struct aggregate *aggregate, struct clock *clock, struct sim_node *next,
		    struct queue *queue, const struct rate_plan *rate,
		    const struct aggregation_plan *plan, struct rng random, struct link_sink sink)
{
	memset(aggregate, 0, sizeof(*aggregate));
	node_init(&aggregate->node, &aggregate_ops, clock, next);
	aggregate->queue = queue;
	aggregate->plan = *plan;
	aggregate->random = random;
	aggregate->sink = sink;
	capacity_init(&aggregate->capacity, rate);
	aggregate_arm(aggregate);
}
