/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/heap.  Invariant, checked after every random step: parents
 * before children, indices right, and the first node is the least of a plain
 * list by (deadline, order of arming).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/heap.h"
#include "base/rng.h"

#define NODES 200

static void equal_deadlines_leave_in_order_of_arming(void **state)
{
	struct heap heap;
	struct heap_node nodes[NODES];

	(void)state;
	heap_init(&heap);
	for (size_t i = 0; i < NODES; i++) {
		heap_node_init(&nodes[i]);
		heap_arm(&heap, &nodes[i], 5);
	}
	heap_arm(&heap, &nodes[0], 5); /* re-armed: now behind all its equals */
	for (size_t i = 1; i < NODES; i++) {
		assert_ptr_equal(heap_first(&heap), &nodes[i]);
		heap_disarm(&heap, &nodes[i]);
	}
	assert_ptr_equal(heap_first(&heap), &nodes[0]);
	heap_free(&heap);
}

static void a_heap_outlives_its_nodes(void **state)
{
	struct heap_node *node = malloc(sizeof(*node));
	struct heap heap;

	(void)state;
	heap_init(&heap);
	heap_node_init(node);
	assert_int_equal(heap_arm(&heap, node, 5), 0);
	free(node);
	heap_free(&heap);
}

/* Of equals the one armed first: `armed` counts armings, one number a node. */
static struct heap_node *slow_first(struct heap_node *nodes, const uint64_t *armed)
{
	struct heap_node *best = NULL;

	for (size_t i = 0; i < NODES; i++) {
		if (nodes[i].slot == HEAP_IDLE)
			continue;
		if (!best || nodes[i].due_ns < best->due_ns ||
		    (nodes[i].due_ns == best->due_ns && armed[i] < armed[best - nodes]))
			best = &nodes[i];
	}
	return best;
}

static void random_steps_keep_the_invariant(void **state)
{
	struct heap heap;
	struct heap_node nodes[NODES];
	uint64_t armed[NODES] = {0}, armings = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	heap_init(&heap);
	for (size_t i = 0; i < NODES; i++)
		heap_node_init(&nodes[i]);
	for (int step = 0; step < 20000; step++) {
		struct heap_node *node = &nodes[rng_below(&rng, NODES)];

		if (rng_below(&rng, 3) == 0)
			heap_disarm(&heap, node);
		else
			assert_int_equal(heap_arm(&heap, node, rng_below(&rng, 50)), 0);
		armed[node - nodes] = ++armings;
		assert_true(heap_is_valid(&heap));
		assert_ptr_equal(heap_first(&heap), slow_first(nodes, armed));
	}
	heap_free(&heap);
	assert_null(heap_first(&heap));
}

static void a_broken_heap_is_seen(void **state)
{
	struct heap heap;
	struct heap_node nodes[3];

	(void)state;
	heap_init(&heap);
	for (size_t i = 0; i < 3; i++) {
		heap_node_init(&nodes[i]);
		heap_arm(&heap, &nodes[i], 10 + i);
	}
	nodes[2].due_ns = 1;
	assert_false(heap_is_valid(&heap));
	nodes[2].due_ns = 12;
	assert_true(heap_is_valid(&heap));
	nodes[2].slot = 1;
	assert_false(heap_is_valid(&heap));
	heap_free(&heap);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_deadlines_leave_in_order_of_arming),
		cmocka_unit_test(a_heap_outlives_its_nodes),
		cmocka_unit_test(random_steps_keep_the_invariant),
		cmocka_unit_test(a_broken_heap_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
