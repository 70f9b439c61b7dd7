/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracles: the laws' texts, transcribed into doubles, as plainly as they read.
 *
 * Used by tests only.  They share no code with the integer cores: where a core
 * shifts and clamps, an oracle divides.
 */
#ifndef AQM_REF_ORACLE_H
#define AQM_REF_ORACLE_H

#include <stdbool.h>

/* RFC 8033 section 4.2: seconds and probabilities. */
struct oracle_pie {
	double target_s, alpha, beta;
	double p, previous_qdelay_s;
};
void oracle_pie_update(struct oracle_pie *pie, double qdelay_s);

/* RFC 9332 appendix A.1: the PI controller's base probability, and what follows from it. */
struct oracle_dualpi2 {
	double target_s, alpha, beta, k;
	double p, previous_qdelay_s;
	double highest; /* 1, or 1 / k without drops on overload */
};
void oracle_dualpi2_update(struct oracle_dualpi2 *law, double qdelay_s);
double oracle_dualpi2_classic(const struct oracle_dualpi2 *law);
double oracle_dualpi2_coupled(const struct oracle_dualpi2 *law);

/* The native ramp of appendix A.1 (laqm) between low and high. */
double oracle_ramp(double low_s, double high_s, double sojourn_s);

/* FreeBSD's PIE as the released router runs it: microseconds, probability of 2^31 - 1. */
struct oracle_freebsd {
	double target_us, alpha, beta;
	double p, qdelay_us, previous_qdelay_us;
	bool capped; /* steps of at most 2 % once p >= 10 % */
};
void oracle_freebsd_update(struct oracle_freebsd *pie);

#endif
