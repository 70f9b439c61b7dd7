/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A resample is how often each value was drawn.  With the values in order the
 * median of a resample is found by counting, without sorting it.
 */
#include "report/bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "report/statistics.h"

#define RESAMPLES 2000

/* What is resampled. */
struct sample {
	const double *a, *b; /* b: of ratios */
	uint32_t *drawn;     /* (count): how often */
	size_t count;
};

typedef double (*statistic_of)(const struct sample *sample);

static double mean_of(const struct sample *sample)
{
	double sum = 0;

	for (size_t i = 0; i < sample->count; i++)
		sum += sample->drawn[i] * sample->a[i];
	return sum / (double)sample->count;
}

static double ratio_of(const struct sample *sample)
{
	double above = 0, below = 0;

	for (size_t i = 0; i < sample->count; i++) {
		above += sample->drawn[i] * sample->a[i];
		below += sample->drawn[i] * sample->b[i];
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

static double median_of(const struct sample *sample)
{
	const double low = ranked(sample, (sample->count - 1) / 2);

	return sample->count % 2 ? low : (low + ranked(sample, sample->count / 2)) / 2;
}

static int ascending(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static void draw(struct sample *sample, struct rng *rng)
{
	memset(sample->drawn, 0, sample->count * sizeof(*sample->drawn));
	for (size_t i = 0; i < sample->count; i++)
		sample->drawn[rng_below(rng, sample->count)]++;
}

/* The share of resamples beyond either end. */
static double tail_of(size_t count)
{
	const double freedom = (double)(count - 1);
	const double t = statistics_student(0.975, freedom) * sqrt((double)count / freedom);

	return erfc(t / sqrt(2)) / 2;
}

static struct estimate estimate_of(struct sample *sample, statistic_of statistic, uint64_t seed)
{
	struct estimate estimate = {NAN, NAN, NAN, sample->count};
	double *values = calloc(RESAMPLES, sizeof(*values));
	size_t defined = 0;
	struct rng rng;

	sample->drawn = calloc(sample->count + 1, sizeof(*sample->drawn));
	if (sample->count == 0 || values == NULL || sample->drawn == NULL)
		goto end;
	for (size_t i = 0; i < sample->count; i++)
		sample->drawn[i] = 1;
	estimate.value = statistic(sample);
	if (sample->count < 2)
		goto end;
	rng_seed(&rng, seed);
	for (int i = 0; i < RESAMPLES; i++) {
		draw(sample, &rng);
		values[defined] = statistic(sample);
		defined += isfinite(values[defined]);
	}
	qsort(values, defined, sizeof(*values), ascending);
	estimate.low = statistics_quantile(values, defined, tail_of(sample->count));
	estimate.high = statistics_quantile(values, defined, 1 - tail_of(sample->count));
end:
	free(values);
	free(sample->drawn);
	return estimate;
}

struct estimate bootstrap_mean(const double *values, size_t count, uint64_t seed)
{
	struct sample sample = {.a = values, .count = count};

	return estimate_of(&sample, mean_of, seed);
}

struct estimate bootstrap_median(const double *values, size_t count, uint64_t seed)
{
	double *sorted = malloc((count + 1) * sizeof(*sorted));
	struct sample sample = {.a = sorted, .count = count};
	struct estimate estimate = {NAN, NAN, NAN, count};

	if (sorted == NULL)
		return estimate;
	if (count)
		memcpy(sorted, values, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), ascending);
	estimate = estimate_of(&sample, median_of, seed);
	free(sorted);
	return estimate;
}

struct estimate bootstrap_ratio(const double *a, const double *b, size_t count, uint64_t seed)
{
	struct sample sample = {.a = a, .b = b, .count = count};

	return estimate_of(&sample, ratio_of, seed);
}
