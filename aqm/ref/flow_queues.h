/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of flow queueing: RFC 8290 sections 4.1 (enqueue) and 4.2 (dequeue) over lists of numbers,
 * in which a queue that is passed over is visited again every round, around the oracles of CoDel,
 * PIE and COBALT.  FQ-PIE is the same with PIE asked at arrival.
 *
 * With `cake` it is CAKE's way (Hoiland-Jorgensen, Taht, Morton: Piece of CAKE, 2018): a queue that
 * runs empty is no longer anybody's turn at once (DRR++), shares go to hosts before they go to
 * flows, and queues that hold nothing are visited in turn, one a dequeue, until COBALT has
 * forgotten.
 *
 * Bytes, credits and times are doubles that hold whole numbers.
 */
#ifndef AQM_REF_FLOW_QUEUES_H
#define AQM_REF_FLOW_QUEUES_H

#include "aqm/ref/cobalt.h"
#include "aqm/ref/codel.h"
#include "aqm/ref/pie.h"

#define ORACLE_FLOW_QUEUES 32

enum oracle_flow_law { ORACLE_FLOW_CODEL, ORACLE_FLOW_PIE, ORACLE_FLOW_COBALT };

enum oracle_flow_list { ORACLE_NEW, ORACLE_OLD, ORACLE_DECAYING, ORACLE_FLOW_LISTS };

struct oracle_flow_queue {
	struct oracle_list packets; /* its room is the test's */
	double credits;
	double remainder;  /* of the last division of a quantum, in bytes times flows */
	unsigned hosts[2]; /* source and destination */
	bool bulk;         /* counts at its hosts */
	union {
		struct oracle_codel codel;
		struct oracle_pie pie;
		struct oracle_cobalt cobalt;
	} law;
};

struct oracle_flows {
	enum oracle_flow_law law;
	bool cake;
	bool alike[2]; /* cake: whether sources, and destinations, get equal shares */
	double quantum, limit_packets, limit_bytes, drop_batch;
	size_t count;  /* queues */
	struct oracle_flow_queue queues[ORACLE_FLOW_QUEUES];
	size_t lists[ORACLE_FLOW_LISTS][ORACLE_FLOW_QUEUES], length[ORACLE_FLOW_LISTS];
};

/*
 * A packet arrives for a queue; `packet.fate` says what became of it at arrival.  Packets dropped
 * are written to `out`.  Which of several queues of equal bytes is the fattest no text says: the
 * i-th drop for lack of room takes ties[i] where that is one of them.  Returns how many were
 * dropped.
 */
size_t oracle_flows_arrive(struct oracle_flows *flows, size_t queue, struct oracle_packet *packet,
			   double now_ns, const size_t *ties, struct oracle_packet *out);

/* As oracle_codel_dequeue(), of all queues; `*from` is the queue that sends. */
size_t oracle_flows_dequeue(struct oracle_flows *flows, double now_ns, struct oracle_packet *out,
			    size_t *from);

/* The list a queue is on; ORACLE_FLOW_LISTS: none. */
enum oracle_flow_list oracle_flows_list_of(const struct oracle_flows *flows, size_t queue);

#endif
