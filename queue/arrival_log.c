/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of records; the oldest undecided one holds up those behind it.
 */
#include "queue/arrival_log.h"

#include <stdlib.h>

#include "queue/host.h"

#define FIRST_ROOM 256
#define TICKETS (UINT32_MAX >> 1) /* the largest ticket */

struct arrival {
	struct aqm_record record;
	bool decided;
};

static struct arrival *place(const struct arrival_log *log, uint32_t ticket)
{
	return &log->ring[ticket & (log->room - 1)];
}

/* Twice the room; tickets keep their meaning. */
static bool grow(struct arrival_log *log)
{
	struct arrival_log larger = *log;

	larger.room = log->room ? 2 * log->room : FIRST_ROOM;
	larger.ring = malloc(larger.room * sizeof(*larger.ring));
	if (larger.ring == NULL)
		return false;
	for (uint32_t i = 0; i < log->waiting; i++)
		*place(&larger, log->first + i) = *place(log, log->first + i);
	free(log->ring);
	*log = larger;
	return true;
}

uint32_t arrival_log_add(struct arrival_log *log, const struct aqm_record *record)
{
	uint32_t ticket;

	if (log->waiting == log->room && !grow(log))
		return ARRIVAL_LOG_NONE;
	ticket = (log->first + log->waiting) & TICKETS;
	*place(log, ticket) = (struct arrival){.record = *record};
	log->waiting++;
	return ticket;
}

void arrival_log_decide(struct arrival_log *log, uint32_t ticket, enum aqm_verdict verdict,
			const struct queue_sink *sink, uint64_t now_ns)
{
	struct arrival *arrival;

	if (ticket == ARRIVAL_LOG_NONE)
		return;
	arrival = place(log, ticket);
	arrival->decided = true;
	if (verdict != AQM_PASS)
		arrival->record.dequeue_action = queue_logged_action(verdict);
	while (log->waiting && place(log, log->first)->decided) {
		sink->record(sink->context, now_ns, &place(log, log->first)->record);
		log->first = (log->first + 1) & TICKETS;
		log->waiting--;
	}
}

void arrival_log_free(struct arrival_log *log)
{
	free(log->ring);
	*log = (struct arrival_log){0};
}
