/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues by the hash of their packets' flow.
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
#include "queue/queue.h"

struct flow_queue {
	struct aqm_drr_flow drr; /* first: the walk gives it back */
	struct heap_node fat;    /* in order of bytes held, the most first */
	struct packet *first, *last;
	uint64_t backlog_bytes;
	uint64_t emptied_ns;     /* when a packet was last taken out, or it was made */
	uint32_t backlog_pkts;
	uint32_t place;          /* in the table */
	_Alignas(16) unsigned char vars[]; /* of the law */
};

struct flow_table {
	struct flow_queue **places; /* (count); NULL: unused */
	uint32_t count;
	uint32_t in_use;
	size_t vars_size;
	uint64_t perturbation;
	struct flow_queue *spare; /* chained by drr.next */
};

/* ERR_NO_MEMORY. */
int flow_table_init(struct flow_table *table, uint32_t count, size_t vars_size,
		    uint64_t perturbation);
void flow_table_free(struct flow_table *table);

/*
 * The flow queue of a packet.  One that was not there starts empty, on no list, with the law's
 * state copied from `vars`; NULL when there is no memory for it.
 */
struct flow_queue *flow_table_find(struct flow_table *table, const struct packet *packet,
				   const void *vars, uint64_t now_ns);

/* Gives an empty flow queue up; it is on no list. */
void flow_table_release(struct flow_table *table, struct flow_queue *flow);

#endif
