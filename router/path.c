/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The link serves one packet at a time, as the simulator's does: when the wire gets free the next
 * packet is taken from the queue at that very moment, however late the caller is.
 */
#include "router/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* Carries a mark into the bytes, tells flow and statistics, and passes it on. */
static void leave(void *context, uint64_t now_ns, const struct packet *packet,
		  enum aqm_queue queue, enum aqm_verdict verdict, uint64_t sojourn_ns)
{
	struct path *path = context;
	const struct wire_header *wire = &packet->wire;
	struct flow_entry *flow = NULL;

	if (wire->is_ip)
		flow = flows_find(path->flows, wire->flow_hash);
	if (verdict == AQM_DROP) {
		path->stats[queue].ect_drops += packet->ecn != AQM_NOT_ECT;
		if (flow)
			flow->drops++;
	} else {
		if (packet->ecn == AQM_CE && wire->is_ip)
			ip_set_ce(wire->bytes + wire->ip);
		histogram_add(&path->stats[queue].sojourn_ns, sojourn_ns);
		if (flow) {
			flow_entry_left(flow, packet->len_bytes, wire->payload_bytes,
					wire->tcp_seq);
			flow->queue = (uint8_t)queue;
			flow->marks += packet->ecn == AQM_CE && wire->came_ecn != AQM_CE;
		}
	}
	if (path->sink.leave)
		path->sink.leave(path->sink.context, now_ns, packet, queue, verdict, sojourn_ns);
	if (verdict == AQM_DROP)
		frames_give(path->frames, wire->bytes);
}

static void record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	const struct path *path = context;

	path->sink.record(path->sink.context, now_ns, record);
}

/* The numbers of a path: random bits of packets, and which flows' hashes collide. */
static struct rng open_numbers(struct path *path, uint64_t seed)
{
	struct rng root;

	rng_seed(&root, seed);
	path->perturbation = rng_u64(&root);
	return rng_split(&root, 1);
}

int path_open(struct path *path, const struct path_config *config, struct error *error)
{
	struct error cause = {0};

	memset(path, 0, sizeof(*path));
	path->pool = config->pool;
	path->frames = config->frames;
	path->sink = config->sink;
	path->rate = config->rate;
	path->shaped = config->rate.rate_mbps > 0 || config->rate.trace_count > 0;
	path->delay_ns = config->delay_ns;
	path->begin_ns = TIME_NEVER_NS;
	if (path->shaped)
		capacity_init(&path->capacity, &path->rate);
	path->flows = calloc(1, sizeof(*path->flows));
	if (path->flows == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a path");
	path->queue = queue_new(&(struct queue_config){
					.law = config->law,
					.params = config->params,
					.pool = config->pool,
					.random = open_numbers(path, config->seed),
					.sink = {.context = path,
						 .leave = leave,
						 .record = config->sink.record ? record : NULL},
				},
				&cause);
	if (path->queue == NULL) {
		path_close(path);
		return error_at(error, cause.code, NULL, 0, cause.field, "%s", cause.text);
	}
	return 0;
}

void path_drop(struct path *path, struct packet *packet)
{
	frames_give(path->frames, packet->wire.bytes);
	packet_free(path->pool, packet);
}

/* Bytes of packets that are still in the queue go with the frames. */
void path_close(struct path *path)
{
	queue_destroy(path->queue);
	free(path->flows);
	path->queue = NULL;
	path->flows = NULL;
}

/* Behind the link: leaves the router when the delay is over. */
static void delay(struct path *path, struct packet *packet, uint64_t now_ns)
{
	path->sent_pkts++;
	path->sent_bytes += packet->len_bytes;
	path->delayed_pkts++;
	packet->enqueued_ns = now_ns + path->delay_ns;
	packet->next = NULL;
	if (path->first)
		path->last->next = packet;
	else
		path->first = packet;
	path->last = packet;
}

static bool holds_packets(const struct path *path)
{
	const uint32_t *backlog = path->queue->backlog_pkts;

	return backlog[AQM_QUEUE_L] + backlog[AQM_QUEUE_C] > 0;
}

/* The wire is free: the link takes the next packet, or waits until it may. */
static void start(struct path *path, uint64_t now_ns)
{
	uint64_t begin_ns;

	if (path->on_wire)
		return;
	begin_ns = capacity_begin_ns(&path->capacity, now_ns);
	if (begin_ns > now_ns && holds_packets(path)) {
		path->begin_ns = begin_ns;
		return;
	}
	path->begin_ns = TIME_NEVER_NS;
	path->on_wire = queue_dequeue(path->queue, now_ns);
	if (path->on_wire)
		path->wire_free_ns =
			capacity_finish_ns(&path->capacity, now_ns, path->on_wire->len_bytes);
}

/* What the path itself waits for, behind which packets may wait for their delay. */
static uint64_t link_next_ns(const struct path *path)
{
	uint64_t due_ns = queue_next_ns(path->queue);

	if (path->on_wire && path->wire_free_ns < due_ns)
		due_ns = path->wire_free_ns;
	return path->begin_ns < due_ns ? path->begin_ns : due_ns;
}

static void run_at(struct path *path, uint64_t now_ns)
{
	queue_run(path->queue, now_ns);
	if (path->begin_ns <= now_ns)
		start(path, now_ns);
	if (path->on_wire && path->wire_free_ns <= now_ns) {
		struct packet *packet = path->on_wire;

		path->on_wire = NULL;
		start(path, now_ns);
		delay(path, packet, now_ns);
	}
}

void path_run(struct path *path, uint64_t now_ns)
{
	uint64_t due_ns;

	while ((due_ns = link_next_ns(path)) <= now_ns)
		run_at(path, due_ns);
	path->now_ns = now_ns;
}

static void fill(struct path *path, struct packet *packet, const struct ip_summary *ip,
		 uint64_t now_ns)
{
	struct wire_header *wire = &packet->wire;
	const uint64_t hash = ip_flow_hash(path->perturbation, ip);

	wire->flow_hash = hash ? hash : 1; /* 0 is an empty place */
	wire->payload_bytes = ip->payload_bytes;
	wire->tcp_seq = ip->tcp_seq;
	wire->came_ecn = ip->ecn;
	wire->is_ip = true;
	packet->flow = (uint32_t)(wire->flow_hash >> 32);
	packet->protocol = ip->protocol;
	packet->ecn = ip->ecn;
	packet->len_bytes = ip->len_bytes;
	packet->source_host = ip_host(ip, &ip->source);
	packet->destination_host = ip_host(ip, &ip->destination);
	flows_arrived(path->flows, wire->flow_hash, ip, now_ns);
}

bool path_arrive(struct path *path, uint8_t *bytes, uint32_t size, uint32_t ip_offset,
		 const struct ip_summary *ip, uint64_t now_ns)
{
	struct packet *packet = packet_new(path->pool);

	if (packet == NULL) {
		frames_give(path->frames, bytes);
		return false;
	}
	packet->to_server = true;
	packet->len_bytes = size;
	packet->wire.bytes = bytes;
	packet->wire.size = size;
	packet->wire.ip = ip_offset;
	if (ip)
		fill(path, packet, ip, now_ns);
	path_run(path, now_ns);
	queue_enqueue(path->queue, packet, now_ns);
	if (path->shaped) {
		if (!path->on_wire && path->begin_ns == TIME_NEVER_NS)
			start(path, now_ns);
		return true;
	}
	while ((packet = queue_dequeue(path->queue, now_ns)))
		delay(path, packet, now_ns);
	return true;
}

uint64_t path_next_ns(const struct path *path)
{
	const uint64_t due_ns = link_next_ns(path);

	return path->first && path->first->enqueued_ns < due_ns ? path->first->enqueued_ns : due_ns;
}

uint64_t path_held(const struct path *path)
{
	return (uint64_t)path->queue->backlog_pkts[AQM_QUEUE_L] +
	       path->queue->backlog_pkts[AQM_QUEUE_C] + (path->on_wire != NULL) +
	       path->delayed_pkts;
}

struct packet *path_take(struct path *path, uint64_t now_ns)
{
	struct packet *packet = path->first;

	if (packet == NULL || packet->enqueued_ns > now_ns)
		return NULL;
	path->first = packet->next;
	packet->next = NULL;
	path->delayed_pkts--;
	return packet;
}
