/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stalls: what comes in one waits for its end.  Their times are drawn as packets come, and do not
 * depend on how many those are.
 */
#include "sim/impair.h"

#include <math.h>
#include <string.h>

#include "base/units.h"

static void draw_next(struct stall *stall)
{
	const double wait_ns = rng_exponential(&stall->random) * (double)stall->every_ns;

	stall->begin_ns = stall->end_ns + (uint64_t)llround(wait_ns);
	stall->end_ns = stall->begin_ns + stall->for_ns;
}

static void stall_forward(struct sim_node *node, struct packet *packet)
{
	struct stall *stall = (struct stall *)node;

	while (stall->end_ns <= node->clock->now_ns)
		draw_next(stall);
	/* Who comes at the very end of a stall still leaves behind those that it held. */
	if (stall->first == NULL && node->clock->now_ns < stall->begin_ns) {
		node_forward(node->next, packet);
		return;
	}
	packet->next = NULL;
	if (stall->first) {
		stall->last->next = packet;
	} else {
		stall->first = packet;
		node_arm(node, stall->end_ns);
	}
	stall->last = packet;
	stall->count++;
}

static void stall_run(struct sim_node *node)
{
	struct stall *stall = (struct stall *)node;
	struct packet *packet = stall->first;

	stall->first = NULL;
	stall->count = 0;
	while (packet) {
		struct packet *next = packet->next;

		packet->next = NULL;
		node_forward(node->next, packet);
		packet = next;
	}
}

static const struct sim_node_ops stall_ops = {.forward = stall_forward, .run = stall_run};

void stall_init(struct stall *stall, struct clock *clock, struct sim_node *next,
		const struct stall_plan *plan, struct rng random)
{
	memset(stall, 0, sizeof(*stall));
	node_init(&stall->node, &stall_ops, clock, next);
	stall->random = random;
	stall->every_ns = ns_from_ms(plan->every_ms);
	stall->for_ns = ns_from_ms(plan->for_ms);
	draw_next(stall);
}
