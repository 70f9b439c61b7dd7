/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The rules of the laws by example: bursts, floors, overload, draws, round robin.
 * Step by step they stand beside their texts in tests/oracles/.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "aqm/dualpi2.h"
#include "aqm/l4s_freebsd.h"
#include "aqm/pie.h"
#include "aqm/ops.h"
#include "aqm/tsf.h"
#include "aqm/wrr.h"

static void the_ramp_is_that_of_the_appendix(void **state)
{
	const struct aqm_dualpi2_params params = {.profile = AQM_DUALPI2_RFC9332,
						  .step = {.threshold_ns = 1000000}};

	(void)state;
	for (uint64_t sojourn_ns = 0; sojourn_ns < 2000000; sojourn_ns += 10000) {
		const double p = fmin(fmax(((double)sojourn_ns - 800e3) / 400e3, 0), 1);
		unsigned marks = 0;

		for (uint64_t i = 0; i < 1000; i++) {
			const struct aqm_facts facts = {.sojourn_ns = sojourn_ns,
							.random = i * 4294967};

			marks += aqm_dualpi2_native(&params, &facts, 1);
		}
		assert_true(fabs(marks / 1000.0 - p) < 2e-3);
	}
}

static struct aqm_facts packet_in(enum aqm_queue queue, enum aqm_ecn ecn, uint64_t random)
{
	struct aqm_facts facts = {
		.queue = (uint8_t)queue, .ecn = (uint8_t)ecn, .random = random, .len_bytes = 1500};

	facts.backlog_bytes[queue] = 30000;
	return facts;
}

static void dualpi2_acts_by_queue_ecn_and_load(void **state)
{
	struct aqm_dualpi2_params params = {
		.k_q16 = 2 << 16, .mtu_bytes = 1500, .drop_overload = true};
	struct aqm_dualpi2_vars vars = {.p_q32 = AQM_Q32_ONE / 4};
	struct aqm_dualpi2_stats stats = {0};
	struct aqm_facts facts;

	(void)state;
	facts = packet_in(AQM_QUEUE_C, AQM_ECT0, 0);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_MARK);
	facts = packet_in(AQM_QUEUE_C, AQM_NOT_ECT, 0);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_DROP);
	/* One of the two draws says no. */
	facts = packet_in(AQM_QUEUE_C, AQM_ECT0, UINT64_C(0xffffffff) << 32);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_PASS);
	/* k p' = 1/2 */
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, UINT32_MAX / 2 - 1);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_MARK);
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, UINT32_MAX / 2 + 2);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_PASS);
	/* Less than two packets queued. */
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, 0);
	facts.backlog_bytes[AQM_QUEUE_L] = 2999;
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_PASS);
	/* Overload: C drops whatever its ECN, L drops with p'^2 and marks otherwise. */
	vars.p_q32 = AQM_Q32_ONE / 2;
	facts = packet_in(AQM_QUEUE_C, AQM_ECT0, 0);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_DROP);
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, 0);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_DROP);
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, UINT64_MAX);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_MARK);
	params.drop_overload = false;
	facts = packet_in(AQM_QUEUE_L, AQM_ECT1, 0);
	assert_int_equal(aqm_dualpi2_pi(&params, &vars, &stats, &facts), AQM_MARK);
}

static void the_step_needs_its_floor(void **state)
{
	const struct aqm_step_params params = {.threshold_ns = 1000000, .min_qlen_pkts = 1};

	(void)state;
	assert_false(aqm_step_marks(&params, 1000000, 5));
	assert_true(aqm_step_marks(&params, 1000001, 1));
	assert_false(aqm_step_marks(&params, 9000000, 0));
}

static void pie_derandomises_between_its_bounds(void **state)
{
	struct aqm_pie_vars vars = {.p_q32 = AQM_Q32_ONE / 10};
	struct aqm_pie_stats stats = {0};
	int quiet = 0, forced = 0;

	(void)state;
	/* Bits 0 always say yes: it acts as soon as 0.85 is accumulated, at the ninth packet. */
	while (!aqm_pie_acts(&vars, &stats, 0))
		quiet++;
	assert_int_equal(quiet, 8);
	/* Bits of ones never do: it acts at 8.5, whatever they say. */
	while (!aqm_pie_acts(&vars, &stats, UINT32_MAX))
		forced++;
	assert_in_range(forced, 84, 85);
	assert_int_equal(stats.forced, 1);
}

static void pie_lets_a_burst_and_a_short_queue_pass(void **state)
{
	const struct aqm_pie_params params = {.target_ns = 15000000,
					      .ecn_max_p_q32 = AQM_Q32_ONE / 10};
	struct aqm_pie_vars vars = {.p_q32 = AQM_Q32_ONE / 2,
				    .accumulated_q32 = 9 * AQM_Q32_ONE,
				    .burst_allowance_ns = 1,
				    .previous_qdelay_ns = 15000000};
	struct aqm_pie_stats stats = {0};
	struct aqm_facts facts = packet_in(AQM_QUEUE_C, AQM_ECT0, 0);

	(void)state;
	assert_int_equal(aqm_pie_on_enqueue(&params, &vars, &stats, &facts), AQM_PASS);
	vars.burst_allowance_ns = 0;
	facts.backlog_bytes[AQM_QUEUE_C] = AQM_PIE_MIN_BACKLOG_BYTES;
	assert_int_equal(aqm_pie_on_enqueue(&params, &vars, &stats, &facts), AQM_PASS);
	facts.backlog_bytes[AQM_QUEUE_C]++;
	assert_int_equal(aqm_pie_on_enqueue(&params, &vars, &stats, &facts), AQM_DROP);
	vars.p_q32 = AQM_Q32_ONE / 11;
	vars.accumulated_q32 = 9 * AQM_Q32_ONE;
	assert_int_equal(aqm_pie_on_enqueue(&params, &vars, &stats, &facts), AQM_MARK);
}

static void freebsd_logs_a_drop_that_its_burst_prevents(void **state)
{
	const struct aqm_freebsd_params params = {.target_us = 15000,
						  .tupdate_us = 15000,
						  .ecn_max_fix = 819,
						  .flags = 19,
						  .hz = 100,
						  .max_burst_us = 150000};
	struct aqm_freebsd_vars vars = {0};
	struct aqm_freebsd_stats stats = {0};
	struct aqm_facts facts = packet_in(AQM_QUEUE_C, AQM_ECT0, 0);
	struct aqm_freebsd_pie *pie = &vars.pie[AQM_QUEUE_C];
	enum aqm_verdict logged;

	(void)state;
	pie->p = AQM_FREEBSD_PROBABILITY_ONE / 2;
	pie->accumulated = 9 * (uint64_t)AQM_FREEBSD_PROBABILITY_ONE;
	pie->previous_qdelay_us = 15000;
	pie->burst_allowance_us = 10;
	assert_int_equal(aqm_freebsd_on_enqueue(&params, &vars, &stats, &facts, &logged), AQM_PASS);
	assert_int_equal(logged, AQM_DROP);
	pie->burst_allowance_us = 0;
	assert_int_equal(aqm_freebsd_on_enqueue(&params, &vars, &stats, &facts, &logged), AQM_DROP);
	/* Below a tenth an ECN-capable packet is marked; the accumulated probability starts anew.
	 */
	pie->p = AQM_FREEBSD_PROBABILITY_ONE / 11;
	pie->accumulated = 9 * (uint64_t)AQM_FREEBSD_PROBABILITY_ONE;
	pie->reset_pending = false;
	assert_int_equal(aqm_freebsd_on_enqueue(&params, &vars, &stats, &facts, &logged), AQM_MARK);
	/* The clock has ticks of 10 ms. */
	assert_int_equal(aqm_freebsd_clock_us(&params, 19999999), 10000);
}

static void round_robin_protects_classic(void **state)
{
	const struct aqm_wrr_params params = {.c_percent = 10};
	const struct aqm_head heads[AQM_QUEUES] = {{.len_bytes = 1500}, {.len_bytes = 1500}};
	struct aqm_wrr_vars vars;
	unsigned classic = 0;

	(void)state;
	aqm_wrr_reset(&params, &vars, 1500);
	assert_int_equal(vars.credit, 1500 * (10 - 90));
	for (int i = 0; i < 10000; i++) {
		const enum aqm_queue queue = aqm_wrr_choose(&vars, heads);

		classic += queue == AQM_QUEUE_C;
		aqm_wrr_served(&params, &vars, queue, 1500, true);
	}
	assert_in_range(classic, 990, 1010);
}

/* The credit that the dual queue starts with is that of its MTU: nine packets of L come first. */
static void round_robin_starts_with_credit_of_its_mtu(void **state)
{
	const struct aqm_ops *law = aqm_find("dualpi2");
	const struct aqm_head heads[AQM_QUEUES] = {{.len_bytes = 1500}, {.len_bytes = 1500}};
	unsigned char params[512], vars[256] = {0}, stats[256];
	struct error error = {0};
	int before_classic = 0;

	(void)state;
	assert_true(law->params_size <= sizeof(params) && law->vars_size <= sizeof(vars));
	assert_int_equal(aqm_params_default(law, params, &error), 0);
	law->init(params, vars, stats);
	/* 80 MTU shares of credit to make up, 10 a packet. */
	while (law->schedule(params, vars, heads) == AQM_QUEUE_L) {
		law->served(params, vars, AQM_QUEUE_L, 1500, true);
		before_classic++;
	}
	assert_int_equal(before_classic, 9);
}

static void the_time_shift_is_what_classic_may_wait_longer(void **state)
{
	struct aqm_head heads[AQM_QUEUES] = {{.len_bytes = 1500}, {.len_bytes = 1500}};

	(void)state;
	heads[AQM_QUEUE_C].sojourn_ns = 50000000;
	assert_int_equal(aqm_tsf_choose(50000000, heads), AQM_QUEUE_L);
	heads[AQM_QUEUE_C].sojourn_ns++;
	assert_int_equal(aqm_tsf_choose(50000000, heads), AQM_QUEUE_C);
	heads[AQM_QUEUE_L].sojourn_ns = 1;
	assert_int_equal(aqm_tsf_choose(50000000, heads), AQM_QUEUE_L);
	heads[AQM_QUEUE_L].len_bytes = 0;
	assert_int_equal(aqm_tsf_choose(50000000, heads), AQM_QUEUE_C);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ramp_is_that_of_the_appendix),
		cmocka_unit_test(dualpi2_acts_by_queue_ecn_and_load),
		cmocka_unit_test(the_step_needs_its_floor),
		cmocka_unit_test(pie_derandomises_between_its_bounds),
		cmocka_unit_test(pie_lets_a_burst_and_a_short_queue_pass),
		cmocka_unit_test(freebsd_logs_a_drop_that_its_burst_prevents),
		cmocka_unit_test(round_robin_protects_classic),
		cmocka_unit_test(round_robin_starts_with_credit_of_its_mtu),
		cmocka_unit_test(the_time_shift_is_what_classic_may_wait_longer),
	};

	return cmocka_run_group_tests_name("laws", tests, NULL, NULL);
}
