/* SPDX-License-Identifier: BSD-2-Clause */
#include "aqm/codel.h"
#include "tests/oracles/list_walk.h"
#include "tests/oracles/rows.h"

struct codel_state {
	struct list_walk walk;
	struct aqm_codel_params params;
	struct aqm_codel_vars vars;
	struct aqm_codel_stats stats;
	struct oracle_codel oracle;
};

static void codel_open(void *state, struct rng *rng)
{
	struct codel_state *codel = state;

	list_walk_open(&codel->walk, rng);
	codel->params = (struct aqm_codel_params){
		.target_ns = draw_log(rng, 10000, 4000000000),
		.interval_ns = draw_log(rng, 10000, 4000000000),
		.mtu_bytes = (uint32_t)draw_log(rng, 0, 65535),
		.ecn = rng_below(rng, 2),
	};
	if (rng_below(rng, 4))
		codel->params.target_ns = codel->params.interval_ns / draw_between(rng, 1, 64) + 1;
	codel->oracle = (struct oracle_codel){
		.target_ns = (double)codel->params.target_ns,
		.interval_ns = (double)codel->params.interval_ns,
		.maxpacket_bytes = codel->params.mtu_bytes,
		.ecn = codel->params.ecn,
	};
	aqm_codel_init(&codel->vars);
	codel->stats = (struct aqm_codel_stats){0};
}

static void codel_leave(struct codel_state *codel, struct oracle_score *score)
{
	struct list_walk *walk = &codel->walk;
	const size_t left = oracle_codel_dequeue(&codel->oracle, &walk->theirs,
						 (double)walk->now_ns, walk->out);

	if (left == 0) {
		oracle_equal(score, walk->waiting, 0);
		aqm_codel_on_empty(&codel->vars);
	}
	for (size_t i = 0; i < left; i++) {
		struct aqm_facts facts;
		const struct oracle_packet packet = list_walk_take(walk, &facts);

		oracle_equal(score, packet.number, walk->out[i].number);
		oracle_verdict(score,
			       (int)aqm_codel_on_dequeue(&codel->params, &codel->vars,
							 &codel->stats, &facts),
			       walk->out[i].fate);
	}
	oracle_compare(score, (double)codel->vars.first_above_ns, codel->oracle.first_above_time);
	oracle_compare(score, (double)codel->vars.drop_next_ns, codel->oracle.drop_next);
	oracle_equal(score, codel->vars.count, (uint64_t)codel->oracle.count);
	oracle_equal(score, codel->vars.dropping, codel->oracle.dropping);
}

static void codel_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct codel_state *codel = state;
	bool full;

	if (!list_walk_next(&codel->walk, rng, &full))
		codel_leave(codel, score);
}

const struct oracle_row oracle_codel = {
	.name = "codel",
	.compared = "times (ns), count, packets and verdicts exactly",
	.allowed = 0,
	.size = sizeof(struct codel_state),
	.open = codel_open,
	.step = codel_step,
};
