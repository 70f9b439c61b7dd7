/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both profiles, each with decisions at enqueue and at dequeue, with and without
 * drops on overload.
 */
#include <math.h>

#include "aqm/dualpi2.h"
#include "aqm/ref/pi2.h"
#include "tests/oracles/rows.h"

struct dualpi2_state {
	struct world world;
	struct aqm_dualpi2_params params;
	struct aqm_dualpi2_vars vars;
	struct aqm_dualpi2_stats stats;
};

static void open_profile(struct dualpi2_state *dual, struct rng *rng,
			 enum aqm_dualpi2_profile profile)
{
	world_open(&dual->world, rng);
	dual->params = (struct aqm_dualpi2_params){
		.target_ns = draw_log(rng, 10000, 4000000000),
		.tupdate_ns = draw_log(rng, 100000, 4000000000),
		.alpha_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
		.beta_q16 = (uint32_t)draw_log(rng, 0, 1 << 22),
		.k_q16 = (uint32_t)draw_log(rng, 1 << 12, 1 << 22),
		.mtu_bytes = (uint32_t)draw_log(rng, 64, 65535),
		.profile = profile,
		.step.threshold_ns = draw_log(rng, 0, 4000000000),
		.step.min_qlen_pkts = (uint32_t)rng_below(rng, 4),
		.drop_early = rng_below(rng, 2),
		.drop_overload = rng_below(rng, 2),
	};
	aqm_dualpi2_init(&dual->params, &dual->vars, &dual->stats);
}

static void linux_open(void *state, struct rng *rng)
{
	open_profile(state, rng, AQM_DUALPI2_LINUX);
}

static void rfc9332_open(void *state, struct rng *rng)
{
	open_profile(state, rng, AQM_DUALPI2_RFC9332);
}

static double highest(const struct dualpi2_state *dual)
{
	return dual->params.drop_overload ? 1 : fmin(65536.0 / dual->params.k_q16, 1);
}

static void dualpi2_update(struct dualpi2_state *dual, struct rng *rng, struct aqm_facts *facts,
			   struct oracle_score *score)
{
	struct oracle_pi oracle = {
		.target = (double)dual->params.target_ns / 1e9,
		.alpha = dual->params.alpha_q16 / 65536.0,
		.beta = dual->params.beta_q16 / 65536.0,
		.highest = highest(dual),
		.p = (double)dual->vars.p_q32 / ORACLE_Q32,
		.prev_q = (double)dual->vars.previous_qdelay_ns / 1e9,
	};
	const uint64_t *ages = facts->head_sojourn_ns;

	facts->head_sojourn_ns[rng_below(rng, 2)] = draw_delay_ns(rng, dual->params.target_ns);
	oracle_pi_update(&oracle, fmax((double)ages[0], (double)ages[1]) / 1e9);
	aqm_dualpi2_update(&dual->params, &dual->vars, &dual->stats, facts);
	oracle_compare(score, (double)dual->vars.p_q32, oracle.p * ORACLE_Q32);
	if (rng_below(rng, 16) == 0) {
		dual->vars.p_q32 = draw_p_q32(rng);
		if ((double)dual->vars.p_q32 > highest(dual) * ORACLE_Q32)
			dual->vars.p_q32 = (uint64_t)(highest(dual) * ORACLE_Q32);
	}
}

static struct oracle_dualpi2 oracle_of(const struct dualpi2_state *dual)
{
	const double threshold = (double)dual->params.step.threshold_ns;
	const double width = dual->params.profile == AQM_DUALPI2_LINUX ? 0 : threshold / 5;

	return (struct oracle_dualpi2){
		.p = (double)dual->vars.p_q32 / ORACLE_Q32,
		.k = dual->params.k_q16 / 65536.0,
		.mtu_bytes = dual->params.mtu_bytes,
		.drop_overload = dual->params.drop_overload,
		.min_th = threshold - width,
		.max_th = threshold + width,
		.th_pkts = dual->params.step.min_qlen_pkts,
	};
}

static void dualpi2_decide(struct dualpi2_state *dual, const struct aqm_facts *facts,
			   uint32_t found_pkts, struct oracle_score *score)
{
	const struct oracle_dualpi2 oracle = oracle_of(dual);
	const struct oracle_arrival packet = {
		.ecn = facts->ecn,
		.queue = facts->queue,
		.queued_bytes = (double)facts->backlog_bytes[0] + (double)facts->backlog_bytes[1],
		.sojourn = (double)facts->sojourn_ns,
		.found_pkts = found_pkts,
		.u1 = (double)(uint32_t)facts->random / ORACLE_Q32,
		.u2 = (double)(uint32_t)(facts->random >> 32) / ORACLE_Q32,
	};
	const int enqueue = (int)aqm_dualpi2_on_enqueue(&dual->params, &dual->vars, &dual->stats,
							facts);
	const int dequeue = (int)aqm_dualpi2_on_dequeue(&dual->params, &dual->vars, &dual->stats,
							facts, found_pkts);

	if (dual->params.drop_early) {
		oracle_verdict(score, enqueue, oracle_dualpi2_coupled(&oracle, &packet));
		oracle_verdict(score, dequeue, oracle_dualpi2_native(&oracle, &packet));
	} else {
		oracle_verdict(score, enqueue, AQM_PASS);
		oracle_verdict(score, dequeue, oracle_dualpi2_dequeue(&oracle, &packet));
	}
}

static void dualpi2_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct dualpi2_state *dual = state;
	struct aqm_facts facts;

	world_next(&dual->world, rng, &facts);
	draw_near(rng, &facts, dual->vars.p_q32, dual->params.k_q16);
	if (rng_below(rng, 2))
		facts.sojourn_ns =
			dual->params.step.threshold_ns * draw_between(rng, 70, 130) / 100;
	if (rng_below(rng, 4) == 0)
		dualpi2_update(dual, rng, &facts, score);
	else
		dualpi2_decide(dual, &facts, (uint32_t)rng_below(rng, 5), score);
}

const struct oracle_row oracle_dualpi2_linux = {
	.name = "dualpi2 linux",
	.compared = "p' (2^-32); verdicts exactly",
	.allowed = 1,
	.size = sizeof(struct dualpi2_state),
	.open = linux_open,
	.step = dualpi2_step,
};

const struct oracle_row oracle_dualpi2_rfc9332 = {
	.name = "dualpi2 rfc9332",
	.compared = "p' (2^-32); verdicts exactly",
	.allowed = 1,
	.size = sizeof(struct dualpi2_state),
	.open = rfc9332_open,
	.step = dualpi2_step,
};
