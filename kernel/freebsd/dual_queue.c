/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Packets, their notes and their lines; kernel/dual_host.h counts and decides.
 */
#include "kernel/freebsd/dual_queue.h"

static uint64_t now_of(const struct dual_queue *queue)
{
	return host_clock_ns() - queue->epoch_ns;
}

/* A packet whose note somebody took away counts as one that came just now. */
static struct dual_host_packet packet_of(struct mbuf *m, unsigned which, uint64_t now_ns)
{
	const struct packet_note *note = packet_note_find(m);

	if (note)
		return note->packet;
	return (struct dual_host_packet){
		.enqueued_ns = now_ns,
		.random = UINT64_MAX,
		.len_bytes = packet_length(m),
		.queue = (uint8_t)which,
	};
}

static void fill_heads(const struct dual_queue *queue, uint64_t now_ns,
		       struct dual_host_heads *heads)
{
	*heads = (struct dual_host_heads){0};
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		struct dual_host_packet first;

		if (queue->fifo[q].first == NULL)
			continue;
		first = packet_of(queue->fifo[q].first, q, now_ns);
		heads->enqueued_ns[q] = first.enqueued_ns;
		heads->len_bytes[q] = first.len_bytes;
	}
}

/* Newer weights, where there are any. */
static void follow_weights(struct dual_queue *queue)
{
	struct weights *old = queue->weights;
	struct dual_host_params params;

	if (old == NULL || !weights_are_old(old))
		return;
	params = queue->host.params;
	queue->weights = weights_take();
	params.own.model = &queue->weights->model;
	dual_host_change(&queue->host, &params, now_of(queue));
	weights_drop(old);
}

struct dual_queue *dual_queue_new(const struct dual_host_params *params)
{
	struct dual_queue *queue = malloc(sizeof(*queue), M_DUMMYNET, M_NOWAIT | M_ZERO);
	struct dual_host_params own = *params;

	if (queue == NULL)
		return NULL;
	if (params->law == DUAL_HOST_STUDENT) {
		queue->weights = weights_take();
		if (queue->weights == NULL) {
			free(queue, M_DUMMYNET);
			return NULL;
		}
		own.own.model = &queue->weights->model;
	}
	queue->epoch_ns = host_clock_ns();
	dual_host_init(&queue->host, &own, 0);
	return queue;
}

void dual_queue_flush(struct dual_queue *queue)
{
	for (unsigned q = 0; q < AQM_QUEUES; q++) {
		dn_free_pkts(queue->fifo[q].first);
		queue->fifo[q] = (struct dual_fifo){0};
		queue->host.backlog_pkts[q] = 0;
		queue->host.backlog_bytes[q] = 0;
	}
	packet_log_free(&queue->log);
}

void dual_queue_free(struct dual_queue *queue)
{
	dual_queue_flush(queue);
	if (queue->weights)
		weights_drop(queue->weights);
	free(queue, M_DUMMYNET);
}

void dual_queue_change(struct dual_queue *queue, const struct dual_host_params *params)
{
	struct dual_host_params own = *params;

	own.own.model = queue->host.params.own.model;
	dual_host_change(&queue->host, &own, now_of(queue));
}

static void append(struct dual_fifo *fifo, struct mbuf *m)
{
	m->m_nextpkt = NULL;
	if (fifo->first)
		fifo->last->m_nextpkt = m;
	else
		fifo->first = m;
	fifo->last = m;
}

static bool drop(struct mbuf *m)
{
	host_count_drop();
	FREE_PKT(m);
	return false;
}

/* The law's word on a packet that arrives, and its line. */
static enum aqm_verdict decide_arrival(struct dual_queue *queue, struct packet_note *note)
{
	const uint64_t now_ns = now_of(queue);
	struct dual_host_heads heads;
	struct aqm_record record;
	enum aqm_verdict verdict;

	follow_weights(queue);
	fill_heads(queue, now_ns, &heads);
	dual_host_run(&queue->host, &heads, now_ns, DUAL_QUEUE_CATCH_UP);
	verdict = dual_host_arrive(&queue->host, &heads, &note->packet, now_ns);
	if (!queue->logs)
		return verdict;
	dual_host_record(&queue->host, &heads, &note->packet, verdict, &record);
	note->entry = packet_log_arrival(&queue->log, &record, verdict != AQM_DROP);
	return verdict;
}

bool dual_queue_enqueue(struct dual_queue *queue, struct mbuf *m)
{
	const uint8_t ecn = packet_ecn(m);
	struct packet_note *note = packet_note_new();
	enum aqm_verdict verdict;

	if (note == NULL) {
		queue->host.counts[aqm_dual_classify(ecn)].drops++;
		return drop(m);
	}
	note->packet.random = host_random();
	note->packet.len_bytes = packet_length(m);
	note->packet.ecn = ecn;
	verdict = decide_arrival(queue, note);
	if (verdict == AQM_DROP) {
		packet_note_free(note);
		return drop(m);
	}
	if (verdict == AQM_MARK) {
		ecn_mark(m);
		note->packet.ecn = AQM_CE;
	}
	packet_note_attach(m, note);
	host_hold(m);
	append(&queue->fifo[note->packet.queue & 1], m);
	return true;
}

/* The first packet of a queue, no longer in it. */
static struct mbuf *remove_first(struct dual_fifo *fifo)
{
	struct mbuf *m = fifo->first;

	fifo->first = m->m_nextpkt;
	m->m_nextpkt = NULL;
	return m;
}

/* The law's word on the packet that was taken out, its line, and its mark. */
static enum aqm_verdict decide_departure(struct dual_queue *queue, struct mbuf *m, unsigned which,
					 uint64_t now_ns)
{
	const struct dual_host_packet packet = packet_of(m, which, now_ns);
	struct packet_note *note = packet_note_find(m);
	struct packet_log_entry *entry = note ? note->entry : NULL;
	struct dual_host_heads heads;
	enum aqm_verdict verdict;

	packet_note_remove(m);
	fill_heads(queue, now_ns, &heads);
	verdict = dual_host_depart(&queue->host, &heads, &packet, now_ns);
	packet_log_decide(&queue->log, entry, verdict);
	if (verdict == AQM_MARK)
		ecn_mark(m);
	return verdict;
}

struct mbuf *dual_queue_dequeue(struct dual_queue *queue)
{
	const uint64_t now_ns = now_of(queue);
	struct dual_host_heads heads;
	struct mbuf *m;
	unsigned which;

	follow_weights(queue);
	fill_heads(queue, now_ns, &heads);
	dual_host_run(&queue->host, &heads, now_ns, DUAL_QUEUE_CATCH_UP);
	while ((which = dual_host_take(&queue->host, &heads, now_ns)) < AQM_QUEUES) {
		m = remove_first(&queue->fifo[which]);
		if (decide_departure(queue, m, which, now_ns) == AQM_DROP)
			drop(m);
		else if (host_release(m))
			return m;
		else
			drop(m);
		fill_heads(queue, now_ns, &heads);
	}
	return NULL;
}
