/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pipes and processors.
 *
 * Credit and debt are those of dummynet's serve_sched(): credit grows with the
 * ticks since the last service, service stops as soon as it is negative, and
 * an idle pipe starts again from zero.
 */
#include "sim/router.h"

#include <string.h>

#include "base/units.h"

static uint64_t tick_of(const struct pipe *pipe, uint64_t now_ns)
{
	return now_ns / pipe->tick_ns * pipe->tick_ns;
}

static int64_t bits_of(const struct pipe *pipe, uint64_t elapsed_ns)
{
	return (int64_t)((unsigned __int128)elapsed_ns * pipe->rate_bps / NS_PER_S);
}

/* Whole ticks until the credit is back at zero. */
static uint64_t debt_ns(const struct pipe *pipe)
{
	const int64_t tick_bits = bits_of(pipe, pipe->tick_ns);

	if (pipe->credit_bits >= 0 || tick_bits == 0)
		return 0;
	return (uint64_t)((tick_bits - 1 - pipe->credit_bits) / tick_bits) * pipe->tick_ns;
}

/* Sends while there is credit; what is left when the queue runs empty is forfeited. */
static void pipe_send(struct pipe *pipe)
{
	const uint64_t now_ns = pipe->node.clock->now_ns;
	struct packet *packet = NULL;

	while (pipe->credit_bits >= 0) {
		packet = queue_dequeue(pipe->queue, now_ns);
		if (packet == NULL)
			break;
		pipe->credit_bits -= (int64_t)packet->len_bytes * 8;
		pipe->sink.sent(pipe->sink.context, now_ns, packet);
		packet->hops++;
		node_forward(&pipe->delay->node, packet);
	}
	if (packet)
		delay_line_hold_last(pipe->delay, debt_ns(pipe));
	pipe->active = pipe->credit_bits < 0;
}

static void pipe_arm(struct pipe *pipe)
{
	const uint64_t tick_ns = tick_of(pipe, pipe->node.clock->now_ns) + pipe->tick_ns;
	uint64_t due_ns = queue_next_ns(pipe->queue);

	if (pipe->active && tick_ns < due_ns)
		due_ns = tick_ns;
	node_arm(&pipe->node, due_ns);
}

/* An idle pipe sends at once and then owes the bits; a busy one waits for the tick. */
static void pipe_forward(struct sim_node *node, struct packet *packet)
{
	struct pipe *pipe = (struct pipe *)node;

	queue_enqueue(pipe->queue, packet, node->clock->now_ns);
	if (pipe->active)
		return;
	pipe->credit_bits = 0;
	pipe->served_ns = tick_of(pipe, node->clock->now_ns);
	pipe_send(pipe);
	pipe_arm(pipe);
}

static void pipe_tick(struct pipe *pipe)
{
	const uint64_t tick_ns = tick_of(pipe, pipe->node.clock->now_ns);

	pipe->credit_bits += bits_of(pipe, tick_ns - pipe->served_ns);
	pipe->served_ns = tick_ns;
	pipe_send(pipe);
}

/* A busy processor comes to the tick when no packet waits any more. */
static bool tick_must_wait(struct pipe *pipe)
{
	struct processor *processor = pipe->processor;

	if (processor == NULL || processor->waiting == 0)
		return false;
	processor->tick_waits = true;
	return true;
}

/* The law keeps its own time; service happens on ticks only. */
static void pipe_run(struct sim_node *node)
{
	struct pipe *pipe = (struct pipe *)node;
	const uint64_t now_ns = node->clock->now_ns;

	queue_run(pipe->queue, now_ns);
	if (pipe->active && now_ns >= pipe->served_ns + pipe->tick_ns && !tick_must_wait(pipe))
		pipe_tick(pipe);
	pipe_arm(pipe);
}

static const struct sim_node_ops pipe_ops = {.forward = pipe_forward, .run = pipe_run};

void pipe_init(struct pipe *pipe, struct clock *clock, struct delay_line *delay,
	       struct queue *queue, uint64_t rate_bps, uint64_t tick_ns, struct link_sink sink)
{
	memset(pipe, 0, sizeof(*pipe));
	node_init(&pipe->node, &pipe_ops, clock, &delay->node);
	pipe->delay = delay;
	pipe->queue = queue;
	pipe->rate_bps = rate_bps;
	pipe->tick_ns = tick_ns;
	pipe->sink = sink;
	pipe_arm(pipe);
}

static bool passes_left(const struct processor *processor, const struct packet *packet)
{
	return packet->hops < processor->passes;
}

static void begin_first(struct processor *processor)
{
	const struct packet *packet = processor->first;

	if (packet)
		node_arm(&processor->node,
			 processor->node.clock->now_ns +
				 (passes_left(processor, packet) ? processor->cost_ns : 0));
}

static void processor_forward(struct sim_node *node, struct packet *packet)
{
	struct processor *processor = (struct processor *)node;

	packet->next = NULL;
	if (packet->hops == 0 && processor->waiting >= processor->room_packets) {
		processor->drops++;
		if (processor->no_room.sent)
			processor->no_room.sent(processor->no_room.context, node->clock->now_ns,
						packet);
		packet_free(processor->pool, packet);
		return;
	}
	processor->waiting++;
	if (processor->first) {
		processor->last->next = packet;
		processor->last = packet;
		return;
	}
	processor->first = processor->last = packet;
	begin_first(processor);
}

/* The packet in hand is done; then the tick, if nothing else waits. */
static void processor_run(struct sim_node *node)
{
	struct processor *processor = (struct processor *)node;
	struct packet *packet = processor->first;

	processor->first = packet->next;
	processor->waiting--;
	packet->next = NULL;
	node_forward(passes_left(processor, packet) ? node->next : processor->exit, packet);
	if (processor->tick_waits && processor->waiting == 0) {
		processor->tick_waits = false;
		pipe_tick(processor->pipe);
		pipe_arm(processor->pipe);
	}
	/* What was forwarded may have come back and started an idle processor already. */
	if (node->due_ns == TIME_NEVER_NS)
		begin_first(processor);
}

static const struct sim_node_ops processor_ops = {
	.forward = processor_forward,
	.run = processor_run,
};

void processor_init(struct processor *processor, struct clock *clock, struct sim_node *queue,
		    struct sim_node *exit, struct pipe *pipe)
{
	memset(processor, 0, sizeof(*processor));
	node_init(&processor->node, &processor_ops, clock, queue);
	processor->exit = exit;
	processor->pipe = pipe;
	processor->passes = 1;
}
