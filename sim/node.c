/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delay lines and bottlenecks.
 */
#include "sim/node.h"

#include <string.h>

#include "base/units.h"

void node_arm(struct sim_node *node, uint64_t due_ns)
{
	node->due_ns = due_ns;
	if (due_ns == TIME_NEVER_NS)
		return;
	if (node->timer.slot == HEAP_IDLE || due_ns < node->timer.due_ns)
		node->clock->failed |= heap_arm(&node->clock->heap, &node->timer, due_ns) != 0;
}

void node_forget(struct sim_node *node)
{
	heap_disarm(&node->clock->heap, &node->timer);
	node->due_ns = TIME_NEVER_NS;
}

bool clock_run_next(struct clock *clock, uint64_t end_ns)
{
	for (;;) {
		struct heap_node *first = heap_first(&clock->heap);
		struct sim_node *node = (struct sim_node *)first;

		if (first == NULL || first->due_ns >= end_ns)
			return false;
		if (node->due_ns == first->due_ns) {
			clock->now_ns = first->due_ns;
			node->due_ns = TIME_NEVER_NS;
			heap_expect(&clock->heap);
			/* It stays at the top meanwhile: its next deadline is one walk down. */
			node->ops->run(node);
			return true;
		}
		if (node->due_ns == TIME_NEVER_NS)
			heap_disarm(&clock->heap, first);
		else
			clock->failed |= heap_arm(&clock->heap, first, node->due_ns) != 0;
	}
}

void node_init(struct sim_node *node, const struct sim_node_ops *ops, struct clock *clock,
		      struct sim_node *next)
{
	heap_node_init(&node->timer);
	node->due_ns = TIME_NEVER_NS;
	node->ops = ops;
	node->clock = clock;
	node->next = next;
}

static void delay_forward(struct sim_node *node, struct packet *packet)
{
	struct delay_line *line = (struct delay_line *)node;
	const uint64_t now_ns = node->clock->now_ns;
	const uint64_t came_ns = now_ns - (line->grid_ns ? now_ns % line->grid_ns : 0);

	packet->enqueued_ns = came_ns + line->delay_ns;
	if (packet->enqueued_ns < now_ns)
		packet->enqueued_ns = now_ns;
	packet->next = NULL;
	if (line->first) {
		line->last->next = packet;
		line->last = packet;
		return;
	}
	line->first = line->last = packet;
	node_arm(node, packet->enqueued_ns);
}

/* With many flows nearly all that a packet touches comes from memory: while another is handled. */
static void expect_next(struct sim_node *to, const struct packet *packet)
{
	const struct packet *after = packet->next;

	if (after)
		packet_expect(after->next);
	if (to->ops->expect)
		to->ops->expect(to, packet, after);
}

static void delay_run(struct sim_node *node)
{
	struct delay_line *line = (struct delay_line *)node;

	while (line->first && line->first->enqueued_ns <= node->clock->now_ns) {
		struct packet *packet = line->first;

		line->first = packet->next;
		if (line->first)
			expect_next(node->next, line->first);
		packet->next = NULL;
		node_forward(node->next, packet);
	}
	node_arm(node, line->first ? line->first->enqueued_ns : TIME_NEVER_NS);
}

static const struct sim_node_ops delay_ops = {.forward = delay_forward, .run = delay_run};

void delay_line_init(struct delay_line *line, struct clock *clock, struct sim_node *next,
		     uint64_t delay_ns)
{
	memset(line, 0, sizeof(*line));
	node_init(&line->node, &delay_ops, clock, next);
	line->delay_ns = delay_ns;
}

void delay_line_hold_last(struct delay_line *line, uint64_t more_ns)
{
	line->last->enqueued_ns += more_ns;
	if (line->first == line->last)
		node_arm(&line->node, line->first->enqueued_ns);
}

uint64_t delay_line_held(const struct delay_line *line)
{
	uint64_t held = 0;

	for (const struct packet *packet = line->first; packet; packet = packet->next)
		held++;
	return held;
}

/* The next thing to happen: the wire gets free, the link goes on, or the law updates. */
static void bottleneck_arm(struct bottleneck *bottleneck)
{
	uint64_t due_ns = queue_next_ns(bottleneck->queue);

	if (bottleneck->on_wire && bottleneck->wire_free_ns < due_ns)
		due_ns = bottleneck->wire_free_ns;
	if (bottleneck->begin_ns < due_ns)
		due_ns = bottleneck->begin_ns;
	node_arm(&bottleneck->node, due_ns);
}

/*
 * Packets wait in the queue, not on a wire that stands still: what a law decides at departure, and
 * the delay it sees, are of the moment at which the link takes the packet.
 */
static void bottleneck_start(struct bottleneck *bottleneck)
{
	const uint64_t now_ns = bottleneck->node.clock->now_ns;
	const uint32_t *backlog = bottleneck->queue->backlog_pkts;
	uint64_t begin_ns;

	if (bottleneck->on_wire)
		return;
	begin_ns = capacity_begin_ns(&bottleneck->capacity, now_ns);
	if (begin_ns > now_ns && backlog[AQM_QUEUE_L] + backlog[AQM_QUEUE_C] > 0) {
		bottleneck->begin_ns = begin_ns;
		return;
	}
	bottleneck->begin_ns = TIME_NEVER_NS;
	bottleneck->on_wire = queue_dequeue(bottleneck->queue, now_ns);
	if (bottleneck->on_wire)
		bottleneck->wire_free_ns = capacity_finish_ns(&bottleneck->capacity, now_ns,
							      bottleneck->on_wire->len_bytes);
}

static void bottleneck_forward(struct sim_node *node, struct packet *packet)
{
	struct bottleneck *bottleneck = (struct bottleneck *)node;

	queue_enqueue(bottleneck->queue, packet, node->clock->now_ns);
	if (bottleneck->on_wire || bottleneck->begin_ns != TIME_NEVER_NS)
		return;
	bottleneck_start(bottleneck);
	bottleneck_arm(bottleneck);
}

static void bottleneck_run(struct sim_node *node)
{
	struct bottleneck *bottleneck = (struct bottleneck *)node;
	const uint64_t now_ns = node->clock->now_ns;

	queue_run(bottleneck->queue, now_ns);
	if (bottleneck->begin_ns <= now_ns)
		bottleneck_start(bottleneck);
	if (bottleneck->on_wire && bottleneck->wire_free_ns <= now_ns) {
		struct packet *packet = bottleneck->on_wire;

		bottleneck->on_wire = NULL;
		bottleneck->sink.sent(bottleneck->sink.context, now_ns, packet);
		/* Take the next one before the packet moves on and perhaps comes back. */
		bottleneck_start(bottleneck);
		packet->hops++;
		node_forward(node->next, packet);
	}
	bottleneck_arm(bottleneck);
}

static const struct sim_node_ops bottleneck_ops = {
	.forward = bottleneck_forward,
	.run = bottleneck_run,
};

void bottleneck_init(struct bottleneck *bottleneck, struct clock *clock, struct sim_node *next,
		     struct queue *queue, const struct rate_plan *plan, struct link_sink sink)
{
	memset(bottleneck, 0, sizeof(*bottleneck));
	node_init(&bottleneck->node, &bottleneck_ops, clock, next);
	bottleneck->queue = queue;
	bottleneck->begin_ns = TIME_NEVER_NS;
	bottleneck->sink = sink;
	capacity_init(&bottleneck->capacity, plan);
	bottleneck_arm(bottleneck);
}
