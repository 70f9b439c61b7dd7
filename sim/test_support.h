/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of sim/: scenarios from text, runs of them, and the end of both.
 */
#ifndef SIM_TEST_SUPPORT_H
#define SIM_TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sim/run.h"

static inline struct scenario *test_parse(const char *text)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));
	struct error error = {0};

	assert_non_null(scenario);
	if (scenario_parse(scenario, text, strlen(text), "test.yaml", &error))
		fail_msg("%s: %s", error.field, error.text);
	return scenario;
}

static inline void test_forget(struct scenario *scenario)
{
	scenario_free(scenario);
	free(scenario);
}

static inline struct sim_result *test_run(const char *text, const struct sim_options *options)
{
	struct scenario *scenario = test_parse(text);
	struct sim_result *result = calloc(1, sizeof(*result));
	struct error error = {0};

	assert_non_null(result);
	if (sim_run(scenario, options, result, &error))
		fail_msg("%s", error.text);
	test_forget(scenario);
	return result;
}

static inline void test_drop(struct sim_result *result)
{
	sim_result_free(result);
	free(result);
}

#endif
