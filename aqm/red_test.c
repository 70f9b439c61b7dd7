/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * RED: what the papers promise of it, and the wide products under it.
 *
 * Every arrival against the oracle, with random parameters, is in
 * tests/oracles/.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "aqm/ops.h"
#include "aqm/red.h"
#include "base/rng.h"

static const struct aqm_red_params usual = {
	.min_bytes = 5000,
	.max_bytes = 15000,
	.max_p_q32 = AQM_Q32_ONE / 50,
	.weight_q32 = AQM_Q32_ONE / 512,
	.packet_time_ns = 1000000,
	.ecn = true,
};

static void wide_products_are_exact(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (int i = 0; i < 300000; i++) {
		const uint64_t a = rng_u64(&rng) >> rng_below(&rng, 64);
		const uint64_t p = i % 7 ? rng_u64(&rng) >> (32 + i % 32) : AQM_Q32_ONE;
		const uint64_t c = 1 + (rng_u64(&rng) >> (17 + i % 40));
		const uint64_t small = a >> 17;
		const unsigned __int128 quotient = (unsigned __int128)small * p / c;

		assert_true(aqm_share(a, p) == (uint64_t)(((unsigned __int128)a * p) >> 32));
		if (quotient < UINT64_C(1) << 48)
			assert_true(aqm_muldiv(small, p, c) == (uint64_t)quotient);
	}
}

static void powers_of_a_q64_stay_within_their_rounding(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 2);
	for (int i = 0; i < 20000; i++) {
		const uint64_t weight_q32 = 1 + (rng_u64(&rng) >> (32 + i % 20));
		const uint64_t m = 1 + (rng_u64(&rng) >> (40 + i % 24));
		const uint64_t power = aqm_power_q64((AQM_Q32_ONE - weight_q32) << 32, m);
		const long double exact =
			powl(1 - (long double)weight_q32 / 4294967296.0L, (long double)m);

		assert_true(fabsl((long double)power / 18446744073709551616.0L - exact) <
			    exact * (long double)m * 1.1e-19L + 1e-18L);
	}
	assert_true(aqm_power_q64(UINT64_MAX, 1) == UINT64_MAX);
}

/* Packets from one signal to the next while the average stands still. */
static void gaps_are_uniform(void **state)
{
	struct aqm_red_vars vars;
	struct aqm_red_stats stats;
	unsigned seen[64] = {0}, signals = 0;
	unsigned gap = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 3);
	aqm_red_init(&usual, &vars, &stats);
	/* Just short of max: p_b is 1/50. */
	vars.avg_q16 = (usual.max_bytes << 16) - 1;
	while (signals < 100000) {
		gap++;
		if (aqm_red_acts(&usual, &vars, (uint32_t)rng_u64(&rng))) {
			assert_in_range(gap, 1, 50);
			seen[gap]++;
			signals++;
			gap = 0;
		}
	}
	/* The figure counts the packet itself: 1 to 49, the 50th only for what rounds. */
	for (int i = 1; i < 50; i++)
		assert_true(fabs(seen[i] * 49 / 100000.0 - 1) < 0.12);
	assert_true(seen[50] < 10);
}

static enum aqm_verdict arrive(const struct aqm_red_params *params, struct aqm_red_vars *vars,
			       uint64_t avg_bytes, enum aqm_ecn ecn)
{
	struct aqm_red_stats stats = {0};
	struct aqm_facts facts = {.ecn = (uint8_t)ecn};

	/* A backlog that is the average leaves the average alone; bits 0 say yes. */
	vars->avg_q16 = avg_bytes << 16;
	facts.backlog_bytes[AQM_QUEUE_C] = avg_bytes;
	return aqm_red_on_enqueue(params, vars, &stats, &facts);
}

static void thresholds_part_pass_mark_and_drop(void **state)
{
	struct aqm_red_params params = usual;
	struct aqm_red_vars vars = {.max_p_q32 = usual.max_p_q32};

	(void)state;
	assert_int_equal(arrive(&params, &vars, 4999, AQM_ECT0), AQM_PASS);
	assert_int_equal(arrive(&params, &vars, 5001, AQM_ECT0), AQM_MARK);
	assert_int_equal(arrive(&params, &vars, 5001, AQM_NOT_ECT), AQM_DROP);
	assert_int_equal(arrive(&params, &vars, 15000, AQM_ECT0), AQM_DROP);
	params.gentle = true;
	assert_int_equal(arrive(&params, &vars, 15000, AQM_ECT0), AQM_MARK);
	assert_int_equal(arrive(&params, &vars, 30000, AQM_ECT0), AQM_DROP);
	params.ecn = false;
	assert_int_equal(arrive(&params, &vars, 15000, AQM_ECT0), AQM_DROP);
}

static void an_idle_time_counts_as_the_packets_it_could_have_sent(void **state)
{
	const uint64_t before = 10000 << 16;
	uint64_t stepped = before;

	(void)state;
	for (int i = 0; i < 100; i++)
		stepped -= stepped / 512;
	/* 100 packet times and a bit: the same as a hundred arrivals to an empty queue. */
	assert_true(fabs((double)aqm_red_average_q16(&usual, before, 0, 100900000) -
			 (double)stepped) < 101);
	assert_true(aqm_red_average_q16(&usual, before, 0, 999999) == before);
	assert_true(aqm_red_average_q16(&usual, before, 0, UINT64_MAX) == 0);
}

static void adaptive_keeps_max_p_between_its_ends(void **state)
{
	struct aqm_red_vars vars;
	struct aqm_red_stats stats;

	(void)state;
	aqm_red_init(&usual, &vars, &stats);
	assert_true(vars.adapt_due_ns == UINT64_MAX);
	vars.avg_q16 = 14000 << 16;
	for (int i = 0; i < 1000; i++)
		aqm_red_adapt(&usual, &vars);
	assert_true(vars.max_p_q32 > AQM_Q32_ONE / 2 && vars.max_p_q32 < AQM_Q32_ONE / 100 * 52);
	vars.avg_q16 = 6000 << 16;
	for (int i = 0; i < 1000; i++)
		aqm_red_adapt(&usual, &vars);
	assert_true(vars.max_p_q32 < AQM_Q32_ONE / 100 && vars.max_p_q32 > AQM_Q32_ONE / 112);
	/* In the middle fifth nothing moves. */
	vars.avg_q16 = 10000 << 16;
	vars.max_p_q32 = 12345678;
	aqm_red_adapt(&usual, &vars);
	assert_true(vars.max_p_q32 == 12345678);
}

static void thresholds_must_be_in_order(void **state)
{
	const struct aqm_ops *red = aqm_find("red");
	unsigned char params[256];
	struct error error = {0};

	(void)state;
	assert_true(red->params_size <= sizeof(params));
	assert_int_equal(aqm_params_default(red, params, &error), 0);
	assert_int_equal(red->check(params, &error), 0);
	assert_int_equal(aqm_params_set(red, params, "min_bytes=22500", &error), 0);
	assert_int_equal(red->check(params, &error), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wide_products_are_exact),
		cmocka_unit_test(powers_of_a_q64_stay_within_their_rounding),
		cmocka_unit_test(gaps_are_uniform),
		cmocka_unit_test(thresholds_part_pass_mark_and_drop),
		cmocka_unit_test(an_idle_time_counts_as_the_packets_it_could_have_sent),
		cmocka_unit_test(adaptive_keeps_max_p_between_its_ends),
		cmocka_unit_test(thresholds_must_be_in_order),
	};

	return cmocka_run_group_tests_name("red", tests, NULL, NULL);
}
