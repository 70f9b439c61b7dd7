/* SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "aqm/red.h"
#include "aqm/ref/red.h"
#include "tests/oracles/rows.h"

struct red_state {
	struct world world;
	struct aqm_red_params params;
	struct aqm_red_vars vars;
	struct aqm_red_stats stats;
};

static void red_open(void *state, struct rng *rng)
{
	struct red_state *red = state;

	world_open(&red->world, rng);
	red->params = (struct aqm_red_params){
		.min_bytes = draw_log(rng, 0, 99999999),
		.max_p_q32 = draw_p_q32(rng),
		.weight_q32 = draw_log(rng, 4295, AQM_Q32_ONE),
		.packet_time_ns = draw_log(rng, 1, 4000000000),
		.adaptive = rng_below(rng, 2),
		.gentle = rng_below(rng, 2),
		.ecn = rng_below(rng, 2),
	};
	red->params.max_bytes = draw_log(rng, red->params.min_bytes + 1, 100000000);
	aqm_red_init(&red->params, &red->vars, &red->stats);
}

static struct oracle_red oracle_of(const struct red_state *red)
{
	return (struct oracle_red){
		.min_bytes = (double)red->params.min_bytes,
		.max_bytes = (double)red->params.max_bytes,
		.w_q = (double)red->params.weight_q32 / ORACLE_Q32,
		.packet_time_s = (double)red->params.packet_time_ns,
		.gentle = red->params.gentle,
		.ecn = red->params.ecn,
		.avg = (double)red->vars.avg_q16 / 65536,
		.max_p = (double)red->vars.max_p_q32 / ORACLE_Q32,
		.count = red->vars.between ? (double)red->vars.count : -1,
	};
}

/* A draw as close to p_a as p_b's own rounding: either verdict is right. */
static bool too_close(const struct oracle_red *oracle, double draw)
{
	const double left = 1 - oracle->count * oracle->p_b;

	return left * draw - oracle->p_b < 2 * (1 + oracle->count) / ORACLE_Q32 &&
	       oracle->p_b - left * draw < 2 * (1 + oracle->count) / ORACLE_Q32;
}

static void red_arrive(struct red_state *red, const struct aqm_facts *facts,
		       struct oracle_score *score)
{
	const double draw = (double)(uint32_t)facts->random / ORACLE_Q32;
	struct oracle_red oracle = oracle_of(red), before;
	enum aqm_verdict verdict;
	int theirs;

	verdict = aqm_red_on_enqueue(&red->params, &red->vars, &red->stats, facts);
	oracle_red_average(&oracle, (double)facts->backlog_bytes[AQM_QUEUE_C],
			   (double)facts->idle_ns);
	oracle_compare(score, (double)red->vars.avg_q16, oracle.avg * 65536);
	oracle.avg = (double)red->vars.avg_q16 / 65536;
	before = oracle;
	theirs = oracle_red_decide(&oracle, facts->ecn != AQM_NOT_ECT, draw);
	oracle_compare(score, (double)red->vars.p_q32, oracle.p_b * ORACLE_Q32);
	before.p_b = oracle.p_b;
	before.count++;
	if (verdict != (enum aqm_verdict)theirs && too_close(&before, draw))
		return;
	oracle_verdict(score, (int)verdict, theirs);
	oracle_equal(score, red->vars.between, oracle.count >= 0);
	if (red->vars.between)
		oracle_equal(score, red->vars.count, (uint64_t)oracle.count);
}

static void red_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct red_state *red = state;
	struct aqm_facts facts;

	world_next(&red->world, rng, &facts);
	facts.backlog_bytes[AQM_QUEUE_C] %= AQM_RED_MAX_BYTES + 1;
	facts.idle_ns = facts.backlog_bytes[AQM_QUEUE_C] ? 0 : facts.idle_ns;
	if (red->vars.adapt_due_ns <= facts.now_ns) {
		struct oracle_red oracle = oracle_of(red);

		oracle_red_adapt(&oracle);
		aqm_red_adapt(&red->params, &red->vars);
		oracle_compare(score, (double)red->vars.max_p_q32, oracle.max_p * ORACLE_Q32);
	}
	red_arrive(red, &facts, score);
}

const struct oracle_row oracle_red = {
	.name = "red",
	.compared = "avg (2^-16 byte), p_b and max_p (2^-32)",
	.allowed = 1,
	.size = sizeof(struct red_state),
	.open = red_open,
	.step = red_step,
};
