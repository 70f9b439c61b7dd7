/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Jitter: packets in a binary heap by their times of leaving.
 */
#include "sim/impair.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define MOST_MEANS 10

static bool leaves_before(const struct jitter_packet *a, const struct jitter_packet *b)
{
	return a->due_ns != b->due_ns ? a->due_ns < b->due_ns : a->number < b->number;
}

static bool make_room(struct jitter *jitter)
{
	const uint64_t capacity = jitter->capacity ? 2 * jitter->capacity : 64;
	struct jitter_packet *heap;

	if (jitter->count < jitter->capacity)
		return true;
	heap = realloc(jitter->heap, capacity * sizeof(*heap));
	if (heap == NULL)
		return false;
	jitter->heap = heap;
	jitter->capacity = capacity;
	return true;
}

static void put(struct jitter *jitter, struct jitter_packet entry)
{
	uint64_t at = jitter->count++;

	while (at > 0 && leaves_before(&entry, &jitter->heap[(at - 1) / 2])) {
		jitter->heap[at] = jitter->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	jitter->heap[at] = entry;
}

static struct packet *take(struct jitter *jitter)
{
	struct packet *packet = jitter->heap[0].packet;
	const struct jitter_packet last = jitter->heap[--jitter->count];
	uint64_t at = 0;

	for (uint64_t child = 1; child < jitter->count; child = 2 * at + 1) {
		if (child + 1 < jitter->count &&
		    leaves_before(&jitter->heap[child + 1], &jitter->heap[child]))
			child++;
		if (!leaves_before(&jitter->heap[child], &last))
			break;
		jitter->heap[at] = jitter->heap[child];
		at = child;
	}
	jitter->heap[at] = last;
	return packet;
}

static void jitter_arm(struct jitter *jitter)
{
	node_arm(&jitter->node, jitter->count ? jitter->heap[0].due_ns : TIME_NEVER_NS);
}

static uint64_t draw_ns(struct jitter *jitter)
{
	const double means = fmin(rng_exponential(&jitter->random), MOST_MEANS);

	return (uint64_t)llround(means * (double)jitter->mean_ns);
}

static void jitter_forward(struct sim_node *node, struct packet *packet)
{
	struct jitter *jitter = (struct jitter *)node;
	uint64_t due_ns = node->clock->now_ns + draw_ns(jitter);

	if (!jitter->may_overtake && due_ns < jitter->last_ns)
		due_ns = jitter->last_ns;
	jitter->last_ns = due_ns;
	if (!make_room(jitter)) {
		node->clock->failed = true;
		return;
	}
	put(jitter, (struct jitter_packet){due_ns, jitter->numbers++, packet});
	jitter_arm(jitter);
}

static void jitter_run(struct sim_node *node)
{
	struct jitter *jitter = (struct jitter *)node;

	while (jitter->count && jitter->heap[0].due_ns <= node->clock->now_ns)
		node_forward(node->next, take(jitter));
	jitter_arm(jitter);
}

static const struct sim_node_ops jitter_ops = {.forward = jitter_forward, .run = jitter_run};

void jitter_init(struct jitter *jitter, struct clock *clock, struct sim_node *next,
		 const struct impairments *plan, struct rng random)
{
	memset(jitter, 0, sizeof(*jitter));
	node_init(&jitter->node, &jitter_ops, clock, next);
	jitter->random = random;
	jitter->mean_ns = ns_from_ms(plan->jitter_ms);
	jitter->may_overtake = plan->may_overtake;
}

void jitter_free(struct jitter *jitter)
{
	free(jitter->heap);
}
