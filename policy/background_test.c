/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A policy in a thread of its own, on top of a law: nobody waits for it, its decisions arrive, and
 * it is swapped while packets go on.
 */
#include "policy/background.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/aqm_policy.h"

#define PATIENCE 2000 /* ms */

/* A law wrapped with a policy in the background, as a queue holds it. */
struct stage {
	struct policy *policy;
	const struct aqm_ops *law;
	void *params, *vars, *stats;
	struct aqm_policy *wrapped;
	uint64_t now_ns;
};

static void pause_ms(void)
{
	nanosleep(&(struct timespec){0, 1000000}, NULL);
}

static void open_stage(struct stage *stage, const char *directory, uint64_t interval)
{
	memset(stage, 0, sizeof(*stage));
	assert_int_equal(background_policy_open(
				 &stage->policy,
				 &(struct background_config){.directory = directory}, NULL),
			 0);
	stage->law = aqm_find("dualpi2");
	stage->params = calloc(1, stage->law->params_size);
	aqm_params_default(stage->law, stage->params, NULL);
	assert_int_equal(aqm_policy_new(&stage->wrapped,
					&(struct aqm_policy_config){
						.law = stage->law,
						.law_params = stage->params,
						.policy = stage->policy,
						.interval = interval,
					},
					NULL),
			 0);
	stage->vars = calloc(1, stage->law->vars_size);
	stage->stats = calloc(1, stage->law->stats_size);
	aqm_policy_ops(stage->wrapped)
		->init(aqm_policy_params(stage->wrapped), stage->vars, stage->stats);
}

static void close_stage(struct stage *stage)
{
	aqm_policy_free(stage->wrapped);
	policy_destroy(stage->policy);
	free(stage->params);
	free(stage->vars);
	free(stage->stats);
}

static enum aqm_verdict arrive(struct stage *stage)
{
	const struct aqm_facts facts = {.now_ns = stage->now_ns += 1000000,
					.len_bytes = 1500,
					.ecn = AQM_ECT0,
					.random = UINT64_MAX / 2};
	uint32_t cookie = 0;

	return aqm_policy_ops(stage->wrapped)
		->on_enqueue(aqm_policy_params(stage->wrapped), stage->vars, stage->stats, &facts,
			     &cookie);
}

/* Packets go on at once; sooner or later a decision drops one. */
static void decisions_come_when_they_are_there(void **state)
{
	struct stage stage;
	struct aqm_policy_counts counts;
	int dropped = 0;

	(void)state;
	open_stage(&stage, "adversary:drop", 1);
	/* The first packet is asked about, and the law decides it: there was no time. */
	assert_int_equal(arrive(&stage), AQM_PASS);
	for (int i = 0; i < PATIENCE && dropped < 10; i++) {
		pause_ms();
		dropped += arrive(&stage) == AQM_DROP;
	}
	assert_int_equal(dropped, 10);
	counts = aqm_policy_counts(stage.wrapped);
	assert_in_range(counts.applied, 10, 10);
	assert_in_range(counts.decisions, 10, 11);
	assert_int_equal(aqm_policy_failure(stage.wrapped, NULL), 0);
	close_stage(&stage);
}

static void a_policy_is_swapped_while_packets_go_on(void **state)
{
	struct stage stage;
	struct error error = {0};

	(void)state;
	open_stage(&stage, "adversary:drop", 1);
	for (int round = 0; round < 5; round++) {
		int said = 0;

		background_policy_reload(stage.policy);
		for (int i = 0; i < PATIENCE && said == 0; i++) {
			arrive(&stage);
			pause_ms();
			said = background_policy_reloaded(stage.policy, &error);
		}
		assert_int_equal(said, 1);
		assert_int_equal(background_policy_reloaded(stage.policy, &error), 0);
	}
	assert_true(aqm_policy_counts(stage.wrapped).applied > 0);
	close_stage(&stage);
}

static void a_policy_that_is_none_is_refused(void **state)
{
	struct policy *policy;
	struct error error = {0};

	(void)state;
	assert_true(background_policy_open(&policy,
					   &(struct background_config){
						   .directory = "adversary:nobody"},
					   &error) < 0);
	assert_true(error.text[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decisions_come_when_they_are_there),
		cmocka_unit_test(a_policy_is_swapped_while_packets_go_on),
		cmocka_unit_test(a_policy_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
