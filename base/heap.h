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

#define HEAP_IDLE SIZE_MAX

struct heap_node {
	uint64_t due_ns;
	size_t index; /* place in the heap, HEAP_IDLE when not in one */
};

/* A node in the heap, with its key. */
struct heap_entry {
	uint64_t due_ns;
	uint64_t sequence; /* of arming */
	struct heap_node *node;
};

struct heap {
	struct heap_entry *entries;
	size_t count;
	size_t capacity;
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

/* Checks order and indices: for tests. */
bool heap_is_valid(const struct heap *heap);

#endif
