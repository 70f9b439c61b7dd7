/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Covariances of every run are computed once; draws of the bootstrap only add
 * them up.
 */
#include "report/autocorrelation.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "report/bootstrap.h"

#define WINDOW_TIMES 5 /* Sokal's c: the window is so many times tau / 2 */

struct covariances {
	const double *values; /* (runs, lags) */
	size_t lags;
};

void autocovariance(const double *series, size_t count, double mean, double *covariance,
		    size_t lags)
{
	for (size_t lag = 0; lag < lags; lag++) {
		double sum = 0;

		for (size_t i = 0; i + lag < count; i++)
			sum += (series[i] - mean) * (series[i + lag] - mean);
		covariance[lag] = lag < count ? sum / (double)count : 0;
	}
}

static double chosen_sum(const struct covariances *covariances, const size_t *chosen,
			 size_t units, size_t lag)
{
	double sum = 0;

	for (size_t i = 0; i < units; i++)
		sum += covariances->values[chosen[i] * covariances->lags + lag];
	return sum;
}

/* tau of the chosen runs; *window as in struct autocorrelation_time. */
static double time_of_chosen(const struct covariances *covariances, const size_t *chosen,
			     size_t units, size_t *window)
{
	const double variance = chosen_sum(covariances, chosen, units, 0);
	double tau = 1;

	*window = 0;
	if (!(variance > 0))
		return NAN;
	for (size_t lag = 1; lag < covariances->lags; lag++) {
		tau += 2 * chosen_sum(covariances, chosen, units, lag) / variance;
		if (2 * (double)lag >= WINDOW_TIMES * tau) {
			*window = lag;
			break;
		}
	}
	return tau;
}

static double draw(const void *context, const size_t *chosen, size_t units)
{
	size_t window;

	return time_of_chosen(context, chosen, units, &window);
}

static double common_mean(const double *const *series, size_t runs, size_t count)
{
	double sum = 0;

	for (size_t r = 0; r < runs; r++)
		sum += statistics_mean(series[r], count);
	return sum / (double)runs;
}

struct autocorrelation_time autocorrelation_time_of(const double *const *series, size_t runs,
						    size_t count)
{
	struct autocorrelation_time time = {NAN, {NAN, NAN}, 0};
	const size_t lags = count / 2 + 1;
	const double mean = common_mean(series, runs, count);
	double *values = calloc(runs * lags + 1, sizeof(*values));
	size_t *all = calloc(runs + 1, sizeof(*all));
	const struct covariances covariances = {values, lags};

	if (values && all && count > 1) {
		for (size_t r = 0; r < runs; r++) {
			autocovariance(series[r], count, mean, values + r * lags, lags);
			all[r] = r;
		}
		time.samples = time_of_chosen(&covariances, all, runs, &time.window);
		time.bounds = bootstrap_bounds(runs, 1, draw, &covariances);
	}
	free(values);
	free(all);
	return time;
}
