/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every draw has a generator of its own, split from the seed.
 */
#include "report/resample.h"

#include <math.h>
#include <stdlib.h>

#include "base/rng.h"

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Not by statistics_quantile(): between two infinities there is nothing to interpolate. */
static double rank(const double *sorted, size_t count, double q)
{
	return sorted[(size_t)(q * (double)(count - 1) + 0.5)];
}

struct bounds resample_bounds(size_t units, uint64_t seed,
			      double (*statistic)(const void *context, const size_t *chosen,
						  size_t units),
			      const void *context)
{
	struct bounds bounds = {NAN, NAN};
	double *values = calloc(RESAMPLE_DRAWS, sizeof(*values));
	size_t *chosen = calloc(units + 1, sizeof(*chosen)), count = 0;
	struct rng root;

	rng_seed(&root, seed);
	for (uint64_t draw = 0; values && chosen && units >= 2 && draw < RESAMPLE_DRAWS; draw++) {
		struct rng rng = rng_split(&root, draw);
		double value;

		for (size_t i = 0; i < units; i++)
			chosen[i] = (size_t)rng_below(&rng, units);
		value = statistic(context, chosen, units);
		if (!isnan(value))
			values[count++] = value;
	}
	if (count >= RESAMPLE_DRAWS * 19 / 20) {
		qsort(values, count, sizeof(*values), compare);
		bounds.low = rank(values, count, 0.025);
		bounds.high = rank(values, count, 0.975);
	}
	free(values);
	free(chosen);
	return bounds;
}
