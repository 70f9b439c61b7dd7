/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A list of lines for each queue; the oldest undecided one holds up those behind it.
 */
#include "kernel/freebsd/packet_log.h"

static void print_line(const struct aqm_record *record)
{
	char line[AQM_RECORD_LINE_BYTES];

	aqm_record_put_line(line, record);
	log(LOG_INFO, "%s\n", line);
}

/* Prints what is decided and has nothing undecided in front of it. */
static void flush_queue(struct packet_log *own, unsigned queue)
{
	struct packet_log_entry *entry;

	while ((entry = own->first[queue]) != NULL && entry->decided) {
		print_line(&entry->record);
		own->first[queue] = entry->next;
		free(entry, M_DUMMYNET);
	}
}

struct packet_log_entry *packet_log_arrival(struct packet_log *own,
					    const struct aqm_record *record, bool waits)
{
	const unsigned queue = (unsigned)record->queue_type & 1;
	struct packet_log_entry *entry = malloc(sizeof(*entry), M_DUMMYNET, M_NOWAIT);

	if (entry == NULL)
		return NULL;
	entry->next = NULL;
	entry->record = *record;
	entry->decided = !waits;
	if (own->first[queue] == NULL)
		own->first[queue] = entry;
	else
		own->last[queue]->next = entry;
	own->last[queue] = entry;
	flush_queue(own, queue);
	return waits ? entry : NULL;
}

void packet_log_decide(struct packet_log *own, struct packet_log_entry *entry,
		       enum aqm_verdict verdict)
{
	if (entry == NULL)
		return;
	if (verdict != AQM_PASS)
		entry->record.dequeue_action = aqm_record_action(verdict);
	entry->decided = true;
	flush_queue(own, (unsigned)entry->record.queue_type & 1);
}

void packet_log_free(struct packet_log *own)
{
	for (unsigned queue = 0; queue < AQM_QUEUES; queue++) {
		while (own->first[queue]) {
			struct packet_log_entry *entry = own->first[queue];

			own->first[queue] = entry->next;
			free(entry, M_DUMMYNET);
		}
	}
}
