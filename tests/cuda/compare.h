/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the CUDA device: random arrays, and one line a comparison.
 */
#ifndef TESTS_CUDA_COMPARE_H
#define TESTS_CUDA_COMPARE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define EXIT_SKIPPED 77

static struct rng compare_rng = {{5, 6, 7, 8}};
static bool compare_failed;

static inline float *floats_zero(int64_t count)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	if (!values) {
		fprintf(stderr, "out of memory for %lld numbers\n", (long long)count);
		exit(1);
	}
	return values;
}

static inline float *floats_normal(int64_t count)
{
	float *values = floats_zero(count);

	for (int64_t i = 0; i < count; i++)
		values[i] = (float)rng_normal(&compare_rng);
	return values;
}

/* Largest |got - want| over the largest |want|; NaN when anything is not a number. */
static inline double difference_of(const float *got, const float *want, int64_t count)
{
	double largest = 0, size = 0;

	for (int64_t i = 0; i < count; i++) {
		const double difference = fabs((double)got[i] - (double)want[i]);

		if (!(difference <= largest))
			largest = difference;
		if (isnan(largest))
			return largest;
		size = fmax(size, fabs((double)want[i]));
	}
	return size > 0 ? largest / size : largest;
}

static inline void compare(const char *name, const float *got, const float *want, int64_t count,
			   double tolerance)
{
	const double difference = difference_of(got, want, count);
	const bool good = difference <= tolerance;

	printf("%s %-52s %.1e (tolerance %.0e, %lld numbers)\n", good ? "PASS" : "FAIL", name,
	       difference, tolerance, (long long)count);
	compare_failed = compare_failed || !good;
}

#endif
