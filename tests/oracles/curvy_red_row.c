/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "aqm/curvy_red.h"
#include "aqm/ref/curvy_red.h"
#include "tests/oracles/rows.h"

struct curvy_state {
	struct world world;
	struct aqm_curvy_params params;
	struct aqm_curvy_vars vars;
	struct aqm_curvy_stats stats;
};

static void curvy_open(void *state, struct rng *rng)
{
	struct curvy_state *curvy = state;

	world_open(&curvy->world, rng);
	curvy->params = (struct aqm_curvy_params){
		.min_ns = rng_below(rng, 2) ? 0 : draw_log(rng, 0, 4000000000),
		.range_ns = draw_log(rng, 10000, 4000000000),
		.k_q16 = (uint32_t)draw_log(rng, 1 << 12, 1 << 22),
		.smoothing = (uint32_t)rng_below(rng, 17),
		.step.threshold_ns = draw_log(rng, 0, 4000000000),
		.step.min_qlen_pkts = (uint32_t)rng_below(rng, 4),
	};
	aqm_curvy_init(&curvy->vars, &curvy->stats);
}

static struct oracle_curvy oracle_of(const struct curvy_state *curvy)
{
	return (struct oracle_curvy){
		.gamma = ldexp(1, -(int)curvy->params.smoothing),
		.min_th = (double)curvy->params.min_ns,
		.range_c = (double)curvy->params.range_ns,
		.k = curvy->params.k_q16 / 65536.0,
		.threshold = (double)curvy->params.step.threshold_ns,
		.th_pkts = curvy->params.step.min_qlen_pkts,
		.q_c = (double)curvy->vars.average_q16 / 65536,
	};
}

static void curvy_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct curvy_state *curvy = state;
	struct oracle_curvy oracle = oracle_of(curvy);
	const uint32_t found_pkts = (uint32_t)rng_below(rng, 5);
	struct oracle_arrival packet;
	struct aqm_facts facts;
	uint64_t root_q32;
	int verdict;

	world_next(&curvy->world, rng, &facts);
	draw_near(rng, &facts, aqm_curvy_root_q32(&curvy->params, curvy->vars.average_q16),
		  curvy->params.k_q16);
	facts.sojourn_ns = draw_delay_ns(rng, curvy->params.range_ns);
	packet = (struct oracle_arrival){
		.ecn = facts.ecn,
		.queue = facts.queue,
		.sojourn = (double)facts.sojourn_ns,
		.found_pkts = found_pkts,
		.u1 = (double)(uint32_t)facts.random / ORACLE_Q32,
		.u2 = (double)(uint32_t)(facts.random >> 32) / ORACLE_Q32,
	};
	verdict = (int)aqm_curvy_on_dequeue(&curvy->params, &curvy->vars, &curvy->stats, &facts,
					    found_pkts);
	if (facts.queue == AQM_QUEUE_C)
		oracle_curvy_average(&oracle, (double)facts.sojourn_ns);
	else if (facts.backlog_pkts[AQM_QUEUE_C] == 0)
		oracle_curvy_average(&oracle, 0);
	oracle_compare(score, (double)curvy->vars.average_q16, oracle.q_c * 65536);
	oracle.q_c = (double)curvy->vars.average_q16 / 65536;
	root_q32 = aqm_curvy_root_q32(&curvy->params, curvy->vars.average_q16);
	oracle_compare(score, (double)root_q32, oracle_curvy_root(&oracle) * ORACLE_Q32);
	/* What rounds is the root; the draws are whole, so give the oracle that very root. */
	oracle = (struct oracle_curvy){.min_th = 0,
				       .range_c = 1,
				       .q_c = (double)root_q32 / ORACLE_Q32,
				       .k = oracle.k,
				       .threshold = oracle.threshold,
				       .th_pkts = oracle.th_pkts};
	oracle_verdict(score, verdict, oracle_curvy_dequeue(&oracle, &packet));
}

const struct oracle_row oracle_curvy_red = {
	.name = "curvy_red",
	.compared = "Q_C (2^-16 ns), sqrt(p_C) (2^-32); verdicts exactly",
	.allowed = 1,
	.size = sizeof(struct curvy_state),
	.open = curvy_open,
	.step = curvy_step,
};
