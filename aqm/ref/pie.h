/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of PIE: RFC 8033 sections 4 and 5, in seconds and real probabilities.
 */
#ifndef AQM_REF_PIE_H
#define AQM_REF_PIE_H

#include <stdbool.h>

struct oracle_pie {
	double qdelay_ref, t_update, max_burst, alpha, beta, mark_ecnth;
	double drop_prob, accu_prob, burst_allowance, qdelay_old;
};

/* Section 4.2, with the tables of 5.5's auto-tuning, its cap, and the decay; section 4.4. */
void oracle_pie_update(struct oracle_pie *pie, double current_qdelay);

/*
 * A packet arrives while `queue_bytes` wait (sections 4.1 and 5.4; 5.1 for ECN); `u` is uniform in
 * [0, 1).  Returns its fate as enum aqm_verdict.
 */
int oracle_pie_arrival(struct oracle_pie *pie, double queue_bytes, bool ecn_capable, double u);

#endif
