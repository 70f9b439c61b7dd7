/* SPDX-License-Identifier: BSD-2-Clause */
/* The dearest runs go first, every run once, and what a step of the rate costs is counted. */
#include "cli/trial_cost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SCENARIOS = 3, ARMS = 2, SEEDS = 2, RUNS = SCENARIOS * ARMS * SEEDS };

static struct trial *make(struct scenario *scenarios)
{
	struct trial *trial = calloc(1, sizeof(*trial));

	assert_non_null(trial);
	for (int s = 0; s < SCENARIOS; s++)
		scenarios[s].duration_s = 10;
	scenarios[0].rate_mbps = 12;
	/* 2 s of 12 Mbit/s and 8 s of 60: 50.4 on average. */
	scenarios[1].rate_mbps = 12;
	scenarios[1].steps[scenarios[1].step_count++] = (struct rate_step){2, 60};
	scenarios[2].rate_mbps = 48;
	trial->scenarios = scenarios;
	trial->scenario_count = SCENARIOS;
	trial->arm_count = ARMS;
	trial->seeds = SEEDS;
	return trial;
}

static void costs_are_packets_that_the_link_could_send(void **state)
{
	struct scenario *scenarios = calloc(SCENARIOS, sizeof(*scenarios));
	struct trial *trial = make(scenarios);
	struct trial_job job = trial_job_at(trial, 0);
	const struct trial_arm asked = {.policy = "p", .interval = 100};

	(void)state;
	assert_true(trial_cost(&job) == 10000);
	job.scenario = &scenarios[1];
	assert_true(trial_cost(&job) == 42000);
	job.arm = &asked;
	assert_true(trial_cost(&job) > 42000);
	free(trial);
	free(scenarios);
}

static void the_dearest_go_first_and_each_once(void **state)
{
	struct scenario *scenarios = calloc(SCENARIOS, sizeof(*scenarios));
	struct trial *trial = make(scenarios);
	/* Scenarios 1, 2, 0; their runs as they come. */
	static const size_t want[RUNS] = {4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2, 3};
	static const size_t with_policy[RUNS] = {6, 7, 10, 11, 2, 3, 4, 5, 8, 9, 0, 1};
	size_t order[RUNS];

	(void)state;
	trial_order(trial, order);
	assert_memory_equal(order, want, sizeof(want));
	trial->arms[1] = (struct trial_arm){.policy = "p", .interval = 100};
	trial_order(trial, order);
	assert_memory_equal(order, with_policy, sizeof(with_policy));
	free(trial);
	free(scenarios);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(costs_are_packets_that_the_link_could_send),
		cmocka_unit_test(the_dearest_go_first_and_each_once),
	};

	return cmocka_run_group_tests_name("trial_cost", tests, NULL, NULL);
}
