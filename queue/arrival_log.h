/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of arrivals that wait for their packets' fate, sent in the order of
 * arrival whatever order the packets leave in.
 *
 * Records still waiting when the queue is destroyed are not sent: nobody knows
 * their packets' fate.
 */
#ifndef QUEUE_ARRIVAL_LOG_H
#define QUEUE_ARRIVAL_LOG_H

#include "queue/queue.h"

#define ARRIVAL_LOG_NONE UINT32_MAX /* no ticket */

struct arrival;

struct arrival_log {
	struct arrival *ring;
	uint32_t room;     /* a power of two, or 0 */
	uint32_t first;    /* ticket of the oldest record; tickets count arrivals modulo 2^31 */
	uint32_t waiting;
};

/*
 * Takes a record; its ticket, or ARRIVAL_LOG_NONE when there is no memory: that record is then
 * lost to the log.
 */
uint32_t arrival_log_add(struct arrival_log *log, const struct aqm_record *record);

/*
 * The packet's fate is known: sends every record that has nothing undecided in front of it.
 * AQM_PASS leaves the action that the record was given at arrival.
 */
void arrival_log_decide(struct arrival_log *log, uint32_t ticket, enum aqm_verdict verdict,
			const struct queue_sink *sink, uint64_t now_ns);

void arrival_log_free(struct arrival_log *log);

#endif
