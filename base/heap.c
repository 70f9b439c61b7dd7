/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heap of deadlines: four children a node, keys beside the pointers.
 *
 * Rules: (due_ns, sequence) is a total order, no two entries compare equal; a
 * node knows its place, so that disarming needs no search.  Arming and
 * disarming cost O(log n), looking at the first is free.  Comparing looks at
 * entries alone: what waits may lie anywhere in memory and is only written to.
 */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CHILDREN 4

void heap_init(struct heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

void heap_free(struct heap *heap)
{
	free(heap->entries);
	heap_init(heap);
}

void heap_node_init(struct heap_node *node)
{
	node->due_ns = 0;
	node->index = HEAP_IDLE;
}

static bool is_before(const struct heap_entry *a, const struct heap_entry *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence);
}

static void place(struct heap *heap, size_t index, struct heap_entry entry)
{
	heap->entries[index] = entry;
	entry.node->index = index;
}

/* Moves `entry` from the hole at `index` towards the root. */
static void sift_up(struct heap *heap, size_t index, struct heap_entry entry)
{
	while (index > 0) {
		const size_t parent = (index - 1) / CHILDREN;

		if (!is_before(&entry, &heap->entries[parent]))
			break;
		place(heap, index, heap->entries[parent]);
		index = parent;
	}
	place(heap, index, entry);
}

/* Moves `entry` from the hole at `index` towards the leaves. */
static void sift_down(struct heap *heap, size_t index, struct heap_entry entry)
{
	for (;;) {
		const size_t first = CHILDREN * index + 1;
		const size_t end = first + CHILDREN < heap->count ? first + CHILDREN : heap->count;
		size_t least = first;

		if (first >= heap->count)
			break;
		for (size_t child = first + 1; child < end; child++)
			if (is_before(&heap->entries[child], &heap->entries[least]))
				least = child;
		if (!is_before(&heap->entries[least], &entry))
			break;
		place(heap, index, heap->entries[least]);
		index = least;
	}
	place(heap, index, entry);
}

/* Puts `entry` where it belongs, starting from the hole at `index`. */
static void settle(struct heap *heap, size_t index, struct heap_entry entry)
{
	if (index > 0 && is_before(&entry, &heap->entries[(index - 1) / CHILDREN]))
		sift_up(heap, index, entry);
	else
		sift_down(heap, index, entry);
}

static int reserve_one(struct heap *heap)
{
	const size_t capacity = heap->capacity ? heap->capacity * 2 : 64;
	struct heap_entry *entries;

	if (heap->count < heap->capacity)
		return 0;
	entries = realloc(heap->entries, capacity * sizeof(*entries));
	if (!entries)
		return ERR_NO_MEMORY;
	heap->entries = entries;
	heap->capacity = capacity;
	return 0;
}

int heap_arm(struct heap *heap, struct heap_node *node, uint64_t due_ns)
{
	const struct heap_entry entry = {due_ns, heap->next_sequence, node};

	if (node->index == HEAP_IDLE) {
		if (reserve_one(heap) < 0)
			return ERR_NO_MEMORY;
		node->index = heap->count++;
	}
	heap->next_sequence++;
	node->due_ns = due_ns;
	settle(heap, node->index, entry);
	return 0;
}

void heap_disarm(struct heap *heap, struct heap_node *node)
{
	const size_t index = node->index;
	struct heap_entry last;

	if (index == HEAP_IDLE)
		return;
	last = heap->entries[--heap->count];
	node->index = HEAP_IDLE;
	if (last.node != node)
		settle(heap, index, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? heap->entries[0].node : NULL;
}

bool heap_is_valid(const struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++) {
		const struct heap_entry *entry = &heap->entries[i];

		if (entry->node->index != i || entry->node->due_ns != entry->due_ns)
			return false;
		if (i > 0 && is_before(entry, &heap->entries[(i - 1) / CHILDREN]))
			return false;
	}
	return true;
}
