/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Student's t is found by bisection on its distribution function, which is a
 * regularised incomplete beta function: I_x(a, b) by its continued fraction
 * (Abramowitz and Stegun 26.5.8, evaluated from the front by Lentz's method).
 */
#include "report/statistics.h"

#include <math.h>
#include <stdlib.h>

#define CONFIDENCE 0.975 /* one side of 95 % */

double statistics_mean(const double *values, size_t count)
{
	double sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += values[i];
	return count ? sum / (double)count : NAN;
}

double statistics_deviation(const double *values, size_t count)
{
	const double mean = statistics_mean(values, count);
	double squares = 0;

	if (count < 2)
		return 0;
	for (size_t i = 0; i < count; i++)
		squares += (values[i] - mean) * (values[i] - mean);
	return sqrt(squares / (double)(count - 1));
}

/* Even and odd terms of the continued fraction alternate. */
static double beta_term(int n, double a, double b, double x)
{
	const double m = n / 2;

	if (n % 2 == 0)
		return m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
	return -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
}

static double beta_fraction(double a, double b, double x)
{
	const double tiny = 1e-300;
	double value = 1, c = 1, d = 0;

	for (int n = 1; n < 2000; n++) {
		const double term = beta_term(n, a, b, x);
		double step;

		d = 1 + term * d;
		d = 1 / (fabs(d) < tiny ? tiny : d);
		c = 1 + term / c;
		c = fabs(c) < tiny ? tiny : c;
		step = c * d;
		value *= step;
		if (fabs(step - 1) < 1e-15)
			break;
	}
	return 1 / value;
}

/* I_x(a, b); the fraction converges fast on one side of the mean, so the other is mirrored. */
static double beta_share(double a, double b, double x)
{
	double front;

	if (x <= 0 || x >= 1)
		return x <= 0 ? 0 : 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

static double student_share(double t, double freedom)
{
	const double tail = beta_share(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2;

	return t > 0 ? 1 - tail : tail;
}

double statistics_student(double p, double freedom)
{
	double low = -1, high = 1;

	while (student_share(low, freedom) > p)
		low *= 2;
	while (student_share(high, freedom) < p)
		high *= 2;
	for (int i = 0; i < 200 && low < high; i++) {
		const double middle = (low + high) / 2;

		if (student_share(middle, freedom) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

struct interval statistics_interval(const double *values, size_t count)
{
	struct interval interval = {statistics_mean(values, count), NAN, count};

	if (count >= 2)
		interval.half_width = statistics_student(CONFIDENCE, (double)(count - 1)) *
				      statistics_deviation(values, count) / sqrt((double)count);
	return interval;
}

struct interval statistics_finite_interval(double *values, size_t count)
{
	size_t finite = 0;

	for (size_t i = 0; i < count; i++)
		if (isfinite(values[i]))
			values[finite++] = values[i];
	return statistics_interval(values, finite);
}

/* The x at which I_x(a, b) is p; rises with x. */
static double beta_quantile(double p, double a, double b)
{
	double low = 0, high = 1;

	for (int i = 0; i < 200 && low < high; i++) {
		const double middle = (low + high) / 2;

		if (beta_share(a, b, middle) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

struct bounds statistics_proportion(size_t successes, size_t trials)
{
	const double k = (double)successes, n = (double)trials;
	struct bounds bounds = {0, 1};

	if (successes > 0)
		bounds.low = beta_quantile(1 - CONFIDENCE, k, n - k + 1);
	if (successes < trials)
		bounds.high = beta_quantile(CONFIDENCE, k + 1, n - k);
	return bounds;
}

struct interval statistics_paired(const double *a, const double *b, size_t count)
{
	struct interval interval = {NAN, NAN, count};
	double *difference = malloc((count + 1) * sizeof(*difference));

	if (difference == NULL)
		return interval;
	for (size_t i = 0; i < count; i++)
		difference[i] = a[i] - b[i];
	interval = statistics_interval(difference, count);
	free(difference);
	return interval;
}

double statistics_quantile(const double *sorted, size_t count, double q)
{
	const double rank = q * (double)(count ? count - 1 : 0);
	const size_t below = (size_t)rank;

	if (count == 0)
		return NAN;
	/* Between two infinities there is nothing to interpolate. */
	if (below + 1 >= count || sorted[below] == sorted[below + 1])
		return sorted[below];
	return sorted[below] + (rank - (double)below) * (sorted[below + 1] - sorted[below]);
}

static int ascending(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

struct box statistics_box(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return (struct box){
		.p5 = statistics_quantile(values, count, 0.05),
		.q1 = statistics_quantile(values, count, 0.25),
		.median = statistics_quantile(values, count, 0.5),
		.q3 = statistics_quantile(values, count, 0.75),
		.p95 = statistics_quantile(values, count, 0.95),
		.mean = statistics_mean(values, count),
	};
}
