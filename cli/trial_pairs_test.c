/* SPDX-License-Identifier: BSD-2-Clause */
/* Comparisons of made-up runs, whose answers are known. */
#include "cli/trial_pairs.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 5, NETWORKS = 6, ARMS = 2 };
enum { STEADY, STEPPED, LTE, SLOW, L4S_ONLY, IDLE };

struct bench {
	struct trial *trial;
	struct trial_pairs pairs;
};

static struct trial_outcome *run_of(const struct bench *bench, size_t network, size_t arm,
				    size_t seed)
{
	return &bench->trial->outcomes[(network * ARMS + arm) * SEEDS + seed];
}

static void add_flows(struct scenario *scenario, const char *cc, enum endpoint_ecn ecn)
{
	struct scenario_group *group = &scenario->groups[scenario->group_count++];

	*group = (struct scenario_group){.count = 2, .rtt_ms = 30, .ecn = ecn};
	strcpy(group->cc, cc);
}

static void make_scenarios(struct scenario *scenarios)
{
	for (int n = 0; n < NETWORKS; n++) {
		scenario_init(&scenarios[n]);
		scenarios[n].duration_s = 20;
		scenarios[n].warmup_s = 5;
		scenarios[n].rate_mbps = n == SLOW ? 8 : 100;
		add_flows(&scenarios[n], "prague", ENDPOINT_ECN_ACCECN);
		if (n != L4S_ONLY)
			add_flows(&scenarios[n], "cubic", ENDPOINT_ECN_NONE);
	}
	scenarios[STEPPED].steps[scenarios[STEPPED].step_count++] = (struct rate_step){9, 50};
	scenarios[LTE].rate_kind = RATE_LTE;
	scenarios[LTE].rate_mean_mbps = 100;
}

/* Levels differ from seed to seed by far more than arms do, and pairs do not see it. */
static void make_run(const struct bench *bench, size_t network, size_t arm, size_t seed)
{
	double *values = run_of(bench, network, arm, seed)->values;
	const double level = 1 + 10 * (double)seed;

	for (int m = 0; m < TRIAL_METRICS; m++)
		values[m] = NAN;
	values[TRIAL_classic_delay_ms_p99] = network == L4S_ONLY ? NAN : level * (arm ? 8 : 20);
	values[TRIAL_l4s_delay_ms_p99] = level * (arm && network == STEPPED ? 0.75 : 1);
	values[TRIAL_goodput_mbps] = level * (arm ? 99.9 : 100);
	values[TRIAL_unused_percent] = network == IDLE ? 10 : 1;
	values[TRIAL_imbalance] = network == L4S_ONLY ? NAN : arm ? 0.5 : 0.8 + 0.1 * (network % 2);
}

static int set_up(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	if (bench == NULL)
		return -1;
	bench->trial = calloc(1, sizeof(*bench->trial));
	bench->trial->scenarios = calloc(NETWORKS, sizeof(*bench->trial->scenarios));
	bench->trial->scenario_count = NETWORKS;
	bench->trial->arm_count = ARMS;
	bench->trial->seeds = SEEDS;
	bench->trial->outcomes = calloc(trial_runs(bench->trial), sizeof(struct trial_outcome));
	make_scenarios(bench->trial->scenarios);
	for (size_t n = 0; n < NETWORKS; n++)
		for (size_t arm = 0; arm < ARMS; arm++)
			for (size_t seed = 0; seed < SEEDS; seed++)
				make_run(bench, n, arm, seed);
	*state = bench;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *bench = *state;

	trial_pairs_free(&bench->pairs);
	trial_free(bench->trial);
	free(bench->trial);
	free(bench);
	return 0;
}

static const struct trial_pairing *compare(struct bench *bench)
{
	trial_pairs_free(&bench->pairs);
	assert_int_equal(trial_pairs_make(&bench->pairs, bench->trial, 1, 2, NULL), 0);
	assert_int_equal(bench->pairs.count, 1);
	return &bench->pairs.pairings[0];
}

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void networks_are_compared_seed_by_seed(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing = compare(bench);
	struct estimate estimate = trial_pairing_of(pairing, STEADY, TRIAL_PAIR_classic_p99);

	assert_true(near(estimate.value, 0.4) && near(estimate.low, 0.4) &&
		    near(estimate.high, 0.4));
	assert_int_equal(estimate.count, SEEDS);
	estimate = trial_pairing_of(pairing, STEADY, TRIAL_PAIR_imbalance);
	assert_true(near(estimate.value, -0.3));
	assert_int_equal(trial_pairing_of(pairing, L4S_ONLY, TRIAL_PAIR_classic_p99).count, 0);
	/* A seed without a value on one side is no pair. */
	run_of(bench, STEADY, 0, 2)->values[TRIAL_classic_delay_ms_p99] = NAN;
	run_of(bench, STEADY, 1, 3)->values[TRIAL_classic_delay_ms_p99] *= 2;
	estimate = trial_pairing_of(compare(bench), STEADY, TRIAL_PAIR_classic_p99);
	assert_int_equal(estimate.count, SEEDS - 1);
	assert_true(near(estimate.value, 0.4 * pow(2, 0.25)));
	assert_true(near(estimate.low, 0.4) && estimate.high > estimate.value);
}

static void groups_hold_their_networks(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing = compare(bench);
	static const struct {
		enum trial_group group;
		size_t networks;
	} rows[] = {
		{TRIAL_GROUP_all, 5},	     {TRIAL_GROUP_varying, 2},	{TRIAL_GROUP_steady, 3},
		{TRIAL_GROUP_unused, 1},     {TRIAL_GROUP_filled, 4},	{TRIAL_GROUP_low, 1},
		{TRIAL_GROUP_link_steps, 1}, {TRIAL_GROUP_link_lte, 1}, {TRIAL_GROUP_l4s, 1},
		{TRIAL_GROUP_both, 4},	     {TRIAL_GROUP_rate_150, 5}, {TRIAL_GROUP_rtt_80, 5},
		{TRIAL_GROUP_rtt_200, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pairing->groups[rows[i].group][TRIAL_PAIR_goodput].count,
				 rows[i].networks);
	assert_true(near(pairing->groups[TRIAL_GROUP_all][TRIAL_PAIR_classic_p99].value, 0.4));
	assert_int_equal(pairing->groups[TRIAL_GROUP_all][TRIAL_PAIR_classic_p99].count, 4);
}

static enum trial_verdict verdict(const struct trial_pairing *pairing, enum trial_claim claim)
{
	return pairing->claims[claim].verdict;
}

static void claims_are_met_or_missed_by_their_figures(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing = compare(bench);
	const struct estimate *imbalance = &pairing->claims[TRIAL_CLAIM_imbalance].estimate;

	assert_int_equal(verdict(pairing, TRIAL_CLAIM_classic_p99), TRIAL_VERDICT_met);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_goodput), TRIAL_VERDICT_met);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_unused), TRIAL_VERDICT_missed);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_l4s_steady), TRIAL_VERDICT_met);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_worse), TRIAL_VERDICT_met);
	/* Of two networks one gained 25 %, the other nothing: the median is 0.875. */
	assert_true(near(pairing->claims[TRIAL_CLAIM_l4s_varying].estimate.value, 0.875));
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_l4s_varying), TRIAL_VERDICT_missed);
	/* 4 x 0.5 over 0.8, 0.9, 0.8, 0.9; the slow network, also 0.9, is not among them. */
	assert_int_equal(imbalance->count, 4);
	assert_true(near(imbalance->value, 2 / 3.4));
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_imbalance), TRIAL_VERDICT_met);
	/* One network in four does not halve it: the median does, its interval reaches beyond. */
	for (size_t seed = 0; seed < SEEDS; seed++)
		run_of(bench, STEADY, 1, seed)->values[TRIAL_classic_delay_ms_p99] *= 2;
	assert_int_equal(verdict(compare(bench), TRIAL_CLAIM_classic_p99), TRIAL_VERDICT_open);
}

static void guards_are_counted_over_networks(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing = compare(bench);

	assert_int_equal(verdict(pairing, TRIAL_CLAIM_guarded), TRIAL_VERDICT_unmeasured);
	for (size_t n = 0; n < NETWORKS; n++)
		for (size_t seed = 0; seed < SEEDS; seed++)
			run_of(bench, n, 1, seed)->values[TRIAL_guarded_percent] =
				n == SLOW ? 100 : 4 + (double)(n == LTE);
	pairing = compare(bench);
	assert_true(near(pairing->claims[TRIAL_CLAIM_guarded].estimate.value, 4.2));
	assert_int_equal(pairing->claims[TRIAL_CLAIM_guarded].estimate.count, NETWORKS - 1);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_guarded), TRIAL_VERDICT_met);
}

static void what_was_not_measured_is_not_met(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing;

	for (size_t n = 0; n < NETWORKS; n++)
		for (size_t seed = 0; seed < SEEDS; seed++)
			run_of(bench, n, 0, seed)->values[TRIAL_imbalance] = NAN;
	bench->trial->scenario_count = 1;
	pairing = compare(bench);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_imbalance), TRIAL_VERDICT_unmeasured);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_l4s_varying), TRIAL_VERDICT_unmeasured);
	/* One network has no interval. */
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_classic_p99), TRIAL_VERDICT_open);
	bench->trial->scenario_count = NETWORKS;
}

static void a_network_is_worse_when_its_whole_interval_is(void **state)
{
	struct bench *bench = *state;
	const struct trial_pairing *pairing;

	for (size_t seed = 0; seed < SEEDS; seed++) {
		run_of(bench, LTE, 1, seed)->values[TRIAL_l4s_delay_ms_p99] *= 1.06;
		run_of(bench, IDLE, 1, seed)->values[TRIAL_l4s_delay_ms_p99] *= seed ? 1.5 : 1.04;
		run_of(bench, STEADY, 1, seed)->values[TRIAL_goodput_mbps] *= 0.94;
		run_of(bench, SLOW, 1, seed)->values[TRIAL_goodput_mbps] *= 0.5;
	}
	pairing = compare(bench);
	assert_true(trial_pairing_is_worse(pairing, LTE, TRIAL_PAIR_l4s_p99));
	assert_true(trial_pairing_is_worse(pairing, STEADY, TRIAL_PAIR_goodput));
	assert_false(trial_pairing_network_is_worse(pairing, IDLE));
	assert_false(trial_pairing_network_is_worse(pairing, STEPPED));
	/* Slow networks are told, and not counted. */
	assert_true(trial_pairing_network_is_worse(pairing, SLOW));
	assert_true(pairing->claims[TRIAL_CLAIM_worse].estimate.value == 2);
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_worse), TRIAL_VERDICT_missed);
	/* Four seeds are too few to say so of a network. */
	for (size_t n = 0; n < NETWORKS; n++)
		run_of(bench, n, 0, 1)->values[TRIAL_goodput_mbps] =
			run_of(bench, n, 0, 1)->values[TRIAL_l4s_delay_ms_p99] = NAN;
	pairing = compare(bench);
	assert_false(trial_pairing_network_is_worse(pairing, LTE));
	assert_int_equal(verdict(pairing, TRIAL_CLAIM_worse), TRIAL_VERDICT_unmeasured);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(networks_are_compared_seed_by_seed),
		TEST(groups_hold_their_networks),
		TEST(claims_are_met_or_missed_by_their_figures),
		TEST(guards_are_counted_over_networks),
		TEST(what_was_not_measured_is_not_met),
		TEST(a_network_is_worse_when_its_whole_interval_is),
	};

	return cmocka_run_group_tests_name("trial_pairs", tests, NULL, NULL);
}
