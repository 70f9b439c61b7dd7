/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/l4s_freebsd.h"
#include "aqm/ref/freebsd.h"
#include "tests/oracles/rows.h"

struct freebsd_state {
	struct world world;
	struct aqm_freebsd_params params;
	struct aqm_freebsd_vars vars;
	struct aqm_freebsd_stats stats;
};

static void freebsd_open(void *state, struct rng *rng)
{
	struct freebsd_state *router = state;

	world_open(&router->world, rng);
	router->params = (struct aqm_freebsd_params){
		.target_us = draw_log(rng, 10, 4000000),
		.tupdate_us = draw_log(rng, 100, 4000000),
		.max_burst_us = rng_below(rng, 2) ? 0 : draw_log(rng, 0, 4000000),
		.alpha_fix = (uint32_t)draw_log(rng, 0, 7 << 13),
		.beta_fix = (uint32_t)draw_log(rng, 0, 7 << 13),
		.ecn_max_fix = (uint32_t)draw_log(rng, 0, 1 << 13),
		.flags = (uint32_t)rng_below(rng, 32),
		.hz = 100,
	};
	aqm_freebsd_init(&router->params, &router->vars, &router->stats);
}

static struct oracle_freebsd oracle_of(const struct freebsd_state *router, unsigned queue)
{
	const struct aqm_freebsd_pie *pie = &router->vars.pie[queue];
	const struct aqm_freebsd_params *params = &router->params;

	return (struct oracle_freebsd){
		.target = (long double)params->target_us,
		.tupdate = (long double)params->tupdate_us,
		.max_burst = (long double)params->max_burst_us,
		.alpha = params->alpha_fix,
		.beta = params->beta_fix,
		.max_ecnth = params->ecn_max_fix,
		.ecn = params->flags & AQM_FREEBSD_ECN,
		.cap_drop = params->flags & AQM_FREEBSD_CAP_DROP,
		.derandomise = params->flags & AQM_FREEBSD_DERANDOMISE,
		.classic = queue == AQM_QUEUE_C,
		.drop_prob = (long double)pie->p,
		.accu_prob = pie->reset_pending ? 0 : (long double)pie->accumulated,
		.burst_allowance = (long double)pie->burst_allowance_us,
		.current_qdelay = (long double)pie->qdelay_us,
		.qdelay_old = (long double)pie->previous_qdelay_us,
	};
}

static void freebsd_update(struct freebsd_state *router, struct rng *rng, unsigned queue,
			   struct oracle_score *score)
{
	struct aqm_freebsd_pie *pie = &router->vars.pie[queue];
	const bool empty = rng_below(rng, 4) == 0;
	struct oracle_freebsd oracle;

	pie->qdelay_us = draw_delay_ns(rng, router->params.target_us * 1000) / 1000;
	oracle = oracle_of(router, queue);
	oracle_freebsd_update(&oracle, empty);
	aqm_freebsd_update_pie(&router->params, pie, empty ? 0 : 1500);
	oracle_compare(score, (double)pie->p, (double)oracle.drop_prob);
	oracle_equal(score, pie->qdelay_us, (uint64_t)oracle.current_qdelay);
	oracle_equal(score, pie->burst_allowance_us, (uint64_t)oracle.burst_allowance);
	if (rng_below(rng, 64) == 0)
		pie->p = (int64_t)(draw_p_q32(rng) >> 1) - (pie->p & 1);
	pie->p = pie->p < 0 ? 0
		 : pie->p > AQM_FREEBSD_PROBABILITY_ONE ? AQM_FREEBSD_PROBABILITY_ONE
							 : pie->p;
}

static void freebsd_arrive(struct freebsd_state *router, const struct aqm_facts *facts,
			   struct oracle_score *score)
{
	struct oracle_freebsd oracle = oracle_of(router, facts->queue);
	struct aqm_freebsd_pie *pie = &router->vars.pie[facts->queue];
	enum aqm_verdict logged, verdict;
	int theirs, done;

	theirs = oracle_freebsd_arrival(&oracle, (double)facts->backlog_bytes[facts->queue],
					facts->ecn != AQM_NOT_ECT,
					(double)(facts->random & 0x7fffffff),
					(double)(facts->random >> 32 & 0x7fffffff), &done);
	verdict = aqm_freebsd_on_enqueue(&router->params, &router->vars, &router->stats, facts,
					 &logged);
	oracle_verdict(score, (int)logged, theirs);
	oracle_verdict(score, (int)verdict, done);
	oracle_equal(score, pie->accumulated, (uint64_t)oracle.accu_prob);
	oracle_equal(score, pie->burst_allowance_us, (uint64_t)oracle.burst_allowance);
}

static void freebsd_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct freebsd_state *router = state;
	struct aqm_facts facts;

	world_next(&router->world, rng, &facts);
	if (rng_below(rng, 4) == 0)
		freebsd_update(router, rng, facts.queue, score);
	else
		freebsd_arrive(router, &facts, score);
}

const struct oracle_row oracle_l4s_freebsd = {
	.name = "l4s-freebsd",
	.compared = "p, accumulated p, delays, burst allowance, deed and log exactly",
	.allowed = 0,
	.size = sizeof(struct freebsd_state),
	.open = freebsd_open,
	.step = freebsd_step,
};
