/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/cobalt.h"
#include "aqm/ref/cobalt.h"
#include "tests/oracles/list_walk.h"
#include "tests/oracles/rows.h"

struct cobalt_state {
	struct list_walk walk;
	struct aqm_cobalt_params params;
	struct aqm_cobalt_vars vars;
	struct aqm_cobalt_stats stats;
	struct oracle_cobalt oracle;
};

static void cobalt_open(void *state, struct rng *rng)
{
	struct cobalt_state *cobalt = state;

	list_walk_open(&cobalt->walk, rng);
	cobalt->params = (struct aqm_cobalt_params){
		.target_ns = draw_log(rng, 10000, 4000000000),
		.interval_ns = draw_log(rng, 10000, 4000000000),
	};
	if (rng_below(rng, 4))
		cobalt->params.target_ns =
			cobalt->params.interval_ns / draw_between(rng, 1, 64) + 1;
	cobalt->oracle = (struct oracle_cobalt){
		.target_ns = (double)cobalt->params.target_ns,
		.interval_ns = (double)cobalt->params.interval_ns,
	};
	aqm_cobalt_init(&cobalt->vars);
	cobalt->stats = (struct aqm_cobalt_stats){0};
}

static void cobalt_leave(struct cobalt_state *cobalt, struct oracle_score *score)
{
	struct list_walk *walk = &cobalt->walk;
	const size_t left = oracle_cobalt_dequeue(&cobalt->oracle, &walk->theirs,
						  (double)walk->now_ns, walk->out);

	if (left == 0) {
		oracle_equal(score, walk->waiting, 0);
		aqm_cobalt_on_empty(&cobalt->params, &cobalt->vars, &cobalt->stats, walk->now_ns);
	}
	for (size_t i = 0; i < left; i++) {
		struct aqm_facts facts;
		const struct oracle_packet packet = list_walk_take(walk, &facts);

		oracle_equal(score, packet.number, walk->out[i].number);
		oracle_verdict(score,
			       (int)aqm_cobalt_on_dequeue(&cobalt->params, &cobalt->vars,
							  &cobalt->stats, &facts),
			       walk->out[i].fate);
	}
}

static void cobalt_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct cobalt_state *cobalt = state;
	bool full = false;

	if (!list_walk_next(&cobalt->walk, rng, &full)) {
		cobalt_leave(cobalt, score);
	} else if (full) {
		aqm_cobalt_on_overflow(&cobalt->params, &cobalt->vars, &cobalt->stats,
				       cobalt->walk.now_ns);
		oracle_cobalt_full(&cobalt->oracle, (double)cobalt->walk.now_ns);
	}
	oracle_compare(score, (double)cobalt->vars.drop_next_ns, cobalt->oracle.drop_next);
	oracle_compare(score, (double)cobalt->vars.blue_ns, cobalt->oracle.blue_timer);
	oracle_compare(score, (double)cobalt->vars.p_q32, cobalt->oracle.p_drop * ORACLE_Q32);
	oracle_equal(score, cobalt->vars.count, (uint64_t)cobalt->oracle.count);
	oracle_equal(score, cobalt->vars.dropping, cobalt->oracle.dropping);
}

const struct oracle_row oracle_cobalt = {
	.name = "cobalt",
	.compared = "times (ns), p of BLUE, count, packets and verdicts exactly",
	.allowed = 0,
	.size = sizeof(struct cobalt_state),
	.open = cobalt_open,
	.step = cobalt_step,
};
