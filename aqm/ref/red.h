/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of RED: figure 2 of Floyd and Jacobson 1993, the gentle variant of
 * Floyd 2000, and figure 2 of Floyd, Gummadi and Shenker 2001, in doubles.
 */
#ifndef AQM_REF_RED_H
#define AQM_REF_RED_H

#include <stdbool.h>

struct oracle_red {
	double min_bytes, max_bytes, w_q, packet_time_s;
	bool gentle, ecn;
	double avg, max_p;
	double count; /* -1: the last arrival found avg below min */
	double p_b;
};

/* A packet arrives while `q_bytes` wait, after `idle_s` seconds of nothing. */
void oracle_red_average(struct oracle_red *red, double q_bytes, double idle_s);

/* What becomes of it, as enum aqm_verdict; `draw` is uniform in [0, 1). */
int oracle_red_decide(struct oracle_red *red, bool can_mark, double draw);

/* Every half second, adaptive RED. */
void oracle_red_adapt(struct oracle_red *red);

#endif
