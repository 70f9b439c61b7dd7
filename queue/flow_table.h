/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues by the hash of their packets' flow.
 *
 * The hash says a set of neighbouring places (as many as there are ways); a flow
 * takes the place that carries its hash, or a free one, or when its set is full
 * that of another flow, with which it then shares a queue.
 *
 * A flow queue exists from its first packet until its law is at rest: memory is
 * that of flows in use, besides a pointer for each place of the table.
 *
 * Inside queue/ only.
 */
#ifndef QUEUE_FLOW_TABLE_H
#define QUEUE_FLOW_TABLE_H

#include "aqm/drr.h"
#include "base/heap.h"
#include "queue/flow_hosts.h"
#include "queue/queue.h"

struct flow_queue {
	struct aqm_drr_flow drr; /* first: the walk gives it back */
	struct heap_node fat;    /* in order of bytes held, the most first */
	struct heap_node parked; /* in order of the rounds that it waits for */
	struct packet *first, *last;
	uint64_t backlog_bytes;
	uint64_t emptied_ns;     /* when a packet was last taken out, or it was made */
	uint32_t backlog_pkts;
	uint32_t place;          /* in the table */
	uint64_t tag;            /* hash of the flow that came last */
	uint32_t source, destination; /* places of its hosts */
	uint32_t carry;          /* what dividing the last grant among flows left over */
	bool bulk;               /* counts as one of its hosts' bulk flows */
	_Alignas(16) unsigned char vars[]; /* of the law */
};

struct flow_table {
	struct flow_queue **places; /* (count); NULL: unused */
	uint32_t count, ways;
	uint32_t in_use;
	enum aqm_isolation isolation;
	struct flow_hosts sources, destinations; /* of those treated alike */
	size_t vars_size;
	uint64_t perturbation;
	struct flow_queue *spare; /* chained by drr.next */
};

/* ERR_NO_MEMORY; flow_table_free() is due in any case. */
int flow_table_init(struct flow_table *table, const struct aqm_flow_shape *shape,
		    size_t vars_size, uint64_t perturbation);
void flow_table_free(struct flow_table *table);

/*
 * The flow queue of a packet.  One that was not there starts empty, on no list, with the law's
 * state copied from `vars`; NULL when there is no memory for it.
 */
struct flow_queue *flow_table_find(struct flow_table *table, const struct packet *packet,
				   const void *vars, uint64_t now_ns);

/* A flow uses up what it is granted, or does so no longer. */
void flow_table_set_bulk(struct flow_table *table, struct flow_queue *flow, bool bulk);

/* Bulk flows that share the more loaded of the flow's hosts; 1 at least. */
static inline uint32_t flow_table_load(const struct flow_table *table,
				       const struct flow_queue *flow)
{
	const uint32_t source = flow_hosts_load(&table->sources, flow->source);
	const uint32_t destination = flow_hosts_load(&table->destinations, flow->destination);
	const uint32_t load = source > destination ? source : destination;

	return load ? load : 1;
}

/* No bulk flow has a smaller load than this. */
static inline uint32_t flow_table_least_load(const struct flow_table *table)
{
	const uint32_t source = table->sources.least, destination = table->destinations.least;
	const uint32_t least = source > destination ? source : destination;

	return least ? least : 1;
}

/* Gives an empty flow queue up; it is on no list. */
void flow_table_release(struct flow_table *table, struct flow_queue *flow);

#endif
