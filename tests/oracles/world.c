/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/oracles/oracles.h"

uint64_t draw_between(struct rng *rng, uint64_t low, uint64_t high)
{
	return low + rng_below(rng, high - low + 1);
}

uint64_t draw_log(struct rng *rng, uint64_t low, uint64_t high)
{
	const uint64_t span = high - low;
	const unsigned bits = span ? 64 - (unsigned)__builtin_clzll(span) : 1;
	const uint64_t draw = rng_u64(rng) >> (64 - (1 + rng_below(rng, bits)));

	return low + (draw > span ? span : draw);
}

uint64_t draw_p_q32(struct rng *rng)
{
	const uint64_t kind = rng_below(rng, 16);

	if (kind == 0)
		return 0;
	if (kind == 1)
		return AQM_Q32_ONE;
	return kind < 9 ? rng_u64(rng) >> 32 : draw_log(rng, 1, AQM_Q32_ONE);
}

static void new_scales(struct world *world, struct rng *rng)
{
	world->gap_bits = (unsigned)draw_between(rng, 1, 26);
	world->sojourn_bits = (unsigned)draw_between(rng, 10, 33);
	world->load_bits = (unsigned)draw_between(rng, 6, 28);
}

void world_open(struct world *world, struct rng *rng)
{
	*world = (struct world){0};
	new_scales(world, rng);
}

/* A packet's 64 random bits: mostly uniform, at times the ends, at times small. */
static uint64_t draw_bits(struct rng *rng)
{
	switch (rng_below(rng, 16)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return draw_log(rng, 0, UINT32_MAX) << 32 | draw_log(rng, 0, UINT32_MAX);
	default:
		return rng_u64(rng);
	}
}

static void draw_queue(const struct world *world, struct rng *rng, struct aqm_facts *facts,
		       int queue)
{
	if (rng_below(rng, 8) == 0)
		return;
	facts->backlog_bytes[queue] = 1 + (rng_u64(rng) >> (64 - world->load_bits));
	facts->backlog_pkts[queue] = 1 + (uint32_t)(facts->backlog_bytes[queue] / 1500);
	facts->head_sojourn_ns[queue] = rng_u64(rng) >> (64 - world->sojourn_bits);
}

void world_next(struct world *world, struct rng *rng, struct aqm_facts *facts)
{
	if (rng_below(rng, 256) == 0)
		new_scales(world, rng);
	world->now_ns += rng_u64(rng) >> (64 - world->gap_bits);
	*facts = (struct aqm_facts){
		.now_ns = world->now_ns,
		.random = draw_bits(rng),
		.len_bytes = (uint32_t)(rng_below(rng, 64) ? draw_between(rng, 40, 1500) : 65535),
		.ecn = (uint8_t)rng_below(rng, 4),
		.queue = (uint8_t)rng_below(rng, AQM_QUEUES),
	};
	for (int i = 0; i < AQM_QUEUES; i++)
		draw_queue(world, rng, facts, i);
	facts->sojourn_ns = facts->head_sojourn_ns[facts->queue];
	if (facts->backlog_pkts[0] + facts->backlog_pkts[1] == 0)
		facts->idle_ns = rng_u64(rng) >> (20 + rng_below(rng, 40));
}

uint64_t draw_delay_ns(struct rng *rng, uint64_t target_ns)
{
	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
		return 0;
	case 2:
		return rng_u64(rng) >> (31 + rng_below(rng, 30));
	case 3:
		return target_ns / 2 + rng_below(rng, 3) - 1;
	default:
		return rng_below(rng, 3 * target_ns);
	}
}

/* p as a draw, or one of its neighbours. */
static uint32_t near(struct rng *rng, uint64_t p_q32)
{
	const uint64_t draw = p_q32 + rng_below(rng, 3) - 1;

	return draw > UINT32_MAX ? UINT32_MAX : (uint32_t)draw;
}

void draw_near(struct rng *rng, struct aqm_facts *facts, uint64_t p_q32, uint32_t k_q16)
{
	const uint64_t kind = rng_below(rng, 8);

	if (kind == 0)
		facts->random = (uint64_t)near(rng, p_q32) << 32 | near(rng, p_q32);
	else if (kind == 1)
		facts->random = (facts->random & ~UINT64_C(0xffffffff)) |
				near(rng, p_q32 * k_q16 >> 16);
}
