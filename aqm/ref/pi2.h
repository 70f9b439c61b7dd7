/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracles of the PI controller, of PI2 (De Schepper et al. 2016) and of DualPI2
 * (RFC 9332 appendix A), in seconds and real probabilities.
 */
#ifndef AQM_REF_PI2_H
#define AQM_REF_PI2_H

#include <stdbool.h>

/* p = p + alpha (cur_q - target) + beta (cur_q - prev_q), kept between 0 and `highest`. */
struct oracle_pi {
	double target, alpha, beta, highest;
	double p, prev_q;
};
void oracle_pi_update(struct oracle_pi *pi, double cur_q);

/* What a decision sees of a packet and its queue; u1 and u2 are uniform in [0, 1). */
struct oracle_arrival {
	int ecn;           /* enum aqm_ecn */
	int queue;         /* enum aqm_queue */
	double queued_bytes;
	double sojourn;    /* at dequeue */
	double found_pkts; /* packets in L when it arrived */
	double u1, u2;
};

struct oracle_pi2 {
	double p, k, ecn_max_p, mtu_bytes, burst_allowance;
};
/* Fate of an arriving packet, as enum aqm_verdict. */
int oracle_pi2_arrival(const struct oracle_pi2 *pi2, const struct oracle_arrival *packet);

struct oracle_dualpi2 {
	double p, k, mtu_bytes;
	bool drop_overload;
	double min_th, max_th; /* of the L ramp; equal: a step above them */
	double th_pkts;        /* its threshold in packets */
};
/* p_C and p_CL of appendix A.1, by p' alone. */
int oracle_dualpi2_coupled(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet);
/* The whole dequeue of appendix A.2 for the packet that the scheduler chose. */
int oracle_dualpi2_dequeue(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet);
/* Only the native L4S AQM: for packets that p' judged at enqueue. */
int oracle_dualpi2_native(const struct oracle_dualpi2 *law, const struct oracle_arrival *packet);

#endif
