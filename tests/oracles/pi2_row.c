/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/pi2.h"
#include "aqm/ref/pi2.h"
#include "tests/oracles/rows.h"

struct pi2_state {
	struct world world;
	struct aqm_pi2_params params;
	struct aqm_pi2_vars vars;
	struct aqm_pi2_stats stats;
};

static void pi2_open(void *state, struct rng *rng)
{
	struct pi2_state *pi2 = state;

	world_open(&pi2->world, rng);
	pi2->params = (struct aqm_pi2_params){
		.target_ns = draw_log(rng, 10000, 4000000000),
		.tupdate_ns = draw_log(rng, 100000, 4000000000),
		.max_burst_ns = rng_below(rng, 2) ? 0 : draw_log(rng, 0, 4000000000),
		.ecn_max_p_q32 = draw_p_q32(rng),
		.alpha_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
		.beta_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
		.k_q16 = (uint32_t)draw_log(rng, 1 << 12, 1 << 22),
		.mtu_bytes = (uint32_t)draw_log(rng, 64, 65535),
	};
	aqm_pi2_init(&pi2->params, &pi2->vars, &pi2->stats);
}

static void pi2_update(struct pi2_state *pi2, struct rng *rng, struct oracle_score *score)
{
	const uint64_t delay_ns = draw_delay_ns(rng, pi2->params.target_ns);
	struct oracle_pi oracle = {
		.target = (double)pi2->params.target_ns / 1e9,
		.alpha = pi2->params.alpha_q16 / 65536.0,
		.beta = pi2->params.beta_q16 / 65536.0,
		.highest = 1,
		.p = (double)pi2->vars.p_q32 / ORACLE_Q32,
		.prev_q = (double)pi2->vars.previous_qdelay_ns / 1e9,
	};

	oracle_pi_update(&oracle, (double)delay_ns / 1e9);
	aqm_pi2_update(&pi2->params, &pi2->vars, &pi2->stats, delay_ns);
	oracle_compare(score, (double)pi2->vars.p_q32, oracle.p * ORACLE_Q32);
	if (rng_below(rng, 16) == 0)
		pi2->vars.p_q32 = draw_p_q32(rng);
}

static void pi2_arrive(struct pi2_state *pi2, const struct aqm_facts *facts,
		       struct oracle_score *score)
{
	const struct oracle_pi2 oracle = {
		.p = (double)pi2->vars.p_q32 / ORACLE_Q32,
		.k = pi2->params.k_q16 / 65536.0,
		.ecn_max_p = (double)pi2->params.ecn_max_p_q32 / ORACLE_Q32,
		.mtu_bytes = pi2->params.mtu_bytes,
		.burst_allowance = (double)pi2->vars.burst_allowance_ns,
	};
	const struct oracle_arrival packet = {
		.ecn = facts->ecn,
		.queued_bytes = (double)facts->backlog_bytes[AQM_QUEUE_C],
		.u1 = (double)(uint32_t)facts->random / ORACLE_Q32,
		.u2 = (double)(uint32_t)(facts->random >> 32) / ORACLE_Q32,
	};

	oracle_verdict(score,
		       (int)aqm_pi2_on_enqueue(&pi2->params, &pi2->vars, &pi2->stats, facts),
		       oracle_pi2_arrival(&oracle, &packet));
	oracle_compare(score, (double)aqm_square_q32(pi2->vars.p_q32),
		       oracle.p * oracle.p * ORACLE_Q32);
	oracle_compare(score, (double)aqm_coupled_q32(pi2->params.k_q16, pi2->vars.p_q32),
		       oracle.k * oracle.p * ORACLE_Q32);
}

static void pi2_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct pi2_state *pi2 = state;
	struct aqm_facts facts;

	world_next(&pi2->world, rng, &facts);
	draw_near(rng, &facts, pi2->vars.p_q32, pi2->params.k_q16);
	if (rng_below(rng, 4) == 0)
		pi2_update(pi2, rng, score);
	else
		pi2_arrive(pi2, &facts, score);
}

const struct oracle_row oracle_pi2 = {
	.name = "pi2",
	.compared = "p', p'^2, k p' (2^-32); verdicts exactly",
	.allowed = 1,
	.size = sizeof(struct pi2_state),
	.open = pi2_open,
	.step = pi2_step,
};
