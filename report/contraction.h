/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast a sequence closes in on its limit: J_k = J* + A rho^k fitted by
 * least squares, and what the inequality
 *
 *     |J_k - J*| <= (1 - gamma lambda)^k |J_0 - J*|    (eq. 9 of the paper)
 *
 * would take.
 */
#ifndef REPORT_CONTRACTION_H
#define REPORT_CONTRACTION_H

#include <stddef.h>

#include "report/statistics.h"

struct contraction {
	double limit;          /* J* */
	double amplitude;      /* A */
	double rate;           /* rho, in (0, 1) */
	struct bounds rate_bounds; /* 95 %, bootstrap of the fit's residuals */
	double explained;      /* R squared; a straight noise has about 0 */
	/*
	 * The smallest factor c for which |J_k - J*| <= c^k |J_0 - J*| holds at every k >= 1 with
	 * the fitted J*.  1 or more: no lambda > 0 makes the inequality true of this sequence.
	 */
	double needed;
	size_t worst;          /* the k that needs it */
};

#define CONTRACTION_LEAST 6 /* values: three parameters, and something left to judge them by */

/* Of J_0 .. J_(count - 1); all NaN for fewer than CONTRACTION_LEAST. */
struct contraction contraction_of(const double *values, size_t count);

#endif
