/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log-linear buckets: [0, 256) one by one, then 128 to each power of two.
 */
#include "base/histogram.h"

#include <math.h>
#include <string.h>

#include "base/log_buckets.h"

#define BITS 7 /* 128 to each power of two */

_Static_assert(HISTOGRAM_BUCKETS == LOG_BUCKETS(BITS), "as many counters as buckets");

void histogram_init(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->count++;
	histogram->sum += (double)value;
	if (value > histogram->max)
		histogram->max = value;
	histogram->buckets[log_bucket(value, BITS)]++;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->count += from->count;
	into->sum += from->sum;
	if (from->max > into->max)
		into->max = from->max;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

double histogram_mean(const struct histogram *histogram)
{
	return histogram->count ? histogram->sum / (double)histogram->count : 0;
}

double histogram_mean_of(const struct histogram *histogram, double (*f)(double value))
{
	double sum = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		if (histogram->buckets[i])
			sum += (double)histogram->buckets[i] * f(log_bucket_middle(i, BITS));
	return histogram->count ? sum / (double)histogram->count : 0;
}

double histogram_quantile(const struct histogram *histogram, double q)
{
	const double wanted = ceil(q * (double)histogram->count);
	uint64_t rank = wanted > 1 ? (uint64_t)wanted : 1;
	uint64_t seen = 0;

	if (histogram->count == 0)
		return 0;
	if (rank > histogram->count)
		rank = histogram->count;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return fmin(log_bucket_middle(i, BITS), (double)histogram->max);
	}
	return (double)histogram->max;
}
