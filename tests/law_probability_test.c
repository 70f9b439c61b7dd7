/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws that tell their own probability of acting from a log tell the truth:
 * in closed loop a packet with probability 0 is never acted on, one with 1
 * always, and in between they act as often as they say.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "experience/collect.h"
#include "sim/test_support.h"

static const char traffic[] =
	"name: t\n"
	"duration_s: 60\n"
	"warmup_s: 1\n"
	"bottleneck: {rate_mbps: 8, delay_ms: 10}\n"
	"flows:\n"
	"  - {cc: cubic, count: 2, rtt_ms: 20, ecn: classic}\n"
	"  - {cc: newreno, count: 2, rtt_ms: 20, ecn: none}\n"
	"  - {cc: dctcp, count: 1, rtt_ms: 20, ecn: ect1}\n";

static void on_record(void *context, uint64_t now_ns, const struct aqm_record *record)
{
	(void)now_ns;
	assert_int_equal(collector_add(context, record, -1), 0);
}

static void pool_check(const struct pool *pool)
{
	const int column = pool_feature(pool, POOL_LAW_COLUMN);
	double expected = 0, variance = 0, acts = 0;

	assert_true(column >= 0);
	for (size_t row = 0; row < pool->rows; row++) {
		const double p = pool->state[row * pool->features + (size_t)column];
		const bool acted = pool->action[row] != POOL_ENQUEUE;

		assert_true(p >= 0 && p <= 1);
		assert_false(p == 0 && acted);
		assert_false(p == 1 && !acted);
		expected += p;
		variance += p * (1 - p);
		acts += acted;
	}
	assert_true(variance > 50); /* or the next line proves little */
	assert_true(fabs(acts - expected) < 4 * sqrt(variance));
}

static void law_run(const char *name)
{
	const struct aqm_ops *law = aqm_find(name);
	struct collect_options collection;
	struct sim_options options = {.seed = 1, .law = law, .record = on_record};
	struct scenario *scenario = test_parse(traffic);
	struct collector collector;
	struct error error = {0};
	struct pool pool;
	void *params = NULL;

	pool_init(&pool);
	assert_int_equal(sim_law_named(scenario, name, &law, &params, &error), 0);
	test_forget(scenario);
	collect_defaults(&collection);
	collection.law = law;
	collection.law_params = params;
	collector_init(&collector, &collection, &pool);
	options.params = params;
	options.context = &collector;
	test_drop(test_run(traffic, &options));
	collector_finish(&collector);
	pool_check(&pool);
	pool_free(&pool);
	free(params);
}

static void laws_act_as_often_as_they_say(void **state)
{
	size_t told = 0;

	(void)state;
	for (size_t i = 0; aqm_all[i]; i++)
		if (aqm_all[i]->act_probability) {
			law_run(aqm_all[i]->name);
			told++;
		}
	assert_true(told >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(laws_act_as_often_as_they_say)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
