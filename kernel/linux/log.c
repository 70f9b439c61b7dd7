// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two rings of records.  A packet that was in the queue before the log began has none: `skip` says
 * how many of those are still to leave.
 */
#include "kernel/linux/log.h"

#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>

#define CREATE_TRACE_POINTS
#include "kernel/linux/aqmllm_trace.h"

struct waiting {
	struct aqm_record record;
	bool gone; /* dropped on arrival: there is no packet to wait for */
};

struct ring {
	struct waiting *place;
	u32 first, end; /* counts; places are those modulo the size */
	u32 packets;    /* of those that wait, the ones with a packet */
	u32 skip;
	bool begun;
};

struct aqmllm_log {
	u32 mask;
	char device[32];
	struct ring ring[AQM_QUEUES];
};

struct aqmllm_log *aqmllm_log_new(u32 limit_pkts, const char *device)
{
	struct aqmllm_log *log = kzalloc(sizeof(*log), GFP_KERNEL);
	const u32 size = roundup_pow_of_two(2 * limit_pkts);
	unsigned int i;

	if (!log)
		return NULL;
	log->mask = size - 1;
	strscpy(log->device, device, sizeof(log->device));
	for (i = 0; i < AQM_QUEUES; i++)
		log->ring[i].place = kvcalloc(size, sizeof(struct waiting), GFP_KERNEL);
	if (log->ring[0].place && log->ring[1].place)
		return log;
	aqmllm_log_free(log);
	return NULL;
}

void aqmllm_log_free(struct aqmllm_log *log)
{
	unsigned int i;

	if (!log)
		return;
	for (i = 0; i < AQM_QUEUES; i++)
		kvfree(log->ring[i].place);
	kfree(log);
}

bool aqmllm_log_has_room(const struct aqmllm_log *log, u32 limit_pkts)
{
	return log && limit_pkts <= log->mask / 2 + 1;
}

void aqmllm_log_clear(struct aqmllm_log *log)
{
	unsigned int i;

	for (i = 0; i < AQM_QUEUES; i++) {
		struct ring *ring = &log->ring[i];

		ring->first = ring->end;
		ring->packets = 0;
		ring->skip = 0;
	}
}

static struct waiting *place_of(const struct aqmllm_log *log, struct ring *ring, u32 at)
{
	return &ring->place[at & log->mask];
}

static void emit(const struct aqmllm_log *log, const struct aqm_record *record)
{
	trace_aqmllm_packet(log->device, record);
}

/* Records at the front that wait for no packet. */
static void emit_gone(const struct aqmllm_log *log, struct ring *ring)
{
	while (ring->first != ring->end && place_of(log, ring, ring->first)->gone)
		emit(log, &place_of(log, ring, ring->first++)->record);
}

void aqmllm_log_arrival(struct aqmllm_log *log, const struct dual_host *host,
			const struct dual_host_heads *heads, const struct dual_host_packet *packet,
			enum aqm_verdict verdict)
{
	struct ring *ring = &log->ring[packet->queue & 1];
	const bool gone = verdict == AQM_DROP;
	struct aqm_record record;

	if (!ring->begun) {
		ring->begun = true;
		ring->skip = host->backlog_pkts[packet->queue & 1] - !gone;
	}
	dual_host_record(host, heads, packet, verdict, &record);
	/* Half of the ring is enough for every packet; drops have what packets leave. */
	if (gone && (ring->first == ring->end ||
		     ring->end - ring->first - ring->packets > log->mask / 2)) {
		emit(log, &record);
		return;
	}
	*place_of(log, ring, ring->end++) = (struct waiting){record, gone};
	ring->packets += !gone;
}

void aqmllm_log_departure(struct aqmllm_log *log, unsigned int queue, enum aqm_verdict verdict)
{
	struct ring *ring = &log->ring[queue & 1];
	struct waiting *own;

	if (ring->skip || !ring->begun || ring->first == ring->end) {
		ring->skip -= ring->skip != 0;
		return;
	}
	emit_gone(log, ring);
	own = place_of(log, ring, ring->first++);
	if (verdict != AQM_PASS)
		own->record.dequeue_action = aqm_record_action(verdict);
	emit(log, &own->record);
	ring->packets--;
	emit_gone(log, ring);
}
