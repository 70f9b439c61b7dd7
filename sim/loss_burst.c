/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Losses in bursts.
 */
#include "sim/impair.h"

#include <string.h>

/* Two draws a packet whatever they say: the chain's step, then the loss. */
static void burst_forward(struct sim_node *node, struct packet *packet)
{
	struct loss_burst *burst = (struct loss_burst *)node;
	const struct loss_burst_plan *plan = &burst->plan;
	const double step = 100 * rng_uniform(&burst->random);
	const double loss = 100 * rng_uniform(&burst->random);

	if (step < (burst->bad ? plan->leave_percent : plan->enter_percent))
		burst->bad = !burst->bad;
	if (loss >= (burst->bad ? plan->loss_percent : plan->good_loss_percent)) {
		node_forward(node->next, packet);
		return;
	}
	burst->lost++;
	packet_free(burst->pool, packet);
}

static const struct sim_node_ops burst_ops = {.forward = burst_forward};

void loss_burst_init(struct loss_burst *burst, struct clock *clock, struct sim_node *next,
		     const struct loss_burst_plan *plan, struct rng random,
		     struct packet_pool *pool)
{
	memset(burst, 0, sizeof(*burst));
	node_init(&burst->node, &burst_ops, clock, next);
	burst->random = random;
	burst->pool = pool;
	burst->plan = *plan;
}
