/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What arrived out of order: disjoint, ascending ranges of bytes.
 */
#ifndef TCP_RANGES_H
#define TCP_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"

struct range {
	uint64_t start, end;
};

struct ranges {
	struct range *items;     /* (count), in `array` */
	struct range *array;
	size_t count, capacity;  /* capacity: from `items` to the end of `array` */
	struct store *store;     /* where it comes from; NULL: calloc() */
};

/* Memory comes from `store` (NULL: calloc()), which outlives the ranges. */
void ranges_init(struct ranges *ranges, struct store *store);
void ranges_free(struct ranges *ranges);

/* Adds [start, end), merging with neighbours; returns the merged range.  Empty when out of memory.
 */
struct range ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);

/* All of [start, end) is in. */
bool ranges_contain(const struct ranges *ranges, uint64_t start, uint64_t end);

/* Removes every range that begins at or before `from`; returns the furthest end reached, >= from.
 */
uint64_t ranges_consume(struct ranges *ranges, uint64_t from);

#endif
