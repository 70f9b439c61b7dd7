/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Statistics of runs: means with confidence intervals, paired differences,
 * quantiles, boxes.
 *
 * Intervals are two-sided 95 % by Student's t over independent runs (seeds).
 * With fewer than two values there is none: half_width is NaN.  A share of
 * successes has the exact interval of its binomial distribution.
 */
#ifndef REPORT_STATISTICS_H
#define REPORT_STATISTICS_H

#include <stddef.h>

struct interval {
	double mean, half_width;
	size_t count;
};

/* Ends of a two-sided 95 % confidence interval. */
struct bounds {
	double low, high;
};

/* What a box plot shows of a distribution. */
struct box {
	double p5, q1, median, q3, p95, mean;
};

double statistics_mean(const double *values, size_t count);

/* Sample standard deviation (n - 1); 0 for fewer than two values. */
double statistics_deviation(const double *values, size_t count);

/* The t below which a share `p` in (0, 1) of Student's distribution lies; freedom >= 1. */
double statistics_student(double p, double freedom);

struct interval statistics_interval(const double *values, size_t count);

/* Of the values that are finite, which come to stand first; without any it has no mean either. */
struct interval statistics_finite_interval(double *values, size_t count);

/* Of a[i] - b[i]: the same seeds in the same order. */
struct interval statistics_paired(const double *a, const double *b, size_t count);

/*
 * Of the probability behind `successes` in `trials` independent trials: exact (Clopper and Pearson
 * 1934), so at least 95 % whatever the probability is.  Without trials 0 and 1.
 */
struct bounds statistics_proportion(size_t successes, size_t trials);

/* Quantile q in [0, 1] of ascending values, linear between ranks; NaN when empty. */
double statistics_quantile(const double *sorted, size_t count, double q);

/* Sorts `values` in place; all NaN when empty. */
struct box statistics_box(double *values, size_t count);

#endif
