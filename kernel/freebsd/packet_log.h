/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The log: one line for every packet that arrives, printed when its fate is known, in each queue
 * in the order of arrival (as queue/queue.c tells its sink).
 *
 * Lines that still wait when a queue goes are not printed: nobody knows their packets' fate.  Where
 * there is no memory for one, it is lost.
 */
#ifndef KERNEL_FREEBSD_PACKET_LOG_H
#define KERNEL_FREEBSD_PACKET_LOG_H

#include "kernel/freebsd/host.h"
#include "aqm/record_line.h"

struct packet_log_entry {
	struct packet_log_entry *next;
	struct aqm_record record;
	bool decided;
};

/* All zeros: empty. */
struct packet_log {
	struct packet_log_entry *first[AQM_QUEUES], *last[AQM_QUEUES];
};

/*
 * A packet arrived.  `waits`: its fate is still to come, and so is packet_log_decide() for what is
 * returned, which may say more than the record's action.  NULL: nothing waits.
 */
struct packet_log_entry *packet_log_arrival(struct packet_log *own,
					    const struct aqm_record *record, bool waits);

/* A packet leaves, or is dropped in the queue; `entry` may be NULL. */
void packet_log_decide(struct packet_log *own, struct packet_log_entry *entry,
		       enum aqm_verdict verdict);

/* Frees what waits. */
void packet_log_free(struct packet_log *own);

#endif
