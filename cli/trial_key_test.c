/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run is a function of changes its key, and nothing else does. */
#include "cli/trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 8

static void whatever_changes_a_run_changes_its_key(void **state)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	const struct trial_arm arms[KEYS] = {
		{.name = "first"},
		{.law = "pie"},
		{.law = "pie", .settings = "target_ms=5"},
		{.law = "pie", .plain = true},
		{.policy = ".", .interval = 10},
		{.policy = ".", .interval = 10, .device = "cuda"},
		{.policy = ".", .interval = 10, .device = "cuda:bf16"},
		{.policy = ".", .interval = 10, .manner = {.precision = "bf16"}},
	};
	struct scenario scenario = {.name = "s"};

	(void)state;
	assert_non_null(trial);
	trial->scenarios = &scenario;
	trial->scenario_count = 1;
	trial->seeds = 1;
	trial->arm_count = KEYS + 2;
	memcpy(trial->arms, arms, sizeof(arms));
	trial->arms[KEYS] = (struct trial_arm){.name = "another name"};
	trial->arms[KEYS + 1] = arms[4];
	trial->arms[KEYS + 1].device = "cpu";
	assert_int_equal(trial_keys(trial, NULL), 0);
	for (int i = 0; i < KEYS; i++)
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(&trial->keys[i], &trial->keys[j],
						sizeof(struct trial_key));
	assert_memory_equal(&trial->keys[KEYS], &trial->keys[0], sizeof(struct trial_key));
	assert_memory_equal(&trial->keys[KEYS + 1], &trial->keys[4], sizeof(struct trial_key));
	free(trial->keys);
	free(trial);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_changes_a_run_changes_its_key)};

	return cmocka_run_group_tests_name("trial_key", tests, NULL, NULL);
}
