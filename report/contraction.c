/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For a given rho the fit is linear in J* and A; rho itself is found on a grid
 * in log(-log rho), so that fast and slow sequences are resolved alike, and
 * then by golden section between the best point's neighbours.
 */
#include "report/contraction.h"

#include <math.h>
#include <stdlib.h>

#include "report/bootstrap.h"

#define GRID 60
#define SLOWEST 20.0 /* sequences: the slowest decay tried takes so many of their lengths */
#define FASTEST 6.0  /* -log rho of the fastest decay tried */

struct line {
	double limit, amplitude, squares;
};

struct residuals {
	const double *fitted, *left; /* (count) */
	double *values;              /* scratch */
	size_t count;
};

/* Least squares of values against rho^k. */
static struct line line_of(const double *values, size_t count, double rate)
{
	const double n = (double)count;
	double sx = 0, sy = 0, sxx = 0, sxy = 0, power = 1, spread;
	struct line line = {0};

	for (size_t k = 0; k < count; k++, power *= rate) {
		sx += power;
		sy += values[k];
		sxx += power * power;
		sxy += power * values[k];
	}
	spread = n * sxx - sx * sx;
	line.amplitude = spread > 0 ? (n * sxy - sx * sy) / spread : 0;
	line.limit = (sy - line.amplitude * sx) / n;
	power = 1;
	for (size_t k = 0; k < count; k++, power *= rate) {
		const double off = values[k] - line.limit - line.amplitude * power;

		line.squares += off * off;
	}
	return line;
}

static double rate_at(double x)
{
	return exp(-exp(x));
}

static double squares_at(const double *values, size_t count, double x)
{
	return line_of(values, count, rate_at(x)).squares;
}

static double golden(const double *values, size_t count, double low, double high)
{
	const double ratio = 0.6180339887498949;

	for (int i = 0; i < 60; i++) {
		const double a = high - ratio * (high - low), b = low + ratio * (high - low);

		if (squares_at(values, count, a) < squares_at(values, count, b))
			high = b;
		else
			low = a;
	}
	return (low + high) / 2;
}

static double fit_rate(const double *values, size_t count)
{
	const double low = log(1 / (SLOWEST * (double)count)), high = log(FASTEST);
	const double step = (high - low) / GRID;
	double best = low, least = INFINITY;

	for (int i = 0; i <= GRID; i++) {
		const double squares = squares_at(values, count, low + i * step);

		if (squares < least) {
			least = squares;
			best = low + i * step;
		}
	}
	return rate_at(golden(values, count, best - step, best + step));
}

static double draw(const void *context, const size_t *chosen, size_t units)
{
	const struct residuals *residuals = context;

	for (size_t i = 0; i < units; i++)
		residuals->values[i] = residuals->fitted[i] + residuals->left[chosen[i]];
	return fit_rate(residuals->values, units);
}

static struct bounds bounds_of(const double *values, size_t count, const struct contraction *fit)
{
	double *memory = calloc(3 * count, sizeof(*memory));
	struct residuals residuals = {memory, memory + count, memory + 2 * count, count};
	struct bounds bounds = {NAN, NAN};

	if (memory == NULL)
		return bounds;
	for (size_t k = 0; k < count; k++) {
		memory[k] = fit->limit + fit->amplitude * pow(fit->rate, (double)k);
		memory[count + k] = values[k] - memory[k];
	}
	bounds = bootstrap_bounds(count, 1, draw, &residuals);
	free(memory);
	return bounds;
}

static void find_needed(struct contraction *fit, const double *values, size_t count)
{
	const double start = fabs(values[0] - fit->limit);

	fit->needed = 0;
	for (size_t k = 1; k < count; k++) {
		const double needed =
			pow(fabs(values[k] - fit->limit) / start, 1 / (double)k);

		if (needed > fit->needed) {
			fit->needed = needed;
			fit->worst = k;
		}
	}
}

struct contraction contraction_of(const double *values, size_t count)
{
	struct contraction fit = {NAN, NAN, NAN, {NAN, NAN}, NAN, NAN, 0};
	struct line line;
	double squares = 0;
	const double mean = statistics_mean(values, count);

	if (count < CONTRACTION_LEAST)
		return fit;
	for (size_t k = 0; k < count; k++)
		squares += (values[k] - mean) * (values[k] - mean);
	fit.rate = fit_rate(values, count);
	line = line_of(values, count, fit.rate);
	fit.limit = line.limit;
	fit.amplitude = line.amplitude;
	fit.explained = squares > 0 ? 1 - line.squares / squares : NAN;
	fit.rate_bounds = bounds_of(values, count, &fit);
	find_needed(&fit, values, count);
	return fit;
}
