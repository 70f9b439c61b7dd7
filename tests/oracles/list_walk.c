/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracles/list_walk.h"

void list_walk_open(struct list_walk *walk, struct rng *rng)
{
	*walk = (struct list_walk){
		.gap_ns = 1000000,
		.arrivals_of_16 = 8,
		/* Coarse at times, so that "equal" happens in every comparison. */
		.grid_ns = rng_below(rng, 2) ? 1 : 1000000,
	};
	walk->theirs.packets = walk->theirs_room;
	walk->theirs.capacity = (size_t)2 * LIST_ROOM;
}

bool list_walk_next(struct list_walk *walk, struct rng *rng, bool *full)
{
	struct oracle_packet packet;

	if (rng_below(rng, 400) == 0) {
		walk->gap_ns = UINT64_C(1) << rng_below(rng, 25);
		walk->arrivals_of_16 = (unsigned)draw_between(rng, 4, 13);
	}
	walk->now_ns += (1 + rng_below(rng, 2 * walk->gap_ns)) / walk->grid_ns * walk->grid_ns;
	if (rng_below(rng, 16) >= walk->arrivals_of_16)
		return false;
	*full = walk->waiting == LIST_ROOM;
	if (*full)
		return true;
	packet = (struct oracle_packet){
		.number = walk->number++,
		.arrived_ns = (double)walk->now_ns,
		.len_bytes = (double)draw_between(rng, 40, 1500),
		.can_mark = rng_below(rng, 4) == 0,
		.draw = (double)(rng_u64(rng) >> 32) / ORACLE_Q32,
	};
	oracle_list_put(&walk->theirs, packet);
	walk->ours[(walk->first + walk->waiting++) % LIST_ROOM] = packet;
	walk->bytes += (uint64_t)packet.len_bytes;
	return true;
}

struct oracle_packet list_walk_take(struct list_walk *walk, struct aqm_facts *facts)
{
	const struct oracle_packet packet = walk->ours[walk->first];

	walk->first = (walk->first + 1) % LIST_ROOM;
	walk->waiting--;
	walk->bytes -= (uint64_t)packet.len_bytes;
	*facts = (struct aqm_facts){
		.now_ns = walk->now_ns,
		.random = (uint64_t)(packet.draw * ORACLE_Q32),
		.sojourn_ns = walk->now_ns - (uint64_t)packet.arrived_ns,
		.len_bytes = (uint32_t)packet.len_bytes,
		.ecn = packet.can_mark ? AQM_ECT0 : AQM_NOT_ECT,
	};
	facts->backlog_bytes[AQM_QUEUE_C] = walk->bytes;
	facts->backlog_pkts[AQM_QUEUE_C] = (uint32_t)walk->waiting;
	return packet;
}
