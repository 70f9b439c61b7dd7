/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sums and counts of every block and bin are kept; a draw of the bootstrap adds
 * up those of its blocks.
 */
#include "report/drift.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "report/bootstrap.h"

const double drift_edges[DRIFT_BINS] = {0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4};

struct block {
	double sum[DRIFT_BINS], count[DRIFT_BINS];
};

/* What a draw of the bootstrap looks at. */
struct bin_of_blocks {
	const struct block *blocks;
	size_t bin;
};

static size_t bin_of(double x, double target)
{
	size_t bin = DRIFT_BINS - 1;

	while (bin > 0 && x < drift_edges[bin] * target)
		bin--;
	return bin;
}

static double square(double x)
{
	return x * x;
}

static void fill_block(struct block *block, const double *series, size_t from, size_t to,
		       const struct drift_options *options)
{
	for (size_t i = from; i < to; i++) {
		const size_t bin = bin_of(series[i], options->target);

		block->sum[bin] += square(series[i + options->horizon] - options->target) -
				   square(series[i] - options->target);
		block->count[bin]++;
	}
}

static double draw(const void *context, const size_t *chosen, size_t units)
{
	const struct bin_of_blocks *of = context;
	double sum = 0, count = 0;

	for (size_t i = 0; i < units; i++) {
		sum += of->blocks[chosen[i]].sum[of->bin];
		count += of->blocks[chosen[i]].count[of->bin];
	}
	return count > 0 ? sum / count : NAN;
}

static void tell_bin(struct drift_bin *out, const struct block *blocks, size_t count, size_t bin,
		     const struct drift_options *options)
{
	const struct bin_of_blocks of = {blocks, bin};
	double sum = 0, samples = 0, all = 0;

	for (size_t i = 0; i < count; i++) {
		sum += blocks[i].sum[bin];
		samples += blocks[i].count[bin];
		for (size_t b = 0; b < DRIFT_BINS; b++)
			all += blocks[i].count[b];
	}
	*out = (struct drift_bin){
		.low = drift_edges[bin] * options->target,
		.high = bin + 1 < DRIFT_BINS ? drift_edges[bin + 1] * options->target : INFINITY,
		.count = (size_t)samples,
		.share = all > 0 ? samples / all : 0,
		.drift = samples > 0 ? sum / samples : NAN,
		.bounds = {NAN, NAN},
	};
	if (samples > 0)
		out->bounds = bootstrap_bounds(count, bin + 1, draw, &of);
	out->sign = (out->bounds.low > 0) - (out->bounds.high < 0);
}

static double mean_square(const double *const *series, size_t runs, size_t count, double target)
{
	double sum = 0;

	for (size_t r = 0; r < runs; r++)
		for (size_t i = 0; i < count; i++)
			sum += square(series[r][i] - target);
	return sum / (double)(runs * count);
}

int drift_measure(struct drift *drift, const struct drift_options *options,
		  const double *const *series, size_t runs, size_t count)
{
	const size_t usable = count > options->horizon ? count - options->horizon : 0;
	const size_t each = (usable + options->block - 1) / options->block;
	struct block *blocks = calloc(runs * each + 1, sizeof(*blocks));

	if (blocks == NULL)
		return ERR_NO_MEMORY;
	for (size_t r = 0; r < runs; r++) {
		for (size_t b = 0; b < each; b++) {
			const size_t from = b * options->block, end = from + options->block;

			fill_block(&blocks[r * each + b], series[r], from,
				   end < usable ? end : usable, options);
		}
	}
	drift->mean_v = mean_square(series, runs, count, options->target);
	for (size_t bin = 0; bin < DRIFT_BINS; bin++)
		tell_bin(&drift->bins[bin], blocks, runs * each, bin, options);
	free(blocks);
	return 0;
}
