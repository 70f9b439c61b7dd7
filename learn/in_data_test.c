/* SPDX-License-Identifier: BSD-2-Clause */
/* The walk through recorded rows, step by step on a recording small enough to follow. */
#include "learn/in_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* delay us, length, action of each row */
static const struct {
	double state[2];
	int action;
} rows[] = {
	{{1000, 1500}, POOL_ENQUEUE}, {{2000, 52}, POOL_ENQUEUE}, {{3000, 1500}, POOL_DROP},
	{{4000, 1000}, POOL_DROP},    {{5000, 60}, POOL_ENQUEUE}, {{6000, 1500}, POOL_ENQUEUE},
};

static void fill(struct pool *pool)
{
	pool_init(pool);
	pool->features = 2;
	strcpy(pool->columns[0].name, "current_queue_delay");
	strcpy(pool->columns[1].name, "packet_length");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pool_append(pool, rows[i].state, rows[i].action, 0, false), 0);
}

/* Drops whatever is longer than 1000 bytes. */
static int observe(struct policy *policy, const struct aqm_record *record, struct error *error);
static int decide(struct policy *policy, uint64_t now_ns, double probability[3],
		  struct error *error);
static void acted(struct policy *policy, enum aqm_verdict verdict);
static void reset(struct policy *policy);

static const struct policy_ops dropper_ops = {
	.observe = observe, .decide = decide, .acted = acted, .reset = reset};

struct dropper {
	struct policy base;
	bool drops;
	int resets;
};

static int observe(struct policy *policy, const struct aqm_record *record, struct error *error)
{
	(void)error;
	((struct dropper *)policy)->drops = record->packet_length > 1000;
	return 0;
}

static int decide(struct policy *policy, uint64_t now_ns, double probability[3],
		  struct error *error)
{
	const bool drops = ((struct dropper *)policy)->drops;

	(void)now_ns;
	(void)error;
	probability[AQM_PASS] = drops ? 0.1 : 0.9;
	probability[AQM_DROP] = drops ? 0.9 : 0.1;
	probability[AQM_MARK] = 0;
	return 0;
}

static void acted(struct policy *policy, enum aqm_verdict verdict)
{
	(void)policy;
	(void)verdict;
}

static void reset(struct policy *policy)
{
	((struct dropper *)policy)->resets++;
}

static void walks_jump_to_the_nearest_row_of_the_action(void **state)
{
	/* Asked on rows 1, 1, ...: enqueue; the nearest enqueue of 52 bytes is row 1 itself. */
	static const uint32_t enqueues[] = {0, 1, 1, 2, 0, 1};
	/* Asked on rows 1 (52: enqueue, row 1), 2 (1500: drop, row 2 itself), 3 (enqueue: 60). */
	static const uint32_t drops[] = {0, 1, 1, 2, 2, 3};
	struct dropper dropper = {.base = {&dropper_ops}};
	struct in_data_walk walk, plain;
	struct pool pool;

	(void)state;
	fill(&pool);
	assert_int_equal(in_data_walk(&plain, &pool, NULL, false, 2, 6, NULL), 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(plain.row[i], enqueues[i]);
	assert_true(plain.qdelay_ms[1] == 2 && plain.throughput[1] == 52.0 / 3);
	assert_int_equal(in_data_walk(&walk, &pool, &dropper.base, false, 2, 6, NULL), 0);
	for (int i = 0; i < 6; i++)
		assert_int_equal(walk.row[i], drops[i]);
	assert_int_equal(in_data_same(&walk, &plain), 4);
	assert_int_equal(walk.asked[POOL_DROP], 1);
	in_data_walk_free(&walk);
	assert_int_equal(dropper.resets, 1);
	assert_int_equal(in_data_walk(&walk, &pool, &dropper.base, true, 2, 6, NULL), 0);
	assert_int_equal(dropper.resets, 1 + 1 + 3); /* and before each of three questions */
	in_data_walk_free(&walk);
	in_data_walk_free(&plain);
	pool_free(&pool);
}

static void pools_without_the_needed_columns_are_refused(void **state)
{
	struct in_data_walk walk;
	struct error error = {0};
	struct pool pool;

	(void)state;
	fill(&pool);
	strcpy(pool.columns[0].name, "something_else");
	assert_int_equal(in_data_walk(&walk, &pool, NULL, false, 2, 6, &error), ERR_INVALID);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_jump_to_the_nearest_row_of_the_action),
		cmocka_unit_test(pools_without_the_needed_columns_are_refused),
	};

	return cmocka_run_group_tests_name("in_data", tests, NULL, NULL);
}
