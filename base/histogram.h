/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantile histogram of unsigned values with a bounded relative error.
 *
 * Buckets are linear below 256 and then 128 per power of two, so a quantile
 * is within 0.4 % of a recorded value over the whole 64-bit range.
 */
#ifndef BASE_HISTOGRAM_H
#define BASE_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS (256 + 56 * 128)

struct histogram {
	uint64_t count;
	uint64_t max;
	double sum;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_init(struct histogram *histogram);
void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* Mean of what was added (exact but for rounding of a double); 0 when empty. */
double histogram_mean(const struct histogram *histogram);

/* Mean of f(value), every value taken as its bucket's middle; 0 when empty. */
double histogram_mean_of(const struct histogram *histogram, double (*f)(double value));

/* Value at quantile q in [0, 1] (nearest rank, bucket middle, at most the maximum); 0 when empty.
 */
double histogram_quantile(const struct histogram *histogram, double q);

#endif
