/* SPDX-License-Identifier: BSD-2-Clause */
/* Statistics against tables and by hand. */
#include "report/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void students_t_is_that_of_the_tables(void **state)
{
	/* Two-sided 95 %: Abramowitz and Stegun table 26.10. */
	static const struct {
		double freedom, t;
	} rows[] = {{1, 12.706}, {2, 4.303}, {4, 2.776}, {9, 2.262}, {30, 2.042}, {1000, 1.962}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(fabs(statistics_student(0.975, rows[i].freedom) - rows[i].t) < 6e-4);
	assert_true(fabs(statistics_student(0.5, 7)) < 1e-6);
	assert_true(fabs(statistics_student(0.025, 4) + statistics_student(0.975, 4)) < 1e-9);
}

static void intervals_shrink_when_pairs_move_together(void **state)
{
	const double a[] = {10, 20, 30, 40}, b[] = {9, 19, 29, 39};
	const struct interval alone = statistics_interval(a, 4);
	const struct interval paired = statistics_paired(a, b, 4);

	(void)state;
	assert_true(fabs(alone.mean - 25) < 1e-12);
	assert_true(fabs(alone.half_width - 3.182446 * 12.909944 / 2) < 1e-4);
	assert_true(paired.mean == 1 && paired.half_width == 0);
	assert_true(isnan(statistics_interval(a, 1).half_width));
	assert_true(isnan(statistics_interval(a, 0).mean));
}

static void what_is_not_finite_does_not_count(void **state)
{
	double some[] = {NAN, 10, INFINITY, 20, 30, 40, NAN}, none[] = {NAN, NAN};
	const struct interval of_some = statistics_finite_interval(some, 7);
	const struct interval of_none = statistics_finite_interval(none, 2);

	(void)state;
	assert_int_equal(of_some.count, 4);
	assert_true(fabs(of_some.mean - 25) < 1e-12);
	assert_int_equal(of_none.count, 0);
	assert_true(isnan(of_none.mean) && isnan(of_none.half_width));
}

static void proportions_are_those_of_the_tables(void **state)
{
	/* Clopper and Pearson 1934; 0 and n of n also by hand: 1 - 0.025^(1/n). */
	static const struct {
		size_t successes, trials;
		double low, high;
	} rows[] = {
		{0, 10, 0, 0.30850},	    {10, 10, 0.69150, 1},	{5, 10, 0.18709, 0.81291},
		{1, 20, 0.00127, 0.24873}, {20, 20, 0.83157, 1},	{8, 25, 0.14950, 0.53500},
		{50, 100, 0.39832, 0.60168}, {0, 0, 0, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bounds bounds =
			statistics_proportion(rows[i].successes, rows[i].trials);

		assert_true(fabs(bounds.low - rows[i].low) < 1e-5);
		assert_true(fabs(bounds.high - rows[i].high) < 1e-5);
	}
	assert_true(fabs(statistics_proportion(20, 20).low - pow(0.025, 1.0 / 20)) < 1e-12);
}

static void boxes_interpolate_between_ranks(void **state)
{
	double values[] = {5, 1, 4, 2, 3};
	const struct box box = statistics_box(values, 5);

	(void)state;
	assert_true(box.median == 3 && box.q1 == 2 && box.q3 == 4 && box.mean == 3);
	assert_true(fabs(box.p5 - 1.2) < 1e-12 && fabs(box.p95 - 4.8) < 1e-12);
	assert_true(isnan(statistics_box(values, 0).median));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(students_t_is_that_of_the_tables),
		cmocka_unit_test(intervals_shrink_when_pairs_move_together),
		cmocka_unit_test(what_is_not_finite_does_not_count),
		cmocka_unit_test(proportions_are_those_of_the_tables),
		cmocka_unit_test(boxes_interpolate_between_ranks),
	};

	return cmocka_run_group_tests_name("statistics", tests, NULL, NULL);
}
