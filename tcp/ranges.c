/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sorted array: out-of-order data has few holes, and new data arrives at the end.
 */
#include "tcp/ranges.h"

#include <stdlib.h>
#include <string.h>

void ranges_init(struct ranges *ranges)
{
	memset(ranges, 0, sizeof(*ranges));
}

void ranges_free(struct ranges *ranges)
{
	free(ranges->items);
	ranges_init(ranges);
}

static bool make_room(struct ranges *ranges)
{
	const size_t capacity = ranges->capacity ? 2 * ranges->capacity : 8;
	struct range *items;

	if (ranges->count < ranges->capacity)
		return true;
	items = realloc(ranges->items, capacity * sizeof(*items));
	if (items == NULL)
		return false;
	ranges->items = items;
	ranges->capacity = capacity;
	return true;
}

struct range ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct range *items = ranges->items;
	size_t low = ranges->count, high = ranges->count;

	/* [low, high) are the ranges that touch the new one. */
	while (low > 0 && items[low - 1].end >= start) {
		low--;
		if (items[low].start > end)
			high = low;
	}
	if (low == high) {
		if (!make_room(ranges))
			return (struct range){start, start};
		items = ranges->items;
		memmove(items + low + 1, items + low, (ranges->count - low) * sizeof(*items));
		ranges->count++;
		items[low] = (struct range){start, end};
		return items[low];
	}
	if (items[low].start < start)
		start = items[low].start;
	if (items[high - 1].end > end)
		end = items[high - 1].end;
	items[low] = (struct range){start, end};
	memmove(items + low + 1, items + high, (ranges->count - high) * sizeof(*items));
	ranges->count -= high - low - 1;
	return items[low];
}

uint64_t ranges_consume(struct ranges *ranges, uint64_t from)
{
	size_t gone = 0;

	while (gone < ranges->count && ranges->items[gone].start <= from) {
		if (ranges->items[gone].end > from)
			from = ranges->items[gone].end;
		gone++;
	}
	if (gone) {
		ranges->count -= gone;
		memmove(ranges->items, ranges->items + gone,
			ranges->count * sizeof(*ranges->items));
	}
	return from;
}
