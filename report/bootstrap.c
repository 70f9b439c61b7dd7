/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * With the values in order the median of a draw is found by counting how often
 * each was drawn, without sorting them.
 */
#include "report/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define TAIL 0.025 /* the share of draws beyond either end */

/* What mean, median and ratio are of. */
struct sample {
	const double *a, *b; /* b: of ratios */
	uint32_t *drawn;     /* (count), of medians: how often; scratch */
	size_t count;
};

static double mean_of(const void *context, const size_t *chosen, size_t units)
{
	const struct sample *sample = context;
	double sum = 0;

	for (size_t i = 0; i < units; i++)
		sum += sample->a[chosen[i]];
	return sum / (double)units;
}

static double ratio_of(const void *context, const size_t *chosen, size_t units)
{
	const struct sample *sample = context;
	double above = 0, below = 0;

	for (size_t i = 0; i < units; i++) {
		above += sample->a[chosen[i]];
		below += sample->b[chosen[i]];
	}
	return below != 0 ? above / below : NAN;
}

/* Value of rank `rank` from 0 among those drawn; a is ascending. */
static double ranked(const struct sample *sample, size_t rank)
{
	size_t i = 0;

	for (size_t before = sample->drawn[0]; before <= rank; before += sample->drawn[i])
		i++;
	return sample->a[i];
}

static double median_of(const void *context, const size_t *chosen, size_t units)
{
	const struct sample *sample = context;
	double low;

	memset(sample->drawn, 0, units * sizeof(*sample->drawn));
	for (size_t i = 0; i < units; i++)
		sample->drawn[chosen[i]]++;
	low = ranked(sample, (units - 1) / 2);
	return units % 2 ? low : (low + ranked(sample, units / 2)) / 2;
}

static int ascending(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* Bounds with a share of `tail` of the draws beyond either. */
static struct bounds bounds_of(size_t units, double tail, uint64_t seed,
			       bootstrap_statistic *statistic, const void *context)
{
	struct bounds bounds = {NAN, NAN};
	double *values = calloc(BOOTSTRAP_DRAWS, sizeof(*values));
	size_t *chosen = calloc(units + 1, sizeof(*chosen)), defined = 0;
	struct rng rng;

	rng_seed(&rng, seed);
	for (int draw = 0; values && chosen && units >= 2 && draw < BOOTSTRAP_DRAWS; draw++) {
		for (size_t i = 0; i < units; i++)
			chosen[i] = (size_t)rng_below(&rng, units);
		values[defined] = statistic(context, chosen, units);
		defined += !isnan(values[defined]);
	}
	if (defined >= BOOTSTRAP_DRAWS * 19 / 20) {
		qsort(values, defined, sizeof(*values), ascending);
		bounds.low = statistics_quantile(values, defined, tail);
		bounds.high = statistics_quantile(values, defined, 1 - tail);
	}
	free(values);
	free(chosen);
	return bounds;
}

struct bounds bootstrap_bounds(size_t units, uint64_t seed, bootstrap_statistic *statistic,
			       const void *context)
{
	return bounds_of(units, TAIL, seed, statistic, context);
}

/* The tail of few values. */
static double tail_of(size_t count)
{
	const double freedom = (double)(count - 1);
	const double t = statistics_student(1 - TAIL, freedom) * sqrt((double)count / freedom);

	return erfc(t / sqrt(2)) / 2;
}

static struct estimate estimate_of(const struct sample *sample, bootstrap_statistic *statistic,
				   uint64_t seed)
{
	const size_t count = sample->count;
	struct estimate estimate = {NAN, NAN, NAN, count};
	size_t *all = calloc(count + 1, sizeof(*all));
	struct bounds bounds;

	if (count == 0 || all == NULL)
		goto end;
	for (size_t i = 0; i < count; i++)
		all[i] = i;
	estimate.value = statistic(sample, all, count);
	if (count < 2)
		goto end;
	bounds = bounds_of(count, tail_of(count), seed, statistic, sample);
	estimate.low = bounds.low;
	estimate.high = bounds.high;
end:
	free(all);
	return estimate;
}

struct estimate bootstrap_mean(const double *values, size_t count, uint64_t seed)
{
	const struct sample sample = {.a = values, .count = count};

	return estimate_of(&sample, mean_of, seed);
}

struct estimate bootstrap_median(const double *values, size_t count, uint64_t seed)
{
	double *sorted = calloc(count + 1, sizeof(*sorted));
	const struct sample sample = {
		.a = sorted, .drawn = calloc(count + 1, sizeof(*sample.drawn)), .count = count};
	struct estimate estimate = {NAN, NAN, NAN, count};

	if (sorted == NULL || sample.drawn == NULL)
		goto end;
	if (count)
		memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), ascending);
	estimate = estimate_of(&sample, median_of, seed);
end:
	free(sorted);
	free(sample.drawn);
	return estimate;
}

struct estimate bootstrap_ratio(const double *a, const double *b, size_t count, uint64_t seed)
{
	const struct sample sample = {.a = a, .b = b, .count = count};

	return estimate_of(&sample, ratio_of, seed);
}
