/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lyapunov drift, measured: E[V(x') | x] - V(x) with V = (x - target)^2, by
 * bins of x, from sampled courses of runs.
 *
 * V is 0 at the target and never below, so there the drift cannot be negative
 * for any law: what Foster's criterion asks is that it is negative outside a
 * bounded set.  x' is the sample `horizon` samples later.  Neighbouring samples
 * depend on each other, so intervals come from a bootstrap over blocks that
 * are longer than the process's memory.
 */
#ifndef REPORT_DRIFT_H
#define REPORT_DRIFT_H

#include <stddef.h>

#include "report/statistics.h"

#define DRIFT_BINS 10

/* Lower ends of the bins in units of the target; the last one has no upper end. */
extern const double drift_edges[DRIFT_BINS];

struct drift_bin {
	double low, high;     /* of x */
	size_t count;         /* samples in it that have a later one */
	double share;         /* of all those */
	double drift;         /* mean of V(x') - V(x); NaN: no sample */
	struct bounds bounds; /* 95 %; NaN where too few blocks reach the bin */
	int sign;             /* -1, +1: so the bounds say; 0: they do not */
};

struct drift {
	double mean_v;        /* of all samples: the mean square deviation from the target */
	struct drift_bin bins[DRIFT_BINS];
};

struct drift_options {
	double target;        /* > 0 */
	size_t horizon;       /* samples, >= 1 */
	size_t block;         /* samples of a bootstrap block, >= 1 */
};

/* Of `runs` courses of `count` samples.  ERR_NO_MEMORY. */
int drift_measure(struct drift *drift, const struct drift_options *options,
		  const double *const *series, size_t runs, size_t count);

#endif
