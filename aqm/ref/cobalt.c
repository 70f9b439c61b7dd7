/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * COBALT's three events (overflow, empty, packet) as the CAKE paper's section III.C
 * and sch_cake describe them.
 */
#include "aqm/ref/cobalt.h"

#include <math.h>

#include "aqm/facts.h"

/* t + interval / sqrt(count), count 0 as 1; times are whole ns, rounded down. */
static double later(const struct oracle_cobalt *cobalt, double t)
{
	const long double root = sqrtl(fmaxl(1, (long double)cobalt->count));

	return (double)floorl((long double)t + (long double)cobalt->interval_ns / root);
}

void oracle_cobalt_full(struct oracle_cobalt *cobalt, double now_ns)
{
	if (now_ns - cobalt->blue_timer > cobalt->target_ns) {
		cobalt->p_drop = fmin(1, cobalt->p_drop + 1.0 / 256);
		cobalt->blue_timer = now_ns;
	}
	cobalt->dropping = true;
	cobalt->drop_next = now_ns;
	cobalt->count = fmax(1, cobalt->count);
}

static void empty(struct oracle_cobalt *cobalt, double now_ns)
{
	if (cobalt->p_drop > 0 && now_ns - cobalt->blue_timer > cobalt->target_ns) {
		cobalt->p_drop = fmax(0, cobalt->p_drop - 1.0 / 4096);
		cobalt->blue_timer = now_ns;
	}
	cobalt->dropping = false;
	if (cobalt->count > 0 && now_ns >= cobalt->drop_next) {
		cobalt->count--;
		cobalt->drop_next = later(cobalt, cobalt->drop_next);
	}
}

/* Whether to drop; `*mark` whether to mark. */
static bool judge(struct oracle_cobalt *cobalt, const struct oracle_packet *packet, double now_ns,
		  bool *mark)
{
	const bool over_target = now_ns - packet->arrived_ns > cobalt->target_ns;
	bool next_due = cobalt->count > 0 && now_ns >= cobalt->drop_next;
	double schedule = now_ns - cobalt->drop_next;
	bool drop = false;

	*mark = false;
	if (over_target) {
		if (!cobalt->dropping)
			cobalt->drop_next = later(cobalt, now_ns);
		cobalt->dropping = true;
		cobalt->count = fmax(1, cobalt->count);
	} else {
		cobalt->dropping = false;
	}
	if (next_due && cobalt->dropping) {
		*mark = packet->can_mark;
		drop = !packet->can_mark;
		cobalt->count++;
		cobalt->drop_next = later(cobalt, cobalt->drop_next);
		schedule = now_ns - cobalt->drop_next;
		next_due = false;
	}
	while (next_due) {
		cobalt->count--;
		cobalt->drop_next = later(cobalt, cobalt->drop_next);
		schedule = now_ns - cobalt->drop_next;
		next_due = cobalt->count > 0 && schedule >= 0;
	}
	if (packet->draw < cobalt->p_drop)
		drop = true;
	if (cobalt->count == 0)
		cobalt->drop_next = now_ns + cobalt->interval_ns;
	else if (schedule > 0 && !drop)
		cobalt->drop_next = now_ns;
	return drop;
}

size_t oracle_cobalt_dequeue(struct oracle_cobalt *cobalt, struct oracle_list *queue,
			     double now_ns, struct oracle_packet *out)
{
	size_t left = 0;

	while (queue->first != queue->end) {
		struct oracle_packet *packet = &out[left++];
		bool mark, drop;

		*packet = queue->packets[queue->first++];
		queue->bytes -= packet->len_bytes;
		drop = judge(cobalt, packet, now_ns, &mark);
		packet->fate = mark ? AQM_MARK : AQM_PASS;
		if (!drop || queue->first == queue->end)
			return left;
		packet->fate = AQM_DROP;
	}
	empty(cobalt, now_ns);
	return left;
}
