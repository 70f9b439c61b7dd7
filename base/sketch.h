/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quantiles of unsigned values in little memory: for statistics of which there
 * is one a flow.
 *
 * Buckets are linear below 128 and then 64 per power of two, so a quantile is
 * within 0.8 % of a recorded value over the whole 64-bit range.  Only the span
 * between the smallest and the largest value has counters, and counters are as
 * narrow as the fullest one allows: round trips of a flow take about 500 bytes
 * where struct histogram takes 60,000.
 */
#ifndef BASE_SKETCH_H
#define BASE_SKETCH_H

#include <stdint.h>

/* All zero is an empty sketch. */
struct sketch {
	uint64_t count;
	uint64_t max;
	double sum;
	void *counters;       /* owned: (size) of `width` bytes each; NULL when empty */
	uint16_t first, size; /* buckets that have counters */
	uint8_t width;        /* 1, 2, 4 or 8 */
};

void sketch_free(struct sketch *sketch);

/* ERR_NO_MEMORY; the value is then not counted. */
int sketch_add(struct sketch *sketch, uint64_t value);

/* Mean of what was added (exact but for rounding of a double); 0 when empty. */
double sketch_mean(const struct sketch *sketch);

/* Value at quantile q in [0, 1] (nearest rank, bucket middle, at most the maximum); 0 when empty.
 */
double sketch_quantile(const struct sketch *sketch, double q);

/* Bytes it holds beyond the structure. */
uint64_t sketch_bytes(const struct sketch *sketch);

#endif
