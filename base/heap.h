/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Intrusive heap of deadlines.
 *
 * A node is embedded in whatever waits.  Equal deadlines leave in the order in
 * which they were armed (the sequence number): the order is total, so a run is
 * a pure function of its inputs.
 */
#ifndef BASE_HEAP_H
#define BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_IDLE UINT32_MAX

struct heap_node {
	uint64_t due_ns;
	uint32_t slot; /* where the heap remembers it, HEAP_IDLE when it is not in one */
};

/* What is compared and moved about. */
struct heap_entry {
	uint64_t due_ns;
	uint32_t slot;
};

/* What is remembered of a node while it is armed. */
struct heap_slot {
	struct heap_node *node;
	uint64_t sequence; /* of arming */
};

struct heap {
	void *memory;               /* that entries lie in, so placed that children share a line */
	struct heap_entry *entries; /* in heap order */
	struct heap_slot *slots;
	uint32_t *places;           /* of a slot: its entry; of a free one: the next free slot */
	uint32_t count, capacity;
	uint32_t free_slot;         /* HEAP_IDLE: none */
	uint64_t next_sequence;
};

void heap_init(struct heap *heap);

/* Nodes are not touched: they may be gone already, and those armed are not to be used again. */
void heap_free(struct heap *heap);
void heap_node_init(struct heap_node *node);

/* Arms or re-arms `node` for `due_ns`; a re-armed node queues behind its equals.  ERR_NO_MEMORY. */
int heap_arm(struct heap *heap, struct heap_node *node, uint64_t due_ns);

/* Takes `node` out; nothing happens if it is idle. */
void heap_disarm(struct heap *heap, struct heap_node *node);

/* Earliest node, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

/* Has what is due after the first fetched from memory: a hint, nothing changes. */
void heap_expect(const struct heap *heap);

/* Checks order and places: for tests. */
bool heap_is_valid(const struct heap *heap);

#endif
