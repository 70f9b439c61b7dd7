/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A law that is wrong by the least there is, a gain of 2^-16 more than asked for.
 * It is not in the table: it shows that the comparison can fail.
 */
#include "aqm/fixed.h"
#include "aqm/ref/pi2.h"
#include "tests/oracles/rows.h"

struct wrong_state {
	uint64_t p_q32;
};

static void wrong_open(void *state, struct rng *rng)
{
	((struct wrong_state *)state)->p_q32 = draw_p_q32(rng);
}

static void wrong_step(void *state, struct rng *rng, struct oracle_score *score)
{
	struct wrong_state *wrong = state;
	const uint32_t beta_q16 = (uint32_t)draw_log(rng, 0, 1 << 20);
	const uint64_t now_ns = draw_delay_ns(rng, 15000000);
	struct oracle_pi oracle = {
		.highest = 1, .beta = beta_q16 / 65536.0, .p = (double)wrong->p_q32 / ORACLE_Q32};

	oracle_pi_update(&oracle, (double)now_ns / 1e9);
	wrong->p_q32 = (uint64_t)aqm_clamp_s64(
		(int64_t)wrong->p_q32 + aqm_pi_change_q32(0, beta_q16 + 1, 0, now_ns, 0), 0,
		(int64_t)AQM_Q32_ONE);
	oracle_compare(score, (double)wrong->p_q32, oracle.p * ORACLE_Q32);
	score->signals++;
	wrong->p_q32 /= 2;
}

const struct oracle_row oracle_wrong = {
	.name = "wrong",
	.compared = "must fail",
	.allowed = 1,
	.size = sizeof(struct wrong_state),
	.open = wrong_open,
	.step = wrong_step,
};
