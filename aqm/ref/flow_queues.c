/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#include "aqm/ref/flow_queues.h"

#include <math.h>
#include <string.h>

#include "aqm/facts.h"

enum oracle_flow_list oracle_flows_list_of(const struct oracle_flows *flows, size_t queue)
{
	int list = 0;

	for (; list < ORACLE_FLOW_LISTS; list++)
		for (size_t i = 0; i < flows->length[list]; i++)
			if (flows->lists[list][i] == queue)
				return (enum oracle_flow_list)list;
	return ORACLE_FLOW_LISTS;
}

static void take_off(struct oracle_flows *flows, size_t queue)
{
	const enum oracle_flow_list list = oracle_flows_list_of(flows, queue);
	size_t left = 0;

	if (list == ORACLE_FLOW_LISTS)
		return;
	for (size_t i = 0; i < flows->length[list]; i++)
		if (flows->lists[list][i] != queue)
			flows->lists[list][left++] = flows->lists[list][i];
	flows->length[list] = left;
}

static void put_at_end(struct oracle_flows *flows, size_t queue, enum oracle_flow_list list)
{
	take_off(flows, queue);
	flows->lists[list][flows->length[list]++] = queue;
}

static double waiting(const struct oracle_list *packets)
{
	return (double)(packets->end - packets->first);
}

/* Bulk flows at one end of a queue's. */
static double load_at(const struct oracle_flows *flows, size_t queue, int end)
{
	double load = 0;

	if (!flows->alike[end])
		return 0;
	for (size_t i = 0; i < flows->count; i++)
		load += flows->queues[i].bulk &&
			flows->queues[i].hosts[end] == flows->queues[queue].hosts[end];
	return load;
}

/* "Divided by the larger number of bulk flows at the flow's two hosts." */
static double load_of(const struct oracle_flows *flows, size_t queue)
{
	return fmax(1, fmax(load_at(flows, queue, 0), load_at(flows, queue, 1)));
}

/* The least that any bulk flow can have: at either end the least loaded host's. */
static double least_load(const struct oracle_flows *flows)
{
	double least = 1;

	for (int end = 0; end < 2; end++) {
		double of_end = INFINITY;

		for (size_t i = 0; i < flows->count; i++)
			if (flows->queues[i].bulk)
				of_end = fmin(of_end, load_at(flows, i, end));
		if (of_end < INFINITY)
			least = fmax(least, of_end);
	}
	return least;
}

static void grant(struct oracle_flows *flows, size_t queue)
{
	struct oracle_flow_queue *q = &flows->queues[queue];
	const double load = load_of(flows, queue);
	const double share = flows->quantum * least_load(flows) + q->remainder;

	q->credits += floor(share / load);
	q->remainder = share - load * floor(share / load);
}

/* Section 4.1: the queue with the most bytes; from its head, half of them or a batch. */
static size_t drop_from_fattest(struct oracle_flows *flows, double now_ns, const size_t *ties,
				struct oracle_packet *out, size_t left)
{
	struct oracle_flow_queue *q = &flows->queues[ties[left]];
	double half, dropped = 0;

	for (size_t i = 0; i < flows->count; i++)
		if (flows->queues[i].packets.bytes > q->packets.bytes)
			q = &flows->queues[i];
	half = q->packets.bytes / 2;
	do {
		out[left] = q->packets.packets[q->packets.first++];
		q->packets.bytes -= out[left].len_bytes;
		out[left++].fate = AQM_DROP;
		dropped++;
		if (flows->law == ORACLE_FLOW_CODEL)
			q->law.codel.count++;
		else if (flows->law == ORACLE_FLOW_PIE)
			q->law.pie.accu_prob = 0;
		else
			oracle_cobalt_full(&q->law.cobalt, now_ns);
	} while (dropped < flows->drop_batch && q->packets.bytes > half);
	return left;
}

static bool has_no_room(const struct oracle_flows *flows)
{
	double packets = 0, bytes = 0;

	for (size_t i = 0; i < flows->count; i++) {
		packets += waiting(&flows->queues[i].packets);
		bytes += flows->queues[i].packets.bytes;
	}
	return packets > flows->limit_packets || bytes > flows->limit_bytes;
}

size_t oracle_flows_arrive(struct oracle_flows *flows, size_t queue, struct oracle_packet *packet,
			   double now_ns, const size_t *ties, struct oracle_packet *out)
{
	struct oracle_flow_queue *q = &flows->queues[queue];
	const enum oracle_flow_list list = oracle_flows_list_of(flows, queue);
	size_t left = 0;

	packet->fate = AQM_PASS;
	if (flows->law == ORACLE_FLOW_PIE)
		packet->fate = oracle_pie_arrival(&q->law.pie, q->packets.bytes, packet->can_mark,
						  packet->draw);
	if (packet->fate == AQM_DROP) {
		out[left++] = *packet;
		return left;
	}
	if (list == ORACLE_OLD) {
		q->bulk = true;
	} else if (list != ORACLE_NEW) {
		put_at_end(flows, queue, ORACLE_NEW);
		q->credits = floor(flows->quantum / load_of(flows, queue));
		q->remainder = 0;
	}
	oracle_list_put(&q->packets, *packet);
	while (has_no_room(flows))
		left = drop_from_fattest(flows, now_ns, ties, out, left);
	return left;
}

/* What the queue's law lets out. */
static size_t ask_law(const struct oracle_flows *flows, struct oracle_flow_queue *q, double now_ns,
		      struct oracle_packet *out)
{
	if (flows->law == ORACLE_FLOW_CODEL)
		return oracle_codel_dequeue(&q->law.codel, &q->packets, now_ns, out);
	if (flows->law == ORACLE_FLOW_COBALT)
		return oracle_cobalt_dequeue(&q->law.cobalt, &q->packets, now_ns, out);
	if (waiting(&q->packets) == 0)
		return 0;
	*out = q->packets.packets[q->packets.first++];
	q->packets.bytes -= out->len_bytes;
	out->fate = AQM_PASS;
	return 1;
}

/* One queue that holds nothing: COBALT forgets a little, or has forgotten all that it knew. */
static void visit_decaying(struct oracle_flows *flows, double now_ns)
{
	const size_t queue = flows->lists[ORACLE_DECAYING][0];
	struct oracle_cobalt *cobalt = &flows->queues[queue].law.cobalt;
	struct oracle_packet none;

	if (flows->length[ORACLE_DECAYING] == 0)
		return;
	oracle_cobalt_dequeue(cobalt, &flows->queues[queue].packets, now_ns, &none);
	if (cobalt->p_drop == 0 && cobalt->count == 0 && now_ns > cobalt->drop_next &&
	    now_ns - cobalt->blue_timer > cobalt->target_ns)
		take_off(flows, queue);
	else
		put_at_end(flows, queue, ORACLE_DECAYING);
}

/* Section 4.2, its last part: no packet, so the queue is empty. */
static void leave_turn(struct oracle_flows *flows, size_t queue, enum oracle_flow_list list)
{
	if (list == ORACLE_NEW && !flows->cake) {
		put_at_end(flows, queue, ORACLE_OLD);
		return;
	}
	flows->queues[queue].bulk = false;
	take_off(flows, queue);
	if (flows->cake)
		put_at_end(flows, queue, ORACLE_DECAYING);
}

size_t oracle_flows_dequeue(struct oracle_flows *flows, double now_ns, struct oracle_packet *out,
			    size_t *from)
{
	size_t left = 0;

	if (flows->cake)
		visit_decaying(flows, now_ns);
	while (flows->length[ORACLE_NEW] + flows->length[ORACLE_OLD] > 0) {
		const enum oracle_flow_list list =
			flows->length[ORACLE_NEW] ? ORACLE_NEW : ORACLE_OLD;
		const size_t queue = flows->lists[list][0];
		struct oracle_flow_queue *q = &flows->queues[queue];
		size_t more;

		/* "It has already dequeued at least a quantum of bytes." */
		if (q->credits <= 0) {
			q->bulk |= waiting(&q->packets) > 0;
			grant(flows, queue);
			put_at_end(flows, queue, ORACLE_OLD);
			continue;
		}
		more = ask_law(flows, q, now_ns, out + left);
		left += more;
		if (more > 0 && out[left - 1].fate != AQM_DROP) {
			q->credits -= out[left - 1].len_bytes;
			*from = queue;
			return left;
		}
		leave_turn(flows, queue, list);
	}
	return left;
}
