/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RFC 8289 sections 5.5 (dequeue) and 5.6 (dodequeue, control_law).
 *
 * Marks are not in the pseudocode; they follow section 1's remark that a packet
 * may be marked where it would be dropped: the packet then goes on, as the last
 * one of this dequeue, and the next signal is scheduled as after a drop.
 */
#include "aqm/ref/codel.h"

#include <math.h>
#include <string.h>

#include "aqm/facts.h"

struct dodequeue_result {
	bool some; /* p is a packet */
	struct oracle_packet p;
	bool ok_to_drop;
};

void oracle_list_put(struct oracle_list *list, struct oracle_packet packet)
{
	if (list->end == list->capacity) {
		memmove(list->packets, list->packets + list->first,
			(list->end - list->first) * sizeof(*list->packets));
		list->end -= list->first;
		list->first = 0;
	}
	list->packets[list->end++] = packet;
	list->bytes += packet.len_bytes;
}

static double control_law(const struct oracle_codel *codel, double t, double count)
{
	return (double)floorl(t + codel->interval_ns / sqrtl((long double)count));
}

static struct dodequeue_result dodequeue(struct oracle_codel *codel, struct oracle_list *queue,
					 double now)
{
	struct dodequeue_result r = {0};
	double sojourn_time;

	if (queue->first == queue->end) {
		codel->first_above_time = 0;
		return r;
	}
	r.some = true;
	r.p = queue->packets[queue->first++];
	queue->bytes -= r.p.len_bytes;
	sojourn_time = now - r.p.arrived_ns;
	if (sojourn_time < codel->target_ns || queue->bytes <= codel->maxpacket_bytes)
		codel->first_above_time = 0;
	else if (codel->first_above_time == 0)
		codel->first_above_time = now + codel->interval_ns;
	else if (now >= codel->first_above_time)
		r.ok_to_drop = true;
	return r;
}

static size_t leaves(struct oracle_packet *out, size_t left, struct oracle_packet packet, int fate)
{
	out[left] = packet;
	out[left].fate = fate;
	return left + 1;
}

static void enter(struct oracle_codel *codel, double now)
{
	const double delta = codel->count - codel->lastcount;

	codel->dropping = true;
	codel->count = 1;
	if (delta > 1 && now - codel->drop_next < 16 * codel->interval_ns)
		codel->count = delta;
	codel->drop_next = control_law(codel, now, codel->count);
	codel->lastcount = codel->count;
}

size_t oracle_codel_dequeue(struct oracle_codel *codel, struct oracle_list *queue, double now_ns,
			    struct oracle_packet *out)
{
	struct dodequeue_result r = dodequeue(codel, queue, now_ns);
	size_t left = 0;
	int fate = AQM_PASS;

	if (codel->dropping) {
		if (!r.ok_to_drop)
			codel->dropping = false;
		while (fate == AQM_PASS && now_ns >= codel->drop_next && codel->dropping) {
			++codel->count;
			if (codel->ecn && r.p.can_mark) {
				fate = AQM_MARK;
				codel->drop_next =
					control_law(codel, codel->drop_next, codel->count);
				continue;
			}
			left = leaves(out, left, r.p, AQM_DROP);
			r = dodequeue(codel, queue, now_ns);
			if (!r.ok_to_drop)
				codel->dropping = false;
			else
				codel->drop_next =
					control_law(codel, codel->drop_next, codel->count);
		}
	} else if (r.ok_to_drop) {
		if (codel->ecn && r.p.can_mark) {
			fate = AQM_MARK;
		} else {
			left = leaves(out, left, r.p, AQM_DROP);
			r = dodequeue(codel, queue, now_ns);
		}
		enter(codel, now_ns);
	}
	return r.some ? leaves(out, left, r.p, fate) : left;
}
