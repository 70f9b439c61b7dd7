/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics on cases small enough to do by hand; the schedule's corners. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "learn/metrics.h"
#include "learn/schedule.h"

static void add(struct metrics *metrics, int truth, int predicted, enum metrics_part part)
{
	double probability[POOL_ACTIONS] = {0.1, 0.1, 0.1};

	probability[predicted] = 0.8;
	metrics_add(metrics, truth, probability, part);
}

/* 6 enqueues all right, 2 drops one right (other: enqueue), no marks. */
static void by_hand(void **state)
{
	struct metrics metrics = {0};
	struct metrics_summary s;

	(void)state;
	for (int i = 0; i < 6; i++)
		add(&metrics, POOL_ENQUEUE, POOL_ENQUEUE, i < 2 ? METRICS_L : METRICS_C);
	add(&metrics, POOL_DROP, POOL_DROP, METRICS_C);
	add(&metrics, POOL_DROP, POOL_ENQUEUE, METRICS_L);
	s = metrics_summarise(&metrics);
	assert_int_equal(s.rows, 8);
	assert_true(fabs(s.accuracy - 7.0 / 8) < 1e-12);
	assert_true(fabs(s.majority_rate - 6.0 / 8) < 1e-12);
	assert_true(fabs(s.balanced_accuracy - 0.75) < 1e-12);
	assert_true(fabs(s.macro_f1 - (12.0 / 13 + 2.0 / 3) / 2) < 1e-12);
	assert_true(fabs(s.log_loss + (7 * log(0.8) + log(0.1)) / 8) < 1e-12);
	assert_true(fabs(s.ece - (7 - 8 * 0.8) / 8) < 1e-12);
	assert_int_equal(metrics.confusion[METRICS_L][POOL_DROP][POOL_ENQUEUE], 1);
	assert_int_equal(metrics.confusion[METRICS_C][POOL_ENQUEUE][POOL_ENQUEUE], 4);
}

/* A class that never occurs but is predicted costs macro-F1, not balanced accuracy. */
static void invented_class_costs(void **state)
{
	struct metrics metrics = {0};
	struct metrics_summary s;

	(void)state;
	for (int i = 0; i < 3; i++)
		add(&metrics, POOL_ENQUEUE, POOL_ENQUEUE, METRICS_ALL);
	add(&metrics, POOL_ENQUEUE, POOL_MARK, METRICS_ALL);
	s = metrics_summarise(&metrics);
	assert_true(fabs(s.balanced_accuracy - 0.75) < 1e-12);
	assert_true(fabs(s.macro_f1 - (6.0 / 7) / 2) < 1e-12);
}

static void empty_is_zero(void **state)
{
	const struct metrics metrics = {0};

	(void)state;
	assert_int_equal(metrics_summarise(&metrics).rows, 0);
	assert_true(metrics_summarise(&metrics).log_loss == 0);
}

static void warms_up_then_decays(void **state)
{
	struct schedule s = {.peak_rate = 1, .warmup_steps = 4, .total_steps = 104};

	(void)state;
	assert_true(schedule_rate(&s, 0) == 0.25 && schedule_rate(&s, 3) == 1);
	assert_true(schedule_rate(&s, 5000) == 1);
	s.decay = SCHEDULE_COSINE;
	assert_true(schedule_rate(&s, 1) == 0.5 && schedule_rate(&s, 4) == 1);
	assert_true(fabs(schedule_rate(&s, 103) - 0.1) < 1e-12);
	for (uint64_t k = 4; k < 103; k++)
		assert_true(schedule_rate(&s, k) > schedule_rate(&s, k + 1));
	s.warmup_steps = 0;
	assert_true(schedule_rate(&s, 0) == 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_hand),
		cmocka_unit_test(invented_class_costs),
		cmocka_unit_test(empty_is_zero),
		cmocka_unit_test(warms_up_then_decays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
