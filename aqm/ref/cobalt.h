/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of COBALT: its events over a real list of packets, with real square
 * roots and doubles for times (whole nanoseconds) and probability.
 */
#ifndef AQM_REF_COBALT_H
#define AQM_REF_COBALT_H

#include "aqm/ref/codel.h"

struct oracle_cobalt {
	double target_ns, interval_ns;
	double drop_next, blue_timer, p_drop, count;
	bool dropping;
};

/* A packet found no room. */
void oracle_cobalt_full(struct oracle_cobalt *cobalt, double now_ns);

/*
 * A dequeue at `now_ns`: packets that leave are written to `out` in order, those dropped first,
 * then the one that is sent, if any.  Returns how many.
 */
size_t oracle_cobalt_dequeue(struct oracle_cobalt *cobalt, struct oracle_list *queue,
			     double now_ns, struct oracle_packet *out);

#endif
