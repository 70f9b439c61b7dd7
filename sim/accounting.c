/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No packet gets lost unnoticed: every one that was sent was delivered, dropped by a queue, lost
 * by an impairment, or is held by a node when the run ends; and nobody else holds any.
 */
#include "sim/world.h"

static uint64_t held_by_nodes(const struct world *world)
{
	uint64_t held = world->processor.waiting + (world->bottleneck.on_wire != NULL) +
			world->aggregate.count + delay_line_held(&world->forward_delay) +
			paths_held(world);

	for (int q = 0; q < AQM_QUEUES; q++)
		held += world->queue->backlog_pkts[q];
	for (uint64_t i = 0; i < world->way_back_count; i++)
		held += delay_line_held(&world->ways_back[i]);
	return held;
}

static uint64_t dropped(const struct world *world)
{
	uint64_t drops = world->processor.drops;

	for (int q = 0; q < AQM_QUEUES; q++)
		drops += world->queue->counts[q].drops;
	return drops;
}

int world_check_accounting(const struct world *world, struct error *error)
{
	const uint64_t held = held_by_nodes(world), drops = dropped(world);
	const uint64_t lost = paths_lost(world);

	if (world->emitted == world->delivered + drops + lost + held &&
	    held == world->pool.allocated)
		return 0;
	return error_set(
		error, ERR_FAILED,
		"packets do not add up: %llu sent, %llu delivered, %llu dropped, %llu lost "
		"on the way, %llu in flight, %zu handed out",
		(unsigned long long)world->emitted, (unsigned long long)world->delivered,
		(unsigned long long)drops, (unsigned long long)lost, (unsigned long long)held,
		world->pool.allocated);
}
