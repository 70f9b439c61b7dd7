/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of pointers, and flow queues that are used again.
 */
#include "queue/flow_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "net/flow_hash.h"

/* What each isolation hashes a packet by, and which hosts it treats alike. */
static const struct isolation {
	bool flow, source, destination;
	bool sources_alike, destinations_alike;
} isolations[AQM_ISOLATIONS] = {
	[AQM_ISOLATE_FLOWS] = {.flow = true},
	[AQM_ISOLATE_NOTHING] = {0},
	[AQM_ISOLATE_SOURCES] = {.source = true},
	[AQM_ISOLATE_DESTINATIONS] = {.destination = true},
	[AQM_ISOLATE_HOST_PAIRS] = {.source = true, .destination = true},
	[AQM_ISOLATE_FLOWS_IN_SOURCES] = {.flow = true, .sources_alike = true},
	[AQM_ISOLATE_FLOWS_IN_DESTINATIONS] = {.flow = true, .destinations_alike = true},
	[AQM_ISOLATE_TRIPLE] = {.flow = true, .sources_alike = true, .destinations_alike = true},
};

int flow_table_init(struct flow_table *table, const struct aqm_flow_shape *shape,
		    size_t vars_size, uint64_t perturbation)
{
	const struct isolation *how = &isolations[shape->isolation];
	int code = 0;

	*table = (struct flow_table){
		.places = calloc(shape->flows, sizeof(struct flow_queue *)),
		.count = shape->flows,
		.ways = shape->ways,
		.isolation = (enum aqm_isolation)shape->isolation,
		.vars_size = vars_size,
		.perturbation = perturbation,
	};
	if (table->places == NULL)
		return ERR_NO_MEMORY;
	if (how->sources_alike)
		code = flow_hosts_init(&table->sources, shape->flows, shape->ways);
	if (code == 0 && how->destinations_alike)
		code = flow_hosts_init(&table->destinations, shape->flows, shape->ways);
	return code;
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
	flow_hosts_free(&table->sources);
	flow_hosts_free(&table->destinations);
}

static struct flow_queue *make(struct flow_table *table)
{
	struct flow_queue *flow = table->spare;

	if (flow == NULL)
		return malloc(sizeof(*flow) + table->vars_size);
	table->spare = (struct flow_queue *)flow->drr.next;
	return flow;
}

static uint64_t hash_of(const struct flow_table *table, const struct packet *packet)
{
	const struct isolation *how = &isolations[table->isolation];
	uint64_t hash = 0;

	if (how->flow)
		return net_flow_hash(table->perturbation, packet);
	if (how->source)
		hash = net_host_hash(table->perturbation, packet->source_host);
	if (how->destination)
		hash = net_hash_mix(hash, packet->destination_host);
	return hash;
}

/* The place for a hash: its own, or a free one of its set, or one that it has to share. */
static uint32_t choose_place(const struct flow_table *table, uint64_t hash)
{
	const uint32_t first = (uint32_t)((hash >> 32) * table->count >> 32);
	const uint32_t set = first - first % table->ways;
	uint32_t chosen = first;

	for (uint32_t i = 0; i < table->ways; i++) {
		const uint32_t at = set + (first + i) % table->ways;
		const struct flow_queue *flow = table->places[at];

		if (flow && flow->tag == hash)
			return at;
		if (flow == NULL && table->places[chosen])
			chosen = at;
	}
	return chosen;
}

/* The flow queue is this packet's from now on; its hosts count it in place of those before. */
static void adopt(struct flow_table *table, struct flow_queue *flow, const struct packet *packet,
		  uint64_t hash)
{
	const uint64_t seed = table->perturbation;
	const bool bulk = flow->bulk;

	flow_table_set_bulk(table, flow, false);
	flow->tag = hash;
	if (table->sources.hosts)
		flow->source = flow_hosts_find(&table->sources,
					       net_host_hash(seed, packet->source_host));
	if (table->destinations.hosts)
		flow->destination = flow_hosts_find(&table->destinations,
						    net_host_hash(seed, packet->destination_host));
	flow_table_set_bulk(table, flow, bulk);
}

struct flow_queue *flow_table_find(struct flow_table *table, const struct packet *packet,
				   const void *vars, uint64_t now_ns)
{
	const uint64_t hash = hash_of(table, packet);
	const uint32_t place = choose_place(table, hash);
	struct flow_queue *flow = table->places[place];

	if (flow && flow->tag == hash)
		return flow;
	if (flow == NULL) {
		flow = make(table);
		if (flow == NULL)
			return NULL;
		*flow = (struct flow_queue){.place = place, .emptied_ns = now_ns};
		flow->drr.place = AQM_DRR_NOWHERE;
		heap_node_init(&flow->fat);
		heap_node_init(&flow->parked);
		memcpy(flow->vars, vars, table->vars_size);
		table->places[place] = flow;
		table->in_use++;
	}
	adopt(table, flow, packet, hash);
	return flow;
}

void flow_table_set_bulk(struct flow_table *table, struct flow_queue *flow, bool bulk)
{
	if (flow->bulk == bulk)
		return;
	flow->bulk = bulk;
	flow_hosts_count(&table->sources, flow->source, bulk ? 1 : -1);
	flow_hosts_count(&table->destinations, flow->destination, bulk ? 1 : -1);
}

void flow_table_release(struct flow_table *table, struct flow_queue *flow)
{
	table->places[flow->place] = NULL;
	table->in_use--;
	flow->drr.next = table->spare ? &table->spare->drr : NULL;
	table->spare = flow;
}
