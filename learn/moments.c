/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/moments.h"

static double difference(const float *a, const float *b, size_t i)
{
	return (double)a[i] - (b ? (double)b[i] : 0);
}

struct moments moments_of(const float *a, const float *b, size_t count)
{
	struct moments moments = {0};

	for (size_t i = 0; i < count; i++)
		moments.mean += difference(a, b, i);
	moments.mean /= (double)count;
	for (size_t i = 0; i < count; i++) {
		const double x = difference(a, b, i) - moments.mean;

		moments.variance += x * x;
	}
	moments.variance /= (double)count;
	return moments;
}
