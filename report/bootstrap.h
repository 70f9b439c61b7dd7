/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bootstrap (Efron 1979): two-sided 95 % intervals of a statistic of
 * independent units (networks, runs, or blocks of runs that are longer than
 * their memory), from what it says of units drawn again with replacement, as
 * many as there are, BOOTSTRAP_DRAWS times.  The same numbers and seed give the
 * same interval on every machine.
 *
 * bootstrap_bounds() is between plain percentiles.  Those of few values are too
 * narrow, so for mean, median and ratio they are moved outwards as t is beside
 * the normal (Hesterberg 2015, "What Teachers Should Know About the Bootstrap",
 * section 5.3): a share of Phi(-t sqrt(n / (n - 1))) lies beyond either end, t
 * being Student's with n - 1 degrees.  It tends to 2.5 % for many values and
 * to the extremes of the values for two or three.
 */
#ifndef REPORT_BOOTSTRAP_H
#define REPORT_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

#include "report/statistics.h"

#define BOOTSTRAP_DRAWS 2000

/* Of `chosen` (units), indices repeated or missing as drawn; NaN: they do not define it. */
typedef double bootstrap_statistic(const void *context, const size_t *chosen, size_t units);

/*
 * NaN bounds where more than one draw in twenty defines nothing, with fewer than two units, or
 * without memory.  Infinities are values.
 */
struct bounds bootstrap_bounds(size_t units, uint64_t seed, bootstrap_statistic *statistic,
			       const void *context);

/* A statistic of `count` values; low and high are NaN as above, all NaN for none. */
struct estimate {
	double value, low, high;
	size_t count;
};

/* Of finite values.  A statistic whose memory is not there is NaN throughout with its count. */
struct estimate bootstrap_mean(const double *values, size_t count, uint64_t seed);
struct estimate bootstrap_median(const double *values, size_t count, uint64_t seed);

/* Sum of a over sum of b, a[i] and b[i] being drawn together; NaN where b sums up to 0. */
struct estimate bootstrap_ratio(const double *a, const double *b, size_t count, uint64_t seed);

#endif
