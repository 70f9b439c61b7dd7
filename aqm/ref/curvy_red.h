/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of Curvy RED: the dequeue of RFC 9332 appendix B, with U = 1.
 */
#ifndef AQM_REF_CURVY_RED_H
#define AQM_REF_CURVY_RED_H

#include "aqm/ref/pi2.h"

struct oracle_curvy {
	double gamma, min_th, range_c, k;
	double threshold, th_pkts; /* of the L step */
	double q_c;
};

/* A Classic packet leaves after `cq_time`, or an L packet leaves C empty: 0. */
void oracle_curvy_average(struct oracle_curvy *curvy, double cq_time);

/* sqrt(p_C) by the average. */
double oracle_curvy_root(const struct oracle_curvy *curvy);

/* Fate of the packet that leaves, as enum aqm_verdict. */
int oracle_curvy_dequeue(const struct oracle_curvy *curvy, const struct oracle_arrival *packet);

#endif
