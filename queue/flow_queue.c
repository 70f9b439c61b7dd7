/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow queues under a law.
 *
 * Arrival: the flow's law decides; a queue that gets its first packet joins the
 * new ones; beyond a limit the fattest queue loses packets from its head
 * (RFC 8290 section 4.1).  Departure: the walk of aqm/drr.h, in which a queue's law
 * may drop packets before one leaves (section 4.2).  Each departure also looks at
 * one queue that holds nothing, and lets it go when its law is at rest.
 *
 * The fattest queue is found through a heap that is kept only while room is
 * short: from the first packet too many until half of the room is free again.
 * Without memory for the heap, every queue is looked at instead.
 *
 * A flow of a host with many others gets so little per round that it would be
 * visited in many before it may send.  It is parked for that many rounds, which
 * a marker among the old flows counts.
 *
 * Everything counts as Classic: there is no second queue.
 */
#include "queue/flow_queue.h"

#include <stdlib.h>

#include "base/units.h"
#include "queue/arrival_log.h"
#include "queue/flow_table.h"
#include "queue/host.h"

/* Rounds for which a flow is rather parked than visited in each. */
#define PARKED_ROUNDS 8

/* Label of the random number generator that perturbs the hash. */
#define STREAM_HASH 1

struct flow_queues {
	struct queue_host base; /* first */
	struct aqm_flow_shape shape;
	struct flow_table table;
	struct aqm_drr drr;
	void *fresh_vars;       /* what a new flow queue starts from */
	struct heap parked;     /* flows that wait for a round to come */
	uint64_t round;         /* counts how often `marker` has come to the front */
	struct aqm_drr_flow marker; /* among the old flows while any are parked; not a flow queue */
	struct heap fat;
	bool crowded;           /* `fat` holds every queue with packets */
	uint64_t accepted_pkts, accepted_bytes;
	uint64_t now_ns;        /* of the departure under way */
	struct arrival_log log;
};

static struct queue *queue_of(struct flow_queues *host)
{
	return &host->base.queue;
}

static uint64_t *held_bytes(struct flow_queues *host)
{
	return &host->base.queue.backlog_bytes[AQM_QUEUE_C];
}

static uint32_t *held_pkts(struct flow_queues *host)
{
	return &host->base.queue.backlog_pkts[AQM_QUEUE_C];
}

/* Every flow queue there is, one after another, from NULL to NULL. */
static struct flow_queue *next_flow(struct flow_queues *host, const struct flow_queue *flow)
{
	unsigned place = flow ? flow->drr.place : 0;
	struct aqm_drr_flow *at = flow ? aqm_drr_next(&host->drr, &flow->drr)
				       : aqm_drr_first(&host->drr, AQM_DRR_NEW);

	for (;;) {
		if (at == &host->marker)
			at = aqm_drr_next(&host->drr, at);
		if (at)
			return (struct flow_queue *)at;
		if (++place == AQM_DRR_PLACES)
			return NULL;
		at = aqm_drr_first(&host->drr, (enum aqm_drr_place)place);
	}
}

static void fill_facts(const struct flow_queues *host, const struct flow_queue *flow,
		       struct aqm_facts *facts, uint64_t now_ns)
{
	facts->now_ns = now_ns;
	facts->queue = AQM_QUEUE_C;
	if (flow->backlog_pkts == 0)
		facts->idle_ns = now_ns - flow->emptied_ns;
	if (flow->first)
		facts->head_sojourn_ns[AQM_QUEUE_C] = now_ns - flow->first->enqueued_ns;
	facts->backlog_bytes[AQM_QUEUE_C] = flow->backlog_bytes;
	facts->backlog_pkts[AQM_QUEUE_C] = flow->backlog_pkts;
	facts->total_pkts[AQM_QUEUE_C] = host->accepted_pkts;
	facts->total_bytes[AQM_QUEUE_C] = host->accepted_bytes;
	facts->total_drops[AQM_QUEUE_C] = host->base.queue.counts[AQM_QUEUE_C].drops;
}

static uint64_t next_ns(const struct queue *queue)
{
	const struct flow_queues *host = (const struct flow_queues *)queue;
	const struct aqm_ops *law = queue->law;

	return law->tick_due_ns ? law->tick_due_ns(queue->params, host->fresh_vars)
				: TIME_NEVER_NS;
}

/* One update of every flow queue there is, and of what new ones start from. */
static void tick(struct flow_queues *host, uint64_t due_ns)
{
	const struct queue *queue = queue_of(host);
	const struct aqm_facts nothing = {.now_ns = due_ns};

	for (struct flow_queue *flow = NULL; (flow = next_flow(host, flow)) != NULL;) {
		struct aqm_facts facts = {0};

		fill_facts(host, flow, &facts, due_ns);
		queue->law->tick(queue->params, flow->vars, queue->stats, &facts);
	}
	queue->law->tick(queue->params, host->fresh_vars, queue->stats, &nothing);
}

static void run(struct queue *queue, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = next_ns(queue)) <= now_ns)
		tick((struct flow_queues *)queue, due_ns);
}

/* No heap any more. */
static void uncrowd(struct flow_queues *host)
{
	while (heap_first(&host->fat))
		heap_disarm(&host->fat, heap_first(&host->fat));
	host->crowded = false;
}

/* A queue's bytes have changed: so has its place among the fattest. */
static void weigh(struct flow_queues *host, struct flow_queue *flow)
{
	if (flow->backlog_pkts == 0)
		heap_disarm(&host->fat, &flow->fat);
	else if (heap_arm(&host->fat, &flow->fat, UINT64_MAX - flow->backlog_bytes))
		uncrowd(host);
}

/* Puts every queue with packets into the heap. */
static void crowd(struct flow_queues *host)
{
	host->crowded = true;
	for (struct flow_queue *flow = NULL;
	     host->crowded && (flow = next_flow(host, flow)) != NULL;)
		weigh(host, flow);
}

static bool is_over(const struct flow_queues *host, uint32_t limit_pkts, uint64_t limit_bytes)
{
	return host->base.queue.backlog_pkts[AQM_QUEUE_C] > limit_pkts ||
	       host->base.queue.backlog_bytes[AQM_QUEUE_C] > limit_bytes;
}

/* A queue has gained or lost a packet. */
static void has_changed(struct flow_queues *host, struct flow_queue *flow)
{
	if (!host->crowded)
		return;
	if (is_over(host, host->shape.limit_pkts / 2, host->shape.limit_bytes / 2))
		weigh(host, flow);
	else
		uncrowd(host);
}

static struct packet *pop(struct flow_queues *host, struct flow_queue *flow, uint64_t now_ns)
{
	struct packet *packet = flow->first;

	if (packet == NULL)
		return NULL;
	flow->first = packet->next;
	packet->next = NULL;
	flow->backlog_pkts--;
	flow->backlog_bytes -= packet->len_bytes;
	flow->emptied_ns = now_ns;
	--*held_pkts(host);
	*held_bytes(host) -= packet->len_bytes;
	has_changed(host, flow);
	return packet;
}

static void push(struct flow_queues *host, struct flow_queue *flow, struct packet *packet,
		 uint64_t now_ns)
{
	packet->enqueued_ns = now_ns;
	packet->next = NULL;
	if (flow->first)
		flow->last->next = packet;
	else
		flow->first = packet;
	flow->last = packet;
	flow->backlog_pkts++;
	flow->backlog_bytes += packet->len_bytes;
	++*held_pkts(host);
	*held_bytes(host) += packet->len_bytes;
	host->accepted_pkts++;
	host->accepted_bytes += packet->len_bytes;
	has_changed(host, flow);
}

static void record_arrival(struct flow_queues *host, const struct flow_queue *flow,
			   const struct aqm_facts *facts, enum aqm_verdict verdict,
			   struct packet *packet)
{
	struct aqm_record record;

	packet->record_slot = ARRIVAL_LOG_NONE;
	if (host->base.sink.record == NULL)
		return;
	queue_host_record(&host->base, flow->vars, facts, true, verdict, &record);
	packet->record_slot = arrival_log_add(&host->log, &record);
}

/* A packet goes, by the law's verdict or for lack of room. */
static void depart(struct flow_queues *host, struct packet *packet, enum aqm_verdict verdict,
		   uint64_t now_ns, uint64_t sojourn_ns)
{
	arrival_log_decide(&host->log, packet->record_slot, verdict, &host->base.sink, now_ns);
	queue_host_leave(&host->base, packet, AQM_QUEUE_C, verdict, now_ns, sojourn_ns);
}

/* Every queue that holds packets, one by one. */
static struct flow_queue *look_for_fattest(struct flow_queues *host)
{
	struct flow_queue *fattest = NULL;

	for (struct flow_queue *flow = NULL; (flow = next_flow(host, flow)) != NULL;)
		if (fattest == NULL || flow->backlog_bytes > fattest->backlog_bytes)
			fattest = flow;
	return fattest;
}

static struct flow_queue *find_fattest(struct flow_queues *host)
{
	if (!host->crowded)
		crowd(host);
	if (!host->crowded)
		return look_for_fattest(host);
	return (struct flow_queue *)((char *)heap_first(&host->fat) -
				     offsetof(struct flow_queue, fat));
}

static void drop_head(struct flow_queues *host, struct flow_queue *flow, uint64_t now_ns)
{
	struct queue *queue = queue_of(host);
	struct packet *packet = pop(host, flow, now_ns);
	struct aqm_facts facts = {0};

	queue->vars = flow->vars;
	if (queue->law->on_overflow) {
		fill_facts(host, flow, &facts, now_ns);
		queue_host_packet_facts(&facts, packet);
		facts.sojourn_ns = now_ns - packet->enqueued_ns;
		queue->law->on_overflow(queue->params, flow->vars, queue->stats, &facts);
	}
	queue->counts[AQM_QUEUE_C].drops++;
	depart(host, packet, AQM_DROP, now_ns, now_ns - packet->enqueued_ns);
}

/* Drops until there is room; false: `arrived` was among those dropped. */
static bool make_room(struct flow_queues *host, const struct packet *arrived, uint64_t now_ns)
{
	bool kept = true;

	while (is_over(host, host->shape.limit_pkts, host->shape.limit_bytes)) {
		struct flow_queue *flow = find_fattest(host);
		const uint64_t half_bytes = flow->backlog_bytes / 2;
		uint32_t batch = host->shape.drop_batch_pkts;

		do {
			kept &= flow->first != arrived;
			drop_head(host, flow, now_ns);
		} while (--batch > 0 && flow->backlog_bytes > half_bytes);
	}
	return kept;
}

static bool refuse(struct flow_queues *host, struct packet *packet, uint64_t now_ns)
{
	depart(host, packet, AQM_DROP, now_ns, 0);
	return false;
}

static bool enqueue(struct queue *queue, struct packet *packet, uint64_t now_ns)
{
	struct flow_queues *host = (struct flow_queues *)queue;
	struct queue_counts *counts = &queue->counts[AQM_QUEUE_C];
	struct flow_queue *flow;
	struct aqm_facts facts = {0};
	enum aqm_verdict verdict;

	run(queue, now_ns);
	packet->random = queue_host_draw(&host->base);
	packet->cookie = 0;
	packet->record_slot = ARRIVAL_LOG_NONE;
	counts->arrived_pkts++;
	counts->arrived_bytes += packet->len_bytes;
	flow = flow_table_find(&host->table, packet, host->fresh_vars, now_ns);
	if (flow == NULL) {
		counts->drops++;
		return refuse(host, packet, now_ns);
	}
	if (flow->drr.place == AQM_DRR_NOWHERE)
		aqm_drr_move(&host->drr, &flow->drr, AQM_DRR_SETTLING);
	queue->vars = flow->vars;
	fill_facts(host, flow, &facts, now_ns);
	queue_host_packet_facts(&facts, packet);
	verdict = queue->law->on_enqueue(queue->params, flow->vars, queue->stats, &facts,
					 &packet->cookie);
	verdict = queue_host_carry_out(&host->base, packet, AQM_QUEUE_C, verdict);
	record_arrival(host, flow, &facts, verdict, packet);
	if (verdict == AQM_DROP)
		return refuse(host, packet, now_ns);
	if (flow->drr.place == AQM_DRR_SETTLING) {
		flow->carry = 0;
		flow->drr.deficit_bytes =
			host->shape.quantum_bytes / flow_table_load(&host->table, flow);
		aqm_drr_move(&host->drr, &flow->drr, AQM_DRR_NEW);
	} else if (flow->drr.place != AQM_DRR_NEW) {
		flow_table_set_bulk(&host->table, flow, true);
	}
	push(host, flow, packet, now_ns);
	return make_room(host, packet, now_ns);
}

/*
 * Adds a flow's share of a quantum to its deficit, once: 1; or as often as it takes to get above 0,
 * if that is worth parking it: so many rounds.
 */
static uint64_t grant(const struct flow_queues *host, struct flow_queue *flow)
{
	const uint64_t load = flow_table_load(&host->table, flow);
	const uint64_t quantum =
		(uint64_t)host->shape.quantum_bytes * flow_table_least_load(&host->table);
	const uint64_t lacking = (uint64_t)(1 - flow->drr.deficit_bytes) * load;
	uint64_t rounds = 1, share;

	if (lacking > PARKED_ROUNDS * quantum + flow->carry)
		rounds = (lacking - flow->carry + quantum - 1) / quantum;
	share = rounds * quantum + flow->carry;
	flow->drr.deficit_bytes += (int64_t)(share / load);
	flow->carry = (uint32_t)(share % load);
	return rounds;
}

/*
 * Parks a flow for so many rounds; false when there is no memory for that.  Flows queue up at the
 * marker, which so comes right behind them in every round.  One that it is put in for has had its
 * turn in this round: the marker's first coming is already the next one.
 */
static bool park(struct flow_queues *host, struct flow_queue *flow, uint64_t rounds)
{
	const bool unmarked = host->marker.place == AQM_DRR_NOWHERE;

	if (heap_arm(&host->parked, &flow->parked, host->round + rounds - unmarked))
		return false;
	aqm_drr_move(&host->drr, &flow->drr, AQM_DRR_PARKED);
	if (unmarked)
		aqm_drr_move(&host->drr, &host->marker, AQM_DRR_OLD);
	return true;
}

/* The marker has come round: those parked until now queue up, then the marker, if needed. */
static void next_round(struct flow_queues *host)
{
	struct heap_node *first;

	aqm_drr_remove(&host->marker);
	host->round++;
	first = heap_first(&host->parked);
	if (first && aqm_drr_first(&host->drr, AQM_DRR_OLD) == NULL &&
	    first->due_ns > host->round)
		host->round = first->due_ns; /* nobody is served in between */
	while ((first = heap_first(&host->parked)) != NULL && first->due_ns <= host->round) {
		struct flow_queue *flow =
			(struct flow_queue *)((char *)first - offsetof(struct flow_queue, parked));

		heap_disarm(&host->parked, first);
		aqm_drr_move(&host->drr, &flow->drr, AQM_DRR_OLD);
	}
	if (first)
		aqm_drr_move(&host->drr, &host->marker, AQM_DRR_OLD);
}

/*
 * A flow that has used its deficit up and waits with more packets is a bulk flow.  Its grant is a
 * quantum shared with those of its hosts; where it takes many such grants to send a packet, the
 * flow is parked for their rounds instead of being visited in each.
 */
static void renew(void *context, struct aqm_drr_flow *at)
{
	struct flow_queues *host = context;
	struct flow_queue *flow = (struct flow_queue *)at;
	uint64_t rounds;

	if (at == &host->marker) {
		next_round(host);
		return;
	}
	if (flow->first)
		flow_table_set_bulk(&host->table, flow, true);
	rounds = grant(host, flow);
	if (rounds == 1 || !park(host, flow, rounds))
		aqm_drr_move(&host->drr, at, AQM_DRR_OLD);
}

/* The flow queue's law on its first packet, which has been taken out. */
static enum aqm_verdict judge(struct flow_queues *host, struct flow_queue *flow,
			      const struct packet *packet)
{
	const struct queue *queue = queue_of(host);
	struct aqm_facts facts = {0};

	if (queue->law->on_dequeue == NULL)
		return AQM_PASS;
	fill_facts(host, flow, &facts, host->now_ns);
	queue_host_packet_facts(&facts, packet);
	facts.sojourn_ns = host->now_ns - packet->enqueued_ns;
	return queue->law->on_dequeue(queue->params, flow->vars, queue->stats, &facts);
}

static void found_empty(struct flow_queues *host, struct flow_queue *flow)
{
	const struct queue *queue = queue_of(host);
	const struct aqm_facts facts = {.now_ns = host->now_ns};

	if (queue->law->on_empty)
		queue->law->on_empty(queue->params, flow->vars, queue->stats, &facts);
}

static void *take(void *context, struct aqm_drr_flow *at, uint32_t *len_bytes)
{
	struct flow_queues *host = context;
	struct flow_queue *flow = (struct flow_queue *)at;
	const uint64_t now_ns = host->now_ns;
	struct packet *packet;

	queue_of(host)->vars = flow->vars;
	while ((packet = pop(host, flow, now_ns)) != NULL) {
		enum aqm_verdict verdict = judge(host, flow, packet);

		verdict = queue_host_carry_out(&host->base, packet, AQM_QUEUE_C, verdict);
		*len_bytes = packet->len_bytes;
		depart(host, packet, verdict, now_ns, now_ns - packet->enqueued_ns);
		if (verdict != AQM_DROP)
			return packet;
	}
	found_empty(host, flow);
	return NULL;
}

/*
 * RFC 8290 section 4.2: an empty new queue passes through the old ones; not so in DRR++, which
 * takes a pause for the end of a burst.
 */
static void vacate(void *context, struct aqm_drr_flow *at)
{
	struct flow_queues *host = context;
	const bool once_more = !host->shape.leave_at_once && at->place == AQM_DRR_NEW;

	if (!once_more)
		flow_table_set_bulk(&host->table, (struct flow_queue *)at, false);
	aqm_drr_move(&host->drr, at, once_more ? AQM_DRR_OLD : AQM_DRR_SETTLING);
}

/* Looks at one queue that holds nothing: it goes, or waits for its next turn. */
static void settle_one(struct flow_queues *host)
{
	struct queue *queue = queue_of(host);
	struct aqm_drr_flow *at = aqm_drr_first(&host->drr, AQM_DRR_SETTLING);
	struct flow_queue *flow = (struct flow_queue *)at;

	if (at == NULL)
		return;
	found_empty(host, flow);
	if (queue->law->at_rest == NULL ||
	    !queue->law->at_rest(queue->params, flow->vars, host->now_ns)) {
		aqm_drr_move(&host->drr, at, AQM_DRR_SETTLING);
		return;
	}
	if (queue->vars == flow->vars)
		queue->vars = host->fresh_vars;
	aqm_drr_remove(at);
	flow_table_release(&host->table, flow);
}

static struct packet *dequeue(struct queue *queue, uint64_t now_ns)
{
	struct flow_queues *host = (struct flow_queues *)queue;
	struct packet *packet;

	run(queue, now_ns);
	host->now_ns = now_ns;
	settle_one(host);
	packet = aqm_drr_dequeue(&host->drr, host, renew, take, vacate);
	if (packet) {
		queue->counts[AQM_QUEUE_C].left_pkts++;
		queue->counts[AQM_QUEUE_C].left_bytes += packet->len_bytes;
	}
	return packet;
}

static uint64_t head_sojourn_ns(const struct queue *queue, enum aqm_queue which, uint64_t now_ns)
{
	struct flow_queues *host = (struct flow_queues *)queue;
	uint64_t oldest_ns = 0;

	if (which != AQM_QUEUE_C)
		return 0;
	for (struct flow_queue *flow = NULL; (flow = next_flow(host, flow)) != NULL;)
		if (flow->first && now_ns - flow->first->enqueued_ns > oldest_ns)
			oldest_ns = now_ns - flow->first->enqueued_ns;
	return oldest_ns;
}

static void free_packets(struct flow_queues *host, struct flow_queue *flow)
{
	while (flow->first) {
		struct packet *packet = flow->first;

		flow->first = packet->next;
		packet_free(host->base.pool, packet);
	}
}

static void destroy(struct queue *queue)
{
	struct flow_queues *host = (struct flow_queues *)queue;

	for (uint32_t i = 0; host->table.places && i < host->table.count; i++)
		if (host->table.places[i])
			free_packets(host, host->table.places[i]);
	if (host->fresh_vars)
		queue->vars = host->fresh_vars;
	queue_host_close(&host->base);
	flow_table_free(&host->table);
	heap_free(&host->fat);
	heap_free(&host->parked);
	arrival_log_free(&host->log);
	free(host);
}

static const struct queue_ops flow_queue_ops = {
	.name = "flow queues",
	.enqueue = enqueue,
	.dequeue = dequeue,
	.next_ns = next_ns,
	.run = run,
	.head_sojourn_ns = head_sojourn_ns,
	.destroy = destroy,
};

struct queue *flow_queue_new(const struct queue_config *config, struct error *error)
{
	struct flow_queues *host = calloc(1, sizeof(*host));
	struct rng hash = rng_split(&config->random, STREAM_HASH);

	if (host == NULL) {
		error_set(error, ERR_NO_MEMORY, "out of memory for flow queues");
		return NULL;
	}
	heap_init(&host->fat);
	heap_init(&host->parked);
	host->marker.place = AQM_DRR_NOWHERE;
	aqm_drr_init(&host->drr);
	if (queue_host_open(&host->base, &flow_queue_ops, config, error)) {
		destroy(queue_of(host));
		return NULL;
	}
	host->fresh_vars = host->base.queue.vars;
	host->shape = config->law->flow_shape(host->base.queue.params);
	if (flow_table_init(&host->table, &host->shape, config->law->vars_size, rng_u64(&hash))) {
		error_set(error, ERR_NO_MEMORY, "out of memory for %u flow queues",
			  host->shape.flows);
		destroy(queue_of(host));
		return NULL;
	}
	return queue_of(host);
}
