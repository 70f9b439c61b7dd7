/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sorted array: out-of-order data has few holes, and new data arrives at the end.
 */
#include "tcp/ranges.h"

#include <string.h>

void ranges_init(struct ranges *ranges, struct store *store)
{
	memset(ranges, 0, sizeof(*ranges));
	ranges->store = store;
}

void ranges_free(struct ranges *ranges)
{
	const size_t gone = (size_t)(ranges->items - ranges->array);

	store_give(ranges->store, ranges->array,
		   (gone + ranges->capacity) * sizeof(*ranges->array));
	ranges_init(ranges, ranges->store);
}

static bool make_room(struct ranges *ranges)
{
	const size_t gone = (size_t)(ranges->items - ranges->array);
	const size_t whole = gone + ranges->capacity, size = sizeof(*ranges->array);
	const size_t larger = whole ? 2 * whole : 4;
	struct range *array;

	if (ranges->count < ranges->capacity)
		return true;
	/* Half of it is gone at the front: enough room for many more, at the price of one move. */
	if (gone > ranges->count) {
		memmove(ranges->array, ranges->items, ranges->count * sizeof(*ranges->items));
		ranges->items = ranges->array;
		ranges->capacity = whole;
		return true;
	}
	array = store_move(ranges->store, ranges->array, whole * size, whole * size, larger * size);
	if (array == NULL)
		return false;
	ranges->array = array;
	ranges->items = array + gone;
	ranges->capacity = larger - gone;
	return true;
}

/* First range that ends at `from` or later. */
static size_t find_from(const struct ranges *ranges, uint64_t from)
{
	size_t low = 0, high = ranges->count;

	/* New data mostly comes at the end. */
	if (high > 0 && ranges->items[high - 1].end < from)
		return high;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (ranges->items[middle].end < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct range ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	const size_t low = find_from(ranges, start);
	size_t high = low;
	struct range *items;

	/* [low, high) are the ranges that touch the new one. */
	while (high < ranges->count && ranges->items[high].start <= end)
		high++;
	if (low == high) {
		if (!make_room(ranges))
			return (struct range){start, start};
		items = ranges->items;
		memmove(items + low + 1, items + low, (ranges->count - low) * sizeof(*items));
		ranges->count++;
		items[low] = (struct range){start, end};
		return items[low];
	}
	items = ranges->items;
	if (items[low].start < start)
		start = items[low].start;
	if (items[high - 1].end > end)
		end = items[high - 1].end;
	items[low] = (struct range){start, end};
	memmove(items + low + 1, items + high, (ranges->count - high) * sizeof(*items));
	ranges->count -= high - low - 1;
	return items[low];
}

bool ranges_contain(const struct ranges *ranges, uint64_t start, uint64_t end)
{
	const size_t i = find_from(ranges, end);

	return i < ranges->count && ranges->items[i].start <= start;
}

uint64_t ranges_consume(struct ranges *ranges, uint64_t from)
{
	size_t gone = 0;

	while (gone < ranges->count && ranges->items[gone].start <= from) {
		if (ranges->items[gone].end > from)
			from = ranges->items[gone].end;
		gone++;
	}
	ranges->count -= gone;
	ranges->items += gone;
	ranges->capacity -= gone;
	if (ranges->count == 0) {
		ranges->capacity += (size_t)(ranges->items - ranges->array);
		ranges->items = ranges->array;
	}
	return from;
}
