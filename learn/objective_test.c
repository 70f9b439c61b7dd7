/* SPDX-License-Identifier: BSD-2-Clause */
/* Rewards against their formulas, by hand; what is missing; text there and back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "learn/objective.h"

static struct objective_figures plain_figures(void)
{
	struct objective_figures figures;

	figures.values[OBJECTIVE_l_mean_ms] = 0.49;
	figures.values[OBJECTIVE_l_p50_ms] = 0.4;
	figures.values[OBJECTIVE_l_p99_ms] = 0.99;
	figures.values[OBJECTIVE_c_mean_ms] = 14.99;
	figures.values[OBJECTIVE_c_p50_ms] = 12;
	figures.values[OBJECTIVE_c_p99_ms] = 29.99;
	figures.values[OBJECTIVE_goodput_mbps] = 100;
	figures.values[OBJECTIVE_utilisation] = 0.9;
	figures.values[OBJECTIVE_balance] = 0.5;
	figures.values[OBJECTIVE_loss] = 0.01;
	figures.values[OBJECTIVE_paper] = 200;
	return figures;
}

static double reward_of(const char *text, const struct objective_figures *run,
			const struct objective_figures *reference)
{
	struct objective objective;
	struct error error = {0};

	assert_int_equal(objective_parse(&objective, text, &error), 0);
	return objective_reward(&objective, run, reference);
}

static void assert_near(double value, double expected)
{
	if (!(fabs(value - expected) < 1e-12))
		fail_msg("%.17g is not %.17g", value, expected);
}

static void the_reference_is_worth_nothing(void **state)
{
	const struct objective_figures same = plain_figures();

	(void)state;
	assert_near(reward_of("hindsight", &same, &same), 0);
	assert_near(reward_of("balanced", &same, &same), 0);
	assert_near(reward_of("delay", &same, &same), 0);
	assert_near(reward_of("paper", &same, &same), 0);
	assert_near(reward_of("idle=2", &same, &same), -0.2);
}

static void terms_are_their_formulas(void **state)
{
	const struct objective_figures r = plain_figures();
	struct objective_figures x = r;

	(void)state;
	x.values[OBJECTIVE_l_p99_ms] = 1.99;
	assert_near(reward_of("l_p99=1", &x, &r), -log(2));
	assert_near(reward_of("l_p99=3,c_p99=1", &x, &r), -3 * log(2));
	assert_near(reward_of("l_worse=1,margin=0.5", &x, &r), -log(2 / 1.5));
	assert_near(reward_of("l_worse=1,margin=2", &x, &r), 0);
	assert_near(reward_of("l_variation=1", &x, &r), -log(1.6 / 0.6));
	x.values[OBJECTIVE_c_p99_ms] = 14.99;
	assert_near(reward_of("c_p99=1", &x, &r), log(2));
	assert_near(reward_of("c_worse=1", &x, &r), 0);
	x.values[OBJECTIVE_c_mean_ms] = 29.99;
	assert_near(reward_of("c_mean=1", &x, &r), -log(2));
	x.values[OBJECTIVE_goodput_mbps] = 98;
	assert_near(reward_of("goodput=40", &x, &r), -40 * 0.015);
	assert_near(reward_of("goodput=40,floor=0.9", &x, &r), 0);
	assert_near(reward_of("unused=2", &x, &r), -0.04);
	x.values[OBJECTIVE_goodput_mbps] = 105;
	assert_near(reward_of("goodput=40", &x, &r), 0);
	assert_near(reward_of("unused=2", &x, &r), 0.1);
	x.values[OBJECTIVE_balance] = 0.2;
	assert_near(reward_of("balance=1", &x, &r), 0.3);
	x.values[OBJECTIVE_loss] = 0.06;
	assert_near(reward_of("loss=2", &x, &r), -0.1);
	x.values[OBJECTIVE_paper] = 400;
	assert_near(reward_of("paper", &x, &r), log(2));
}

/* The score of the laws tuned in hindsight, less the reference's own. */
static void hindsight_is_the_stated_score(void **state)
{
	const struct objective_figures r = plain_figures();
	struct objective_figures x = r;

	(void)state;
	x.values[OBJECTIVE_l_p99_ms] = 2.99;
	x.values[OBJECTIVE_c_p99_ms] = 9.99;
	x.values[OBJECTIVE_goodput_mbps] = 99;
	assert_near(reward_of("hindsight", &x, &r), -(log(3) - log(3) + 40 * 0.005));
}

static void what_is_missing(void **state)
{
	struct objective_figures r = plain_figures(), x = r;

	(void)state;
	x.values[OBJECTIVE_l_p99_ms] = NAN;
	assert_near(reward_of("l_p99=1", &x, &r), -OBJECTIVE_STARVED);
	assert_near(reward_of("l_worse=1", &x, &r), -OBJECTIVE_STARVED);
	r.values[OBJECTIVE_l_p99_ms] = NAN;
	assert_near(reward_of("l_p99=1", &x, &r), 0);
	x.values[OBJECTIVE_l_p99_ms] = 5;
	assert_near(reward_of("l_p99=1,l_worse=1", &x, &r), 0);
	x.values[OBJECTIVE_c_p99_ms] = 1e6;
	assert_near(reward_of("c_p99=1,clip=3", &x, &r), -3);
}

static uint64_t fill(struct histogram *histogram, uint64_t low_ns, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		histogram_add(histogram, low_ns + i * 1000000);
	return count;
}

static void figures_of_a_result(void **state)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	struct sim_flow_result flows[5] = {
		{.cc = "prague", .l4s = true, .goodput_mbps = 30},
		{.cc = "cubic", .ecn = ENDPOINT_ECN_ACCECN, .goodput_mbps = 10},
		{.cc = "cubic", .ecn = ENDPOINT_ECN_NONE, .goodput_mbps = 20},
		{.cc = "udp", .goodput_mbps = 5},
		{.cc = "cubic", .app_name = "web", .goodput_mbps = 1},
	};
	struct objective_figures figures;
	double paper = 0;

	(void)state;
	result->flows = flows;
	result->flow_count = 5;
	result->utilisation = 0.5;
	result->queues[SIM_ALL].packets = fill(&result->queues[SIM_ALL].qdelay_ns, 0, 100);
	result->queues[SIM_ALL].drops = 25;
	fill(&result->class_qdelay_ns[AQM_QUEUE_C], 0, 100);
	objective_measure(result, &figures);
	for (int ms = 0; ms < 100; ms++)
		paper += 1500.0 / (ms + 1) / 100;
	assert_true(isnan(figures.values[OBJECTIVE_l_p99_ms]));
	assert_true(fabs(figures.values[OBJECTIVE_c_p99_ms] - 98) < 0.4);
	assert_true(fabs(figures.values[OBJECTIVE_c_p50_ms] - 49) < 0.2);
	assert_near(figures.values[OBJECTIVE_c_mean_ms], 49.5);
	assert_near(figures.values[OBJECTIVE_goodput_mbps], 66);
	assert_near(figures.values[OBJECTIVE_balance], log(30.001 / 15.001));
	assert_near(figures.values[OBJECTIVE_loss], 0.2);
	assert_true(fabs(figures.values[OBJECTIVE_paper] / paper - 1) < 0.004);
	fill(&result->class_qdelay_ns[AQM_QUEUE_L], 0, 100);
	objective_measure(result, &figures);
	assert_near(figures.values[OBJECTIVE_l_mean_ms], 49.5);
	free(result);
}

static void text_reads_back(void **state)
{
	static const char *const texts[] = {"hindsight", "balanced,loss=0", "paper,idle=0.125",
					    "balance=2,floor=1.01,margin=0,clip=9"};
	char text[512], again[512];
	struct objective objective;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(objective_parse(&objective, texts[i], NULL), 0);
		objective_text(&objective, text, sizeof(text));
		assert_int_equal(objective_parse(&objective, text, NULL), 0);
		objective_text(&objective, again, sizeof(again));
		assert_string_equal(text, again);
	}
	assert_string_equal(text, "balance=2,floor=1.01,margin=0,clip=9");
}

static void bad_text_is_told(void **state)
{
	struct objective objective;
	struct error error = {0};

	(void)state;
	assert_int_equal(objective_parse(&objective, "good", &error), ERR_INVALID);
	assert_string_equal(error.field, "good");
	assert_non_null(strstr(error.text, "hindsight"));
	assert_non_null(strstr(error.text, "c_p99="));
	assert_int_equal(objective_parse(&objective, "paper,c_99=1", &error), ERR_INVALID);
	assert_int_equal(objective_parse(&objective, "loss=much", &error), ERR_RANGE);
	assert_int_equal(objective_parse(&objective, "loss=-1", &error), ERR_RANGE);
	assert_int_equal(objective_parse(&objective, "loss=nan", &error), ERR_RANGE);
	assert_int_equal(objective_parse(&objective, "", &error), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_is_worth_nothing),
		cmocka_unit_test(terms_are_their_formulas),
		cmocka_unit_test(hindsight_is_the_stated_score),
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(figures_of_a_result),
		cmocka_unit_test(text_reads_back),
		cmocka_unit_test(bad_text_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
