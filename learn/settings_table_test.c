/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows in a student's words, and where moves between them settle. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "learn/settings_table.h"

#define TARGET AQM_STUDENT_SETTING_target

static int make(struct settings_table *table, const char *text, struct error *error)
{
	const struct aqm_ops *student = aqm_find("student");
	struct aqm_student_params *params = malloc(student->params_size);
	struct policy_settings settings;
	int status;

	assert_int_equal(aqm_params_default(student, params, NULL), 0);
	assert_int_equal(policy_settings_parse(&settings, text, NULL), 0);
	status = settings_table_make(table, &settings, student, params, error);
	free(params);
	return status;
}

static void rows_are_octaves_of_the_law(void **state)
{
	static struct settings_table table;

	(void)state;
	assert_int_equal(make(&table, "target_ms=3.75:k=4/target_ms=15/target_ms=30:step_ms=0.5",
			      NULL), 0);
	assert_int_equal(table.rows, 3);
	assert_int_equal(table.start, 1);
	assert_true(fabs((double)table.output[0][TARGET] + 2) < 1e-6);
	assert_true(fabs((double)table.output[0][AQM_STUDENT_SETTING_k] - 1) < 1e-6);
	assert_true(fabs((double)table.output[2][AQM_STUDENT_SETTING_step] + 1) < 1e-6);
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		assert_true(table.output[1][i] == 0);
	/* The law under a row is the law with these settings. */
	assert_int_equal(table.law[0].target_ns, 3750000);
	assert_int_equal(table.law[0].k_q16, 4 << 16);
	assert_int_equal(table.law[2].step.threshold_ns, 500000);
}

static void what_students_cannot_say_is_told(void **state)
{
	static const char *const bad[] = {
		"target_ms=5/limit_packets=100", "target_ms=5/scheduler=tsf", "alpha=0.32/k=2",
		"k=2/alpha=0:beta=0"};
	static struct settings_table table;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = {0};

		assert_int_equal(make(&table, bad[i], &error), ERR_UNSUPPORTED);
		assert_non_null(strstr(error.text, "row "));
	}
	assert_int_equal(make(&table, "target_ms=0.5/target_ms=5", NULL), ERR_INVALID);
	assert_int_equal(make(&table, "k=2/alpha=0.320142:beta=6.395566", NULL), 0);
	assert_true(fabs((double)table.output[1][AQM_STUDENT_SETTING_gain] - 1) < 0.001);
}

/* Moves towards `best`, the more certain the less `doubt`. */
static void moves_towards(float moves[][POOL_ACTIONS], int rows, int best, float doubt)
{
	for (int r = 0; r < rows; r++)
		for (int a = 0; a < POOL_ACTIONS; a++)
			moves[r][a] = a == (int)policy_move_towards(r, best) ? 1 - 2 * doubt
									     : doubt;
}

static float settled(const struct settings_table *table, float moves[][POOL_ACTIONS])
{
	float output[AQM_STUDENT_SETTING_COUNT];

	settings_table_settle(table, moves, output);
	for (int i = 1; i < AQM_STUDENT_SETTING_COUNT; i++)
		assert_true(output[i] == 0);
	return output[TARGET];
}

static void certain_moves_settle_where_they_lead(void **state)
{
	static struct settings_table table;
	float moves[POLICY_SETTINGS_ROWS][POOL_ACTIONS];

	(void)state;
	assert_int_equal(make(&table, "target_ms=2/target_ms=5/target_ms=15/target_ms=40", NULL),
			 0);
	for (int best = 0; best < 4; best++) {
		moves_towards(moves, 4, best, 0);
		assert_true(fabsf(settled(&table, moves) - table.output[best][TARGET]) < 1e-4f);
		moves_towards(moves, 4, best, 0.2f);
		assert_true(fabsf(settled(&table, moves) - table.output[best][TARGET]) > 1e-2f);
	}
	moves_towards(moves, 4, 0, 1.0f / 3); /* who knows nothing settles in the middle */
	assert_true(fabsf(settled(&table, moves) -
			  (table.output[0][TARGET] + table.output[1][TARGET] +
			   table.output[2][TARGET] + table.output[3][TARGET]) / 4) < 1e-5f);
}

/* The share of time in each row of a walk with these moves, counted, is what the formula says. */
static void settling_is_where_a_walk_is(void **state)
{
	enum { STEPS = 400000 };
	static struct settings_table table;
	float moves[POLICY_SETTINGS_ROWS][POOL_ACTIONS];
	const enum pool_action up = policy_move_towards(0, 1), down = policy_move_towards(1, 0);
	double sum = 0;
	struct rng rng;
	int row = 0;

	(void)state;
	assert_int_equal(make(&table, "target_ms=2/target_ms=5/target_ms=15", NULL), 0);
	for (int r = 0; r < 3; r++) {
		moves[r][up] = 0.1f + 0.2f * (float)r;
		moves[r][down] = 0.3f - 0.1f * (float)r;
		moves[r][policy_move_towards(r, r)] = 1 - moves[r][up] - moves[r][down];
	}
	rng_seed(&rng, 2);
	for (int s = 0; s < STEPS; s++) {
		const float at = (float)rng_uniform(&rng);

		if (at < moves[row][up])
			row = row < 2 ? row + 1 : row;
		else if (at < moves[row][up] + moves[row][down])
			row = row > 0 ? row - 1 : row;
		sum += (double)table.output[row][TARGET] / STEPS;
	}
	assert_true(fabs(sum - (double)settled(&table, moves)) < 0.03);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_octaves_of_the_law),
		cmocka_unit_test(what_students_cannot_say_is_told),
		cmocka_unit_test(certain_moves_settle_where_they_lead),
		cmocka_unit_test(settling_is_where_a_walk_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
