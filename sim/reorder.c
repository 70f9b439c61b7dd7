/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reordering: a detour for some.
 */
#include "sim/impair.h"

#include <string.h>

#include "base/units.h"

static void reorder_forward(struct sim_node *node, struct packet *packet)
{
	struct reorder *reorder = (struct reorder *)node;
	const bool detour = rng_uniform(&reorder->random) < reorder->probability;

	reorder->reordered += detour;
	node_forward(detour ? &reorder->detour.node : node->next, packet);
}

static const struct sim_node_ops reorder_ops = {.forward = reorder_forward};

void reorder_init(struct reorder *reorder, struct clock *clock, struct sim_node *next,
		  const struct impairments *plan, struct rng random)
{
	memset(reorder, 0, sizeof(*reorder));
	node_init(&reorder->node, &reorder_ops, clock, next);
	delay_line_init(&reorder->detour, clock, next, ns_from_ms(plan->reorder_ms));
	reorder->random = random;
	reorder->probability = plan->reorder_percent / 100;
}
