/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a process remembers: its integrated autocorrelation time.
 *
 * tau = 1 + 2 sum of rho(k), in samples: n samples of the process tell as much
 * about its mean as n / tau independent ones.  The sum ends at the smallest lag
 * W with 2 W >= 5 tau(W) (Sokal 1996), where the noise of further terms would
 * outweigh what they hold.  For x' = a x + noise, tau = (1 + a) / (1 - a).
 */
#ifndef REPORT_AUTOCORRELATION_H
#define REPORT_AUTOCORRELATION_H

#include <stddef.h>

#include "report/statistics.h"

/* Autocovariances of a series about `mean` at lags 0 .. lags - 1; 0 where lags reach its end. */
void autocovariance(const double *series, size_t count, double mean, double *covariance,
		    size_t lags);

struct autocorrelation_time {
	double samples;        /* tau, with 95 % bounds by bootstrap over the runs */
	struct bounds bounds;
	size_t window;         /* W; 0: beyond the series, so tau is only a lower bound */
};

/*
 * Of `runs` series of one process, `count` samples each, about their common mean.  NaN where
 * nothing moves or without memory.
 */
struct autocorrelation_time autocorrelation_time_of(const double *const *series, size_t runs,
						    size_t count);

#endif
