/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of counters over neighbouring buckets.  It grows by pages at either
 * end when a value falls outside, and all counters double in width when one of
 * them is full.  Both happen a few dozen times in a sketch's life.
 */
#include "base/sketch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log_buckets.h"

#define BITS 6 /* 64 to each power of two */
#define PAGE 16U /* buckets */

void sketch_free(struct sketch *sketch)
{
	free(sketch->counters);
	memset(sketch, 0, sizeof(*sketch));
}

static uint64_t get(const void *counters, unsigned width, unsigned i)
{
	switch (width) {
	case 1:
		return ((const uint8_t *)counters)[i];
	case 2:
		return ((const uint16_t *)counters)[i];
	case 4:
		return ((const uint32_t *)counters)[i];
	default:
		return ((const uint64_t *)counters)[i];
	}
}

static void put(void *counters, unsigned width, unsigned i, uint64_t value)
{
	switch (width) {
	case 1:
		((uint8_t *)counters)[i] = (uint8_t)value;
		break;
	case 2:
		((uint16_t *)counters)[i] = (uint16_t)value;
		break;
	case 4:
		((uint32_t *)counters)[i] = (uint32_t)value;
		break;
	default:
		((uint64_t *)counters)[i] = value;
	}
}

/* The same counts in new counters: `size` of `width` bytes from bucket `first` on. */
static int reshape(struct sketch *sketch, unsigned first, unsigned size, unsigned width)
{
	void *counters = calloc(size, width);

	if (counters == NULL)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < sketch->size; i++)
		put(counters, width, sketch->first - first + i,
		    get(sketch->counters, sketch->width, i));
	free(sketch->counters);
	sketch->counters = counters;
	sketch->first = (uint16_t)first;
	sketch->size = (uint16_t)size;
	sketch->width = (uint8_t)width;
	return 0;
}

/* Makes the counters reach bucket `bucket`. */
static int reach(struct sketch *sketch, unsigned bucket)
{
	const unsigned page = bucket / PAGE * PAGE;
	unsigned first = sketch->first, end = first + sketch->size;

	if (sketch->size == 0)
		return reshape(sketch, page, PAGE, 1);
	if (page < first)
		first = page;
	if (page + PAGE > end)
		end = page + PAGE;
	return reshape(sketch, first, end - first, sketch->width);
}

int sketch_add(struct sketch *sketch, uint64_t value)
{
	const unsigned bucket = log_bucket(value, BITS);
	uint64_t seen;

	if (bucket - sketch->first >= sketch->size && reach(sketch, bucket))
		return ERR_NO_MEMORY;
	seen = get(sketch->counters, sketch->width, bucket - sketch->first) + 1;
	if (sketch->width < 8 && seen >> (8 * sketch->width) &&
	    reshape(sketch, sketch->first, sketch->size, 2U * sketch->width))
		return ERR_NO_MEMORY;
	put(sketch->counters, sketch->width, bucket - sketch->first, seen);
	sketch->count++;
	sketch->sum += (double)value;
	if (value > sketch->max)
		sketch->max = value;
	return 0;
}

double sketch_mean(const struct sketch *sketch)
{
	return sketch->count ? sketch->sum / (double)sketch->count : 0;
}

double sketch_quantile(const struct sketch *sketch, double q)
{
	const double wanted = ceil(q * (double)sketch->count);
	uint64_t rank = wanted > 1 ? (uint64_t)wanted : 1, seen = 0;

	if (rank > sketch->count)
		rank = sketch->count;
	for (unsigned i = 0; i < sketch->size; i++) {
		seen += get(sketch->counters, sketch->width, i);
		if (seen >= rank)
			return fmin(log_bucket_middle(sketch->first + i, BITS),
				    (double)sketch->max);
	}
	return 0;
}

uint64_t sketch_bytes(const struct sketch *sketch)
{
	return (uint64_t)sketch->size * sketch->width;
}
