/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive binary heap of deadlines: an array of pointers in heap order.
 *
 * Rules: (due_ns, sequence) is a total order, no two nodes compare equal; a
 * node knows its place, so that disarming needs no search.  Arming and
 * disarming cost O(log n), looking at the first is free.
 */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void heap_init(struct heap *heap)
{
	memset(heap, 0, sizeof(*heap));
}

void heap_free(struct heap *heap)
{
	free(heap->nodes);
	heap_init(heap);
}

void heap_node_init(struct heap_node *node)
{
	node->due_ns = 0;
	node->sequence = 0;
	node->index = HEAP_IDLE;
}

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence);
}

static void place(struct heap *heap, size_t index, struct heap_node *node)
{
	heap->nodes[index] = node;
	node->index = index;
}

/* Moves `node` from the hole at `index` towards the root. */
static void sift_up(struct heap *heap, size_t index, struct heap_node *node)
{
	while (index > 0) {
		const size_t parent = (index - 1) / 2;

		if (!is_before(node, heap->nodes[parent]))
			break;
		place(heap, index, heap->nodes[parent]);
		index = parent;
	}
	place(heap, index, node);
}

/* Moves `node` from the hole at `index` towards the leaves. */
static void sift_down(struct heap *heap, size_t index, struct heap_node *node)
{
	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count &&
		    is_before(heap->nodes[child + 1], heap->nodes[child]))
			child++;
		if (!is_before(heap->nodes[child], node))
			break;
		place(heap, index, heap->nodes[child]);
		index = child;
	}
	place(heap, index, node);
}

/* Puts `node` where it belongs, starting from the hole at `index`. */
static void settle(struct heap *heap, size_t index, struct heap_node *node)
{
	if (index > 0 && is_before(node, heap->nodes[(index - 1) / 2]))
		sift_up(heap, index, node);
	else
		sift_down(heap, index, node);
}

static int reserve_one(struct heap *heap)
{
	const size_t capacity = heap->capacity ? heap->capacity * 2 : 64;
	struct heap_node **nodes;

	if (heap->count < heap->capacity)
		return 0;
	nodes = realloc(heap->nodes, capacity * sizeof(struct heap_node *));
	if (!nodes)
		return ERR_NO_MEMORY;
	heap->nodes = nodes;
	heap->capacity = capacity;
	return 0;
}

int heap_arm(struct heap *heap, struct heap_node *node, uint64_t due_ns)
{
	if (node->index == HEAP_IDLE) {
		if (reserve_one(heap) < 0)
			return ERR_NO_MEMORY;
		place(heap, heap->count++, node);
	}
	node->due_ns = due_ns;
	node->sequence = heap->next_sequence++;
	settle(heap, node->index, node);
	return 0;
}

void heap_disarm(struct heap *heap, struct heap_node *node)
{
	const size_t index = node->index;
	struct heap_node *last;

	if (index == HEAP_IDLE)
		return;
	last = heap->nodes[--heap->count];
	node->index = HEAP_IDLE;
	if (last != node)
		settle(heap, index, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? heap->nodes[0] : NULL;
}

bool heap_is_valid(const struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++) {
		if (heap->nodes[i]->index != i)
			return false;
		if (i > 0 && is_before(heap->nodes[i], heap->nodes[(i - 1) / 2]))
			return false;
	}
	return true;
}
