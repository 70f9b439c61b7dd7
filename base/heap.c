/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Heap of deadlines: four children a node, which lie in one cache line.
 *
 * Rules: (due_ns, sequence) is a total order, no two entries compare equal; a
 * node knows its slot and the slot its place, so that disarming needs no
 * search.  Arming and disarming cost O(log n), looking at the first is free.
 * Entries move without a look at what waits, which may lie anywhere in memory.
 */
#include "base/heap.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define CHILDREN 4
#define CACHE_LINE_BYTES 64

void heap_init(struct heap *heap)
{
	memset(heap, 0, sizeof(*heap));
	heap->free_slot = HEAP_IDLE;
}

void heap_free(struct heap *heap)
{
	free(heap->memory);
	free(heap->slots);
	free(heap->places);
	heap_init(heap);
}

void heap_node_init(struct heap_node *node)
{
	node->due_ns = 0;
	node->slot = HEAP_IDLE;
}

static bool is_before(const struct heap *heap, const struct heap_entry *a,
		      const struct heap_entry *b)
{
	return a->due_ns < b->due_ns ||
	       (a->due_ns == b->due_ns &&
		heap->slots[a->slot].sequence < heap->slots[b->slot].sequence);
}

static void place(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	heap->entries[index] = entry;
	heap->places[entry.slot] = index;
}

/* Moves `entry` from the hole at `index` towards the root. */
static void sift_up(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	while (index > 0) {
		const uint32_t parent = (index - 1) / CHILDREN;

		if (!is_before(heap, &entry, &heap->entries[parent]))
			break;
		place(heap, index, heap->entries[parent]);
		index = parent;
	}
	place(heap, index, entry);
}

/* Moves `entry` from the hole at `index` towards the leaves. */
static void sift_down(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	for (;;) {
		const uint32_t first = CHILDREN * index + 1;
		const uint32_t end =
			first + CHILDREN < heap->count ? first + CHILDREN : heap->count;
		uint32_t least = first;

		if (first >= heap->count)
			break;
		for (uint32_t child = first + 1; child < end; child++)
			if (is_before(heap, &heap->entries[child], &heap->entries[least]))
				least = child;
		if (!is_before(heap, &heap->entries[least], &entry))
			break;
		place(heap, index, heap->entries[least]);
		index = least;
	}
	place(heap, index, entry);
}

/* Puts `entry` where it belongs, starting from the hole at `index`. */
static void settle(struct heap *heap, uint32_t index, struct heap_entry entry)
{
	if (index > 0 && is_before(heap, &entry, &heap->entries[(index - 1) / CHILDREN]))
		sift_up(heap, index, entry);
	else
		sift_down(heap, index, entry);
}

/* Entries anew, such that entry 1, the first of four children, begins a cache line. */
static int grow_entries(struct heap *heap, uint32_t capacity)
{
	const size_t first = CACHE_LINE_BYTES - sizeof(struct heap_entry);
	const size_t lines =
		(capacity * sizeof(struct heap_entry) + first) / CACHE_LINE_BYTES + 1;
	char *memory = aligned_alloc(CACHE_LINE_BYTES, lines * CACHE_LINE_BYTES);

	if (!memory)
		return ERR_NO_MEMORY;
	if (heap->count)
		memcpy(memory + first, heap->entries, heap->count * sizeof(struct heap_entry));
	free(heap->memory);
	heap->memory = memory;
	heap->entries = (struct heap_entry *)(memory + first);
	return 0;
}

static int grow(struct heap *heap)
{
	const uint32_t capacity = heap->capacity ? heap->capacity * 2 : 64;
	struct heap_slot *slots = realloc(heap->slots, capacity * sizeof(*slots));
	uint32_t *places;

	if (!slots)
		return ERR_NO_MEMORY;
	heap->slots = slots;
	places = realloc(heap->places, capacity * sizeof(*places));
	if (!places)
		return ERR_NO_MEMORY;
	heap->places = places;
	if (capacity >= HEAP_IDLE / CHILDREN || grow_entries(heap, capacity))
		return ERR_NO_MEMORY;
	for (uint32_t slot = capacity; slot-- > heap->capacity;) {
		places[slot] = heap->free_slot;
		heap->free_slot = slot;
	}
	heap->capacity = capacity;
	return 0;
}

/* A slot and the last entry for a node that has none. */
static int admit(struct heap *heap, struct heap_node *node)
{
	if (heap->free_slot == HEAP_IDLE && grow(heap))
		return ERR_NO_MEMORY;
	node->slot = heap->free_slot;
	heap->free_slot = heap->places[node->slot];
	heap->slots[node->slot].node = node;
	heap->places[node->slot] = heap->count++;
	return 0;
}

int heap_arm(struct heap *heap, struct heap_node *node, uint64_t due_ns)
{
	if (node->slot == HEAP_IDLE && admit(heap, node))
		return ERR_NO_MEMORY;
	node->due_ns = due_ns;
	heap->slots[node->slot].sequence = heap->next_sequence++;
	settle(heap, heap->places[node->slot], (struct heap_entry){due_ns, node->slot});
	return 0;
}

void heap_disarm(struct heap *heap, struct heap_node *node)
{
	const uint32_t slot = node->slot;
	struct heap_entry last;
	uint32_t index;

	if (slot == HEAP_IDLE)
		return;
	index = heap->places[slot];
	last = heap->entries[--heap->count];
	heap->places[slot] = heap->free_slot;
	heap->free_slot = slot;
	node->slot = HEAP_IDLE;
	if (last.slot != slot)
		settle(heap, index, last);
}

struct heap_node *heap_first(const struct heap *heap)
{
	return heap->count > 0 ? heap->slots[heap->entries[0].slot].node : NULL;
}

void heap_expect(const struct heap *heap)
{
	for (uint32_t i = 1; i <= CHILDREN && i < heap->count; i++) {
		const char *node = (const char *)heap->slots[heap->entries[i].slot].node;

		__builtin_prefetch(node);
		__builtin_prefetch(node + CACHE_LINE_BYTES);
	}
}

bool heap_is_valid(const struct heap *heap)
{
	for (uint32_t i = 0; i < heap->count; i++) {
		const struct heap_entry *entry = &heap->entries[i];
		const struct heap_node *node = heap->slots[entry->slot].node;

		if (heap->places[entry->slot] != i || node->slot != entry->slot ||
		    node->due_ns != entry->due_ns)
			return false;
		if (i > 0 && is_before(heap, entry, &heap->entries[(i - 1) / CHILDREN]))
			return false;
	}
	return true;
}
