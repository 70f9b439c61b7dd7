/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO or pair of FIFOs with a law on top.
 *
 * This is mechanism: it holds packets, draws one random number per arrival,
 * tells the law the facts, carries out verdicts and reports.  A law that is
 * not dual uses the Classic FIFO only.  A mark on a packet that cannot carry
 * one is a drop.
 *
 * Records follow the kernel's log: one per enqueue attempt, with the lengths
 * that stood before the packet was queued.  Where the law decides at departure
 * (`late`), the record of the arrival waits until the packet's fate is known;
 * that of a packet dropped on arrival then follows the packets that wait in
 * front of it, so that each queue's records stay in the order of arrival.
 * Records still waiting when the queue is destroyed are not sent: nobody knows
 * their packets' fate.
 */
#include "queue/flow_queue.h"
#include "queue/host.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define NO_SLOT UINT32_MAX

/* A record that waits with its packet, or a free place for one. */
struct slot {
	struct aqm_record record;
	uint32_t next;		/* free: the next free slot; else a record to send after this one */
	uint32_t last_follower; /* of a packet's slot: the end of that chain, or NO_SLOT */
};

struct hosted {
	struct queue_host base; /* first */
	uint32_t limit_pkts;
	struct packet *first[AQM_QUEUES], *last[AQM_QUEUES];
	uint64_t accepted_pkts[AQM_QUEUES], accepted_bytes[AQM_QUEUES];
	uint64_t emptied_ns; /* when a packet was last taken out */
	struct slot *slots;
	uint32_t slot_count, free_slot;
};

static uint64_t age_of(const struct packet *first, uint64_t now_ns)
{
	return first ? now_ns - first->enqueued_ns : 0;
}

static uint64_t head_sojourn_ns(const struct queue *queue, enum aqm_queue which, uint64_t now_ns)
{
	return age_of(((const struct hosted *)queue)->first[which], now_ns);
}

static void fill_state(const struct hosted *host, struct aqm_facts *facts, uint64_t now_ns)
{
	facts->now_ns = now_ns;
	if (host->base.queue.backlog_pkts[0] + host->base.queue.backlog_pkts[1] == 0)
		facts->idle_ns = now_ns - host->emptied_ns;
	for (int i = 0; i < AQM_QUEUES; i++) {
		facts->head_sojourn_ns[i] = age_of(host->first[i], now_ns);
		facts->backlog_bytes[i] = host->base.queue.backlog_bytes[i];
		facts->backlog_pkts[i] = host->base.queue.backlog_pkts[i];
		facts->total_pkts[i] = host->accepted_pkts[i];
		facts->total_bytes[i] = host->accepted_bytes[i];
		facts->total_drops[i] = host->base.queue.counts[i].drops;
	}
}

static uint64_t next_ns(const struct queue *queue)
{
	const struct aqm_ops *law = queue->law;

	return law->tick_due_ns ? law->tick_due_ns(queue->params, queue->vars) : TIME_NEVER_NS;
}

static void run(struct queue *queue, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = next_ns(queue)) <= now_ns) {
		struct aqm_facts facts = {0};

		fill_state((struct hosted *)queue, &facts, due_ns);
		queue->law->tick(queue->params, queue->vars, queue->stats, &facts);
	}
}

/* A place for a record, or NO_SLOT when there is no memory: that record is then lost to the log. */
static uint32_t take_slot(struct hosted *host)
{
	uint32_t slot = host->free_slot;

	if (slot == NO_SLOT) {
		const uint32_t count = host->slot_count ? 2 * host->slot_count : 256;
		struct slot *slots = realloc(host->slots, count * sizeof(*slots));

		if (slots == NULL)
			return NO_SLOT;
		for (uint32_t i = host->slot_count; i < count; i++)
			slots[i].next = i + 1 < count ? i + 1 : NO_SLOT;
		slot = host->slot_count;
		host->slots = slots;
		host->slot_count = count;
	}
	host->free_slot = host->slots[slot].next;
	return slot;
}

/* Fills a slot with a record that waits; NO_SLOT when there is no memory. */
static uint32_t park(struct hosted *host, const struct aqm_record *record)
{
	const uint32_t slot = take_slot(host);

	if (slot != NO_SLOT)
		host->slots[slot] = (struct slot){*record, NO_SLOT, NO_SLOT};
	return slot;
}

/* The record of a drop on arrival waits behind that of the last packet in its queue. */
static bool follow(struct hosted *host, const struct packet *last, const struct aqm_record *record)
{
	struct slot *leader;
	uint32_t slot;

	if (last == NULL || last->record_slot == NO_SLOT)
		return false;
	slot = park(host, record);
	if (slot == NO_SLOT)
		return false;
	leader = &host->slots[last->record_slot];
	if (leader->last_follower == NO_SLOT)
		leader->next = slot;
	else
		host->slots[leader->last_follower].next = slot;
	leader->last_follower = slot;
	return true;
}

/* Sends the record of an arrival, or lets it wait for the departure. */
static void record_arrival(struct hosted *host, const struct aqm_facts *facts, bool decided,
			   enum aqm_verdict verdict, struct packet *packet)
{
	struct aqm_record record;

	packet->record_slot = NO_SLOT;
	if (host->base.sink.record == NULL)
		return;
	queue_host_record(&host->base, host->base.queue.vars, facts, decided, verdict, &record);
	if (host->base.queue.law->late && verdict != AQM_DROP) {
		packet->record_slot = park(host, &record);
		return;
	}
	if (host->base.queue.law->late &&
	    follow(host, host->first[facts->queue] ? host->last[facts->queue] : NULL, &record))
		return;
	host->base.sink.record(host->base.sink.context, facts->now_ns, &record);
}

/* The fate of a packet whose record waits is known: marked at arrival, or what happened now. */
static void record_departure(struct hosted *host, const struct packet *packet,
			     enum aqm_verdict verdict, uint64_t now_ns)
{
	uint32_t at = packet->record_slot;

	if (at != NO_SLOT && verdict != AQM_PASS)
		host->slots[at].record.dequeue_action = queue_logged_action(verdict);
	while (at != NO_SLOT) {
		struct slot *slot = &host->slots[at];
		const uint32_t next = slot->next;

		host->base.sink.record(host->base.sink.context, now_ns, &slot->record);
		slot->next = host->free_slot;
		host->free_slot = at;
		at = next;
	}
}

static bool is_full(const struct hosted *host, enum aqm_queue queue)
{
	const uint32_t *pkts = host->base.queue.backlog_pkts;
	const uint32_t held = host->base.queue.law->limit_each ? pkts[queue] : pkts[0] + pkts[1];

	return held >= host->limit_pkts;
}

static void append(struct hosted *host, struct packet *packet, enum aqm_queue queue,
		   uint64_t now_ns)
{
	packet->enqueued_ns = now_ns;
	packet->next = NULL;
	if (host->first[queue])
		host->last[queue]->next = packet;
	else
		host->first[queue] = packet;
	host->last[queue] = packet;
	host->base.queue.backlog_pkts[queue]++;
	host->base.queue.backlog_bytes[queue] += packet->len_bytes;
	host->accepted_pkts[queue]++;
	host->accepted_bytes[queue] += packet->len_bytes;
}

static bool enqueue(struct queue *queue, struct packet *packet, uint64_t now_ns)
{
	struct hosted *host = (struct hosted *)queue;
	const struct aqm_ops *law = queue->law;
	struct aqm_facts facts = {0};
	enum aqm_verdict verdict = AQM_DROP;
	enum aqm_queue into = AQM_QUEUE_C;
	bool full;

	run(queue, now_ns);
	packet->random = queue_host_draw(&host->base);
	packet->cookie = 0;
	fill_state(host, &facts, now_ns);
	queue_host_packet_facts(&facts, packet);
	if (law->classify)
		into = law->classify(queue->params, &facts);
	facts.queue = (uint8_t)into;
	queue->counts[into].arrived_pkts++;
	queue->counts[into].arrived_bytes += packet->len_bytes;
	full = is_full(host, into);
	if (!full)
		verdict = law->on_enqueue(queue->params, queue->vars, queue->stats, &facts,
					  &packet->cookie);
	else if (law->on_overflow)
		law->on_overflow(queue->params, queue->vars, queue->stats, &facts);
	verdict = queue_host_carry_out(&host->base, packet, into, verdict);
	record_arrival(host, &facts, !full, verdict, packet);
	if (verdict == AQM_DROP) {
		queue_host_leave(&host->base, packet, into, AQM_DROP, now_ns, 0);
		return false;
	}
	append(host, packet, into, now_ns);
	return true;
}

static struct aqm_head head_of(const struct packet *first, uint64_t now_ns)
{
	if (first == NULL)
		return (struct aqm_head){0};
	return (struct aqm_head){now_ns - first->enqueued_ns, first->len_bytes};
}

/* Takes the first packet of the queue whose turn it is, or NULL when both are empty. */
static struct packet *take_first(struct hosted *host, enum aqm_queue *from, uint64_t now_ns)
{
	struct queue *queue = &host->base.queue;
	const struct aqm_head heads[AQM_QUEUES] = {
		head_of(host->first[0], now_ns),
		head_of(host->first[1], now_ns),
	};
	struct packet *packet;

	if (host->first[0] == NULL && host->first[1] == NULL)
		return NULL;
	*from = queue->law->schedule ? queue->law->schedule(queue->params, queue->vars, heads)
				     : AQM_QUEUE_C;
	packet = host->first[*from];
	host->first[*from] = packet->next;
	/* The law asks for the age of the one behind at once: that one was fetched a turn ago. */
	if (packet->next)
		__builtin_prefetch(packet->next->next);
	packet->next = NULL;
	queue->backlog_pkts[*from]--;
	queue->backlog_bytes[*from] -= packet->len_bytes;
	host->emptied_ns = now_ns;
	return packet;
}

static enum aqm_verdict judge_departure(struct hosted *host, const struct packet *packet,
					enum aqm_queue from, uint64_t now_ns)
{
	struct queue *queue = &host->base.queue;
	struct aqm_facts facts = {0};

	if (queue->law->on_dequeue == NULL)
		return AQM_PASS;
	fill_state(host, &facts, now_ns);
	queue_host_packet_facts(&facts, packet);
	facts.queue = (uint8_t)from;
	facts.sojourn_ns = now_ns - packet->enqueued_ns;
	return queue->law->on_dequeue(queue->params, queue->vars, queue->stats, &facts);
}

static void packet_sent(struct hosted *host, const struct packet *packet, enum aqm_queue from)
{
	struct queue *queue = &host->base.queue;
	const bool other_waits = host->first[!from] != NULL;

	queue->counts[from].left_pkts++;
	queue->counts[from].left_bytes += packet->len_bytes;
	if (queue->law->served)
		queue->law->served(queue->params, queue->vars, from, packet->len_bytes,
				   other_waits);
}

static void found_empty(struct hosted *host, uint64_t now_ns)
{
	const struct queue *queue = &host->base.queue;
	const struct aqm_facts facts = {.now_ns = now_ns};

	if (queue->law->on_empty)
		queue->law->on_empty(queue->params, queue->vars, queue->stats, &facts);
}

static struct packet *dequeue(struct queue *queue, uint64_t now_ns)
{
	struct hosted *host = (struct hosted *)queue;
	enum aqm_queue from = AQM_QUEUE_C;
	struct packet *packet;

	run(queue, now_ns);
	while ((packet = take_first(host, &from, now_ns)) != NULL) {
		enum aqm_verdict verdict = judge_departure(host, packet, from, now_ns);

		verdict = queue_host_carry_out(&host->base, packet, from, verdict);
		record_departure(host, packet, verdict, now_ns);
		if (verdict != AQM_DROP)
			packet_sent(host, packet, from);
		if (queue->law->idle && host->first[0] == NULL && host->first[1] == NULL)
			queue->law->idle(queue->params, queue->vars);
		queue_host_leave(&host->base, packet, from, verdict, now_ns,
				 now_ns - packet->enqueued_ns);
		if (verdict != AQM_DROP)
			return packet;
	}
	found_empty(host, now_ns);
	return NULL;
}

static void destroy(struct queue *queue)
{
	struct hosted *host = (struct hosted *)queue;

	for (int i = 0; i < AQM_QUEUES; i++) {
		while (host->first[i]) {
			struct packet *packet = host->first[i];

			host->first[i] = packet->next;
			packet_free(host->base.pool, packet);
		}
	}
	queue_host_close(&host->base);
	free(host->slots);
	free(host);
}

static const struct queue_ops hosted_ops = {
	.name = "hosted",
	.enqueue = enqueue,
	.dequeue = dequeue,
	.next_ns = next_ns,
	.run = run,
	.head_sojourn_ns = head_sojourn_ns,
	.destroy = destroy,
};

static struct queue *fifos_new(const struct queue_config *config, struct error *error)
{
	struct hosted *host = calloc(1, sizeof(*host));
	double limit;

	if (host == NULL) {
		error_set(error, ERR_NO_MEMORY, "out of memory for a queue");
		return NULL;
	}
	host->free_slot = NO_SLOT;
	host->limit_pkts = UINT32_MAX;
	if (aqm_params_get(config->law, config->params, "limit_packets", &limit) == 0)
		host->limit_pkts = (uint32_t)limit;
	if (queue_host_open(&host->base, &hosted_ops, config, error)) {
		destroy(&host->base.queue);
		return NULL;
	}
	return &host->base.queue;
}

struct queue *queue_new(const struct queue_config *config, struct error *error)
{
	return config->law->flow_shape ? flow_queue_new(config, error) : fifos_new(config, error);
}

void queue_destroy(struct queue *queue)
{
	if (queue)
		queue->ops->destroy(queue);
}
