/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Independent losses.
 */
#include "sim/impair.h"

#include <string.h>

static void loss_forward(struct sim_node *node, struct packet *packet)
{
	struct loss *loss = (struct loss *)node;

	if (rng_uniform(&loss->random) >= loss->probability) {
		node_forward(node->next, packet);
		return;
	}
	loss->lost++;
	packet_free(loss->pool, packet);
}

static const struct sim_node_ops loss_ops = {.forward = loss_forward};

void loss_init(struct loss *loss, struct clock *clock, struct sim_node *next, double percent,
	       struct rng random, struct packet_pool *pool)
{
	memset(loss, 0, sizeof(*loss));
	node_init(&loss->node, &loss_ops, clock, next);
	loss->random = random;
	loss->pool = pool;
	loss->probability = percent / 100;
}
