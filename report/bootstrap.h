/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bootstrap intervals, two-sided 95 %, from a seed: the same numbers give the
 * same interval on every machine.
 *
 * Values are drawn with replacement as many as there are, 2000 times; the
 * interval is between percentiles of what the statistic is then.  Those of few
 * values are too narrow, so the percentiles are moved outwards as t is beside
 * the normal (Hesterberg 2015, "What Teachers Should Know About the Bootstrap",
 * section 5.3): a share of Phi(-t sqrt(n / (n - 1))) lies beyond either end, t
 * being Student's with n - 1 degrees.  It tends to 2.5 % for many values and
 * to the extremes of the values for two or three.
 */
#ifndef REPORT_BOOTSTRAP_H
#define REPORT_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

/* A statistic of `count` values; low and high are NaN for fewer than two, all NaN for none. */
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
