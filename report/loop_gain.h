/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loop gains out of disturbed runs, and the margins that they leave.
 *
 * L = -(sum over runs of U) / (sum over runs of E), U what the controller gave
 * and E what the plant met at the frequency of a disturbance that came between
 * the two.
 */
#ifndef REPORT_LOOP_GAIN_H
#define REPORT_LOOP_GAIN_H

#include <complex.h>
#include <stddef.h>

#include "report/statistics.h"

/* Disturbed runs: (runs, tones), row by row, turned to the phase of the disturbance. */
struct loop_runs {
	const double complex *given, *met;
	size_t runs, tones;
};

/* Of the runs `chosen` (units). */
double complex loop_gain(const struct loop_runs *runs, size_t tone, const size_t *chosen,
			 size_t units);

/* Standard error of |L| of all runs, from how far single ones are from U = -L E. */
double loop_gain_error(const struct loop_runs *runs, size_t tone);

/*
 * NaN where the frequencies looked at do not show it.  Phases are unwrapped from the lowest
 * frequency on, and between frequencies logarithms of gains and phases are straight over log
 * frequency.
 */
struct loop_margins {
	double crossover_hz; /* the highest at which |L| falls through 1 */
	double phase_deg;    /* phase margin there: 180 and the phase */
	double turn_hz;	     /* where the phase falls through -180 with the largest |L| */
	double gain;	     /* gain margin there: 1 / |L|; below 1: unstable, or near it */
	double modulus;	     /* the smallest |1 + L|: 1 over what any disturbance is amplified by */
};

/* Of gains at rising frequencies. */
struct loop_margins loop_margins_of(const double *hz, const double complex *gains, size_t count);

/* Unwrapped phases in degrees. */
void loop_phases(const double complex *gains, size_t count, double *degrees);

#endif
