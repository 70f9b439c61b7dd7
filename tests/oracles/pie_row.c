/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/pie.h"
#include "aqm/ref/pie.h"
#include "tests/oracles/rows.h"

struct pie_state {
	struct world world;
	struct aqm_pie_params params;
	struct aqm_pie_vars vars;
	struct aqm_pie_stats stats;
};

static void pie_open(void *state, struct rng *rng)
{
	struct pie_state *pie = state;

	world_open(&pie->world, rng);
	pie->params = (struct aqm_pie_params){
		.target_ns = draw_log(rng, 10000, 4000000000),
		.tupdate_ns = draw_log(rng, 100000, 4000000000),
		.max_burst_ns = rng_below(rng, 2) ? 0 : draw_log(rng, 0, 4000000000),
		.ecn_max_p_q32 = draw_p_q32(rng),
		.alpha_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
		.beta_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
	};
	aqm_pie_init(&pie->params, &pie->vars, &pie->stats);
}

static struct oracle_pie oracle_of(const struct pie_state *pie)
{
	return (struct oracle_pie){
		.qdelay_ref = (double)pie->params.target_ns / 1e9,
		.t_update = (double)pie->params.tupdate_ns,
		.max_burst = (double)pie->params.max_burst_ns,
		.alpha = pie->params.alpha_q16 / 65536.0,
		.beta = pie->params.beta_q16 / 65536.0,
		.mark_ecnth = (double)pie->params.ecn_max_p_q32 / ORACLE_Q32,
		.drop_prob = (double)pie->vars.p_q32 / ORACLE_Q32,
		.accu_prob = (double)pie->vars.accumulated_q32 / ORACLE_Q32,
		.burst_allowance = (double)pie->vars.burst_allowance_ns,
		.qdelay_old = (double)pie->vars.previous_qdelay_ns / 1e9,
	};
}

static void pie_arrive(struct pie_state *pie, const struct aqm_facts *facts,
		       struct oracle_score *score)
{
	struct oracle_pie oracle = oracle_of(pie);
	const int theirs = oracle_pie_arrival(
		&oracle, (double)facts->backlog_bytes[0] + (double)facts->backlog_bytes[1],
		facts->ecn != AQM_NOT_ECT, (double)(uint32_t)facts->random / ORACLE_Q32);
	const enum aqm_verdict verdict =
		aqm_pie_on_enqueue(&pie->params, &pie->vars, &pie->stats, facts);

	oracle_verdict(score, (int)verdict, theirs);
	oracle_equal(score, pie->vars.accumulated_q32, (uint64_t)(oracle.accu_prob * ORACLE_Q32));
}

static void pie_update(struct pie_state *pie, struct rng *rng, struct oracle_score *score)
{
	struct oracle_pie oracle = oracle_of(pie);
	const uint64_t delay_ns = draw_delay_ns(rng, pie->params.target_ns);

	oracle_pie_update(&oracle, (double)delay_ns / 1e9);
	aqm_pie_update(&pie->params, &pie->vars, &pie->stats, delay_ns);
	oracle_compare(score, (double)pie->vars.p_q32, oracle.drop_prob * ORACLE_Q32);
	/* Where p is 0 on one side only, by its last unit, the allowance may part: not here. */
	if ((pie->vars.p_q32 == 0) == (oracle.drop_prob == 0))
		oracle_equal(score, pie->vars.burst_allowance_ns, (uint64_t)oracle.burst_allowance);
	if (rng_below(rng, 64) == 0)
		pie->vars.p_q32 = draw_p_q32(rng);
}

static void pie_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct pie_state *pie = state;
	struct aqm_facts facts;

	world_next(&pie->world, rng, &facts);
	if (rng_below(rng, 4) == 0)
		pie_update(pie, rng, score);
	else
		pie_arrive(pie, &facts, score);
}

const struct oracle_row oracle_pie = {
	.name = "pie",
	.compared = "p (2^-32); accumulated p, burst allowance, verdicts exactly",
	.allowed = 1,
	.size = sizeof(struct pie_state),
	.open = pie_open,
	.step = pie_step,
};
