/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Oracle of the student: its layers, settings, regular and steep signals in real numbers.
 */
#ifndef AQM_REF_STUDENT_H
#define AQM_REF_STUDENT_H

#include <stdbool.h>

/* Curves: 0 none, 1 max(z, 0), 2 z (1 - |z| / 4) up to 2, then the sign, 3 half of 1 + curve 2 of
 * z / 2. */
double oracle_student_curve(int curve, double z);

/*
 * y = curve(W x + b), W (outputs, inputs) row after row; sums are held within +-8 before the
 * curve, as numbers of 16 bits with 12 fraction bits are.
 */
void oracle_student_dense(int outputs, int inputs, const double *w, const double *b, int curve,
			  const double *x, double *y);

/*
 * A gated cell (Cho et al. 2014): r, z = curve 3 (G [x, h]), n = curve 2 (N [x, r h]),
 * h = h + z (n - h).  `size` outputs from `inputs` inputs; weights as above over inputs + size.
 */
void oracle_student_cell(int size, int inputs, const double *g, const double *g_b, const double *n,
			 const double *n_b, const double *x, double *h);

/*
 * What a token takes from others (Vaswani et al. 2017): the sum of `window` values by their shares,
 * which are as 2^score, score i = query . key i + lag i, and no score counts as more than 8 below
 * the largest.  Key and value i are the `width` numbers from i x width on; `heeded` has as many.
 */
void oracle_student_heed(int width, int window, const double *query, const double *key,
			 const double *value, const double *lag, double *heeded);

/* value x 2^output, held within [low, high]. */
double oracle_student_setting(double value, double output, double low, double high);

/*
 * Regular signals: `added` has p_C added, `e` is of an exponential distribution with mean 1; the
 * distance to the threshold, at or above 0: the packet is signalled.
 */
double oracle_student_distance(double added, double p_c, double regularity, double e);

/*
 * p' of a Classic packet that waited `sojourn`, in the unit of `target`, with these steepnesses
 * below and above it.
 */
double oracle_student_steep(double p, double below, double above, double sojourn, double target);

#endif
