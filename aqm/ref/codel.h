/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of CoDel: the routines of RFC 8289 sections 5.5 and 5.6 over a real
 * list of packets, with their loop, a real square root, and doubles for time.
 *
 * Times are whole nanoseconds: the text's time_t is an integer, so what its
 * control law returns is rounded down, and nothing else rounds.
 */
#ifndef AQM_REF_CODEL_H
#define AQM_REF_CODEL_H

#include <stdbool.h>
#include <stddef.h>

/* A packet in or out of an oracle's queue; `fate` as enum aqm_verdict. */
struct oracle_packet {
	unsigned number;
	double arrived_ns, len_bytes;
	bool can_mark;
	double draw; /* uniform in [0, 1) */
	int fate;
};

/* Packets in order of arrival; the room is the test's. */
struct oracle_list {
	struct oracle_packet *packets; /* (capacity) */
	size_t capacity;               /* twice what ever waits is enough */
	size_t first, end;             /* waiting: [first, end) */
	double bytes;
};

void oracle_list_put(struct oracle_list *list, struct oracle_packet packet);

struct oracle_codel {
	double target_ns, interval_ns, maxpacket_bytes;
	bool ecn;
	double first_above_time, drop_next, count, lastcount;
	bool dropping;
};

/*
 * The text's dequeue() at `now_ns`: packets that leave are written to `out` in order, those
 * dropped first, then the one that is sent, if any.  Returns how many.
 */
size_t oracle_codel_dequeue(struct oracle_codel *codel, struct oracle_list *queue, double now_ns,
			    struct oracle_packet *out);

#endif
