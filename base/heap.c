/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binary heap of pointers to embedded nodes, each knowing its place.
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
	*node = (struct heap_node){.index = HEAP_IDLE};
}

static bool before(const struct heap_node *a, const struct heap_node *b)
{
	return a->due_ns < b->due_ns || (a->due_ns == b->due_ns && a->sequence < b->sequence);
}

static void place(struct heap *heap, struct heap_node *node, size_t index)
{
	heap->nodes[index] = node;
	node->index = index;
}

static void sift_up(struct heap *heap, struct heap_node *node)
{
	size_t index = node->index;

	while (index > 0) {
		struct heap_node *parent = heap->nodes[(index - 1) / 2];

		if (!before(node, parent))
			break;
		place(heap, parent, index);
		index = (index - 1) / 2;
	}
	place(heap, node, index);
}

static void sift_down(struct heap *heap, struct heap_node *node)
{
	size_t index = node->index;

	for (;;) {
		size_t child = 2 * index + 1;

		if (child >= heap->count)
			break;
		if (child + 1 < heap->count && before(heap->nodes[child + 1], heap->nodes[child]))
			child++;
		if (!before(heap->nodes[child], node))
			break;
		place(heap, heap->nodes[child], index);
		index = child;
	}
	place(heap, node, index);
}

static int grow(struct heap *heap)
{
	const size_t capacity = heap->capacity ? 2 * heap->capacity : 64;
	struct heap_node **nodes = realloc(heap->nodes, capacity * sizeof(*nodes));

	if (nodes == NULL)
		return ERR_NO_MEMORY;
	heap->nodes = nodes;
	heap->capacity = capacity;
	return 0;
}

int heap_arm(struct heap *heap, struct heap_node *node, uint64_t due_ns)
{
	node->due_ns = due_ns;
	node->sequence = heap->next_sequence++;
	if (node->index == HEAP_IDLE) {
		if (heap->count == heap->capacity && grow(heap))
			return ERR_NO_MEMORY;
		place(heap, node, heap->count++);
	}
	sift_up(heap, node);
	sift_down(heap, node);
	return 0;
}

void heap_disarm(struct heap *heap, struct heap_node *node)
{
	struct heap_node *last;

	if (node->index == HEAP_IDLE)
		return;
	last = heap->nodes[--heap->count];
	if (last != node) {
		place(heap, last, node->index);
		sift_up(heap, last);
		sift_down(heap, last);
	}
	node->index = HEAP_IDLE;
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count ? heap->nodes[0] : NULL;
}

bool heap_is_valid(const struct heap *heap)
{
	for (size_t i = 0; i < heap->count; i++) {
		if (heap->nodes[i]->index != i)
			return false;
		if (i > 0 && before(heap->nodes[i], heap->nodes[(i - 1) / 2]))
			return false;
	}
	return true;
}
