/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of pointers, and flow queues that are used again.
 */
#include "queue/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/flow_hash.h"

int flow_table_init(struct flow_table *table, uint32_t count, size_t vars_size,
		    uint64_t perturbation)
{
	*table = (struct flow_table){
		.places = calloc(count, sizeof(struct flow_queue *)),
		.count = count,
		.vars_size = vars_size,
		.perturbation = perturbation,
	};
	return table->places ? 0 : ERR_NO_MEMORY;
}

void flow_table_free(struct flow_table *table)
{
	for (uint32_t i = 0; table->places && i < table->count; i++)
		free(table->places[i]);
	while (table->spare) {
		struct flow_queue *flow = table->spare;

		table->spare = (struct flow_queue *)flow->drr.next;
		free(flow);
	}
	free(table->places);
}

static struct flow_queue *make(struct flow_table *table)
{
	struct flow_queue *flow = table->spare;

	if (flow == NULL)
		return malloc(sizeof(*flow) + table->vars_size);
	table->spare = (struct flow_queue *)flow->drr.next;
	return flow;
}

struct flow_queue *flow_table_find(struct flow_table *table, const struct packet *packet,
				   const void *vars, uint64_t now_ns)
{
	const uint64_t hash = net_flow_hash(table->perturbation, packet);
	const uint32_t place = (uint32_t)((hash >> 32) * table->count >> 32);
	struct flow_queue *flow = table->places[place];

	if (flow)
		return flow;
	flow = make(table);
	if (flow == NULL)
		return NULL;
	*flow = (struct flow_queue){.place = place, .emptied_ns = now_ns};
	flow->drr.place = AQM_DRR_NOWHERE;
	heap_node_init(&flow->fat);
	memcpy(flow->vars, vars, table->vars_size);
	table->places[place] = flow;
	table->in_use++;
	return flow;
}

void flow_table_release(struct flow_table *table, struct flow_queue *flow)
{
	table->places[flow->place] = NULL;
	table->in_use--;
	flow->drr.next = table->spare ? &table->spare->drr : NULL;
	table->spare = flow;
}
