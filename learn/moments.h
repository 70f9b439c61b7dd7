/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mean and variance of floats, in doubles and two passes: a variance that is small beside the mean
 * comes out right.
 */
#ifndef LEARN_MOMENTS_H
#define LEARN_MOMENTS_H

#include <stddef.h>

struct moments {
	double mean, variance; /* the variance over `count` */
};

/* Of the differences a - b (count > 0); `b` NULL: of a. */
struct moments moments_of(const float *a, const float *b, size_t count);

#endif
