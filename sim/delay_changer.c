/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delays that change in steps.
 */
#include <string.h>

#include "base/units.h"
#include "sim/variation.h"

static void arm(struct delay_changer *changer)
{
	node_arm(&changer->node, changer->next < changer->count
					 ? ns_from_seconds(changer->steps[changer->next].at_s)
					 : TIME_NEVER_NS);
}

static void changer_run(struct sim_node *node)
{
	struct delay_changer *changer = (struct delay_changer *)node;

	changer->line->delay_ns = ns_from_ms(changer->steps[changer->next++].delay_ms);
	arm(changer);
}

static const struct sim_node_ops changer_ops = {.run = changer_run};

void delay_changer_init(struct delay_changer *changer, struct clock *clock,
			struct delay_line *line, const struct delay_step *steps, uint64_t count)
{
	memset(changer, 0, sizeof(*changer));
	node_init(&changer->node, &changer_ops, clock, NULL);
	changer->line = line;
	changer->steps = steps;
	changer->count = count;
	arm(changer);
}
