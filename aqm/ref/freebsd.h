/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of l4s-freebsd: dummynet's PIE as the released router runs it.  Its text
 * is integer code, so every place where that cuts is a floor() here, and nothing
 * is left to tolerance.
 */
#ifndef AQM_REF_FREEBSD_H
#define AQM_REF_FREEBSD_H

#include <stdbool.h>

/* Microseconds; gains of 2^-13; probability as a share of 2^31 - 1. */
struct oracle_freebsd {
	long double target, tupdate, max_burst, alpha, beta, max_ecnth;
	bool ecn, cap_drop, derandomise, classic;
	long double drop_prob, accu_prob, burst_allowance, current_qdelay, qdelay_old;
};

/* calculate_drop_prob(); an empty queue has no delay. */
void oracle_freebsd_update(struct oracle_freebsd *pie, bool empty);

/*
 * A packet arrives while `queue_bytes` wait; draw1 and draw2 are below 2^31.  Returns what the log
 * says, as enum aqm_verdict; *done is what happens to the packet.
 */
int oracle_freebsd_arrival(struct oracle_freebsd *pie, double queue_bytes, bool ecn_capable,
			   double draw1, double draw2, int *done);

#endif
