/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of tensor/: random arrays, comparison, numerical gradients.
 */
#ifndef TENSOR_TEST_SUPPORT_H
#define TENSOR_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

static struct rng test_rng = {{1, 2, 3, 4}};

static inline float *test_zeros(int64_t count)
{
	float *values = calloc((size_t)count + 1, sizeof(*values));

	assert_non_null(values);
	return values;
}

static inline float *test_normal(int64_t count)
{
	float *values = test_zeros(count);

	for (int64_t i = 0; i < count; i++)
		values[i] = (float)rng_normal(&test_rng);
	return values;
}

static inline float *test_copy(const float *from, int64_t count)
{
	float *values = test_zeros(count);

	memcpy(values, from, (size_t)count * sizeof(*values));
	return values;
}

/* Fails when any |a - b| exceeds `tolerance`, or is not a number. */
static inline void test_close(const char *what, const float *a, const float *b, int64_t count,
			      double tolerance)
{
	for (int64_t i = 0; i < count; i++)
		if (!(fabs((double)a[i] - b[i]) <= tolerance))
			fail_msg("%s[%lld]: %.9g against %.9g", what, (long long)i, (double)a[i],
				 (double)b[i]);
}

/*
 * The gradient of loss(context) with respect to `value`, against central
 * differences of `step`, element by element (at most 40, spread out).
 */
static inline void test_gradient(const char *what, float *value, const float *gradient,
				 int64_t count, double step, double tolerance,
				 double (*loss)(void *context), void *context)
{
	const int64_t stride = 1 + count / 40;

	for (int64_t i = 0; i < count; i += stride) {
		const float kept = value[i];
		double above, below, slope;

		value[i] = kept + (float)step;
		above = loss(context);
		value[i] = kept - (float)step;
		below = loss(context);
		value[i] = kept;
		slope = (above - below) / (2 * step);
		if (!(fabs(slope - gradient[i]) <= tolerance * (1 + fabs(slope))))
			fail_msg("%s[%lld]: difference quotient %g, gradient %g", what,
				 (long long)i, slope, (double)gradient[i]);
	}
}

static inline double test_product(const float *a, const float *b, int64_t count)
{
	double sum = 0;

	for (int64_t i = 0; i < count; i++)
		sum += (double)a[i] * b[i];
	return sum;
}

#endif
