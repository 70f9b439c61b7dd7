/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of settings (policy/settings.h) in the words of a supervising student:
 * log2 of factors on the settings of the law inside it.
 *
 * A policy moves by whole rows, a student sets what it wants.  What a policy says in
 * a state is asked in every row, and what it teaches is where its moves would settle if
 * the state stayed: the mean of the rows' outputs under the stationary distribution of
 *
 *     p(row r+1) / p(row r) = p(up in r) / p(down in r+1),
 *
 * the balance that a walk with those moves comes to.  A policy that knows which row it
 * wants teaches that row; one in doubt teaches settings between rows, by its doubt.
 */
#ifndef LEARN_SETTINGS_TABLE_H
#define LEARN_SETTINGS_TABLE_H

#include "aqm/student.h"
#include "policy/settings.h"

struct settings_table {
	int rows, start; /* start: the row that the law's own settings are, or the middle one */
	struct aqm_dualpi2_params law[POLICY_SETTINGS_ROWS]; /* of each row */
	float output[POLICY_SETTINGS_ROWS][AQM_STUDENT_SETTING_COUNT];
};

/*
 * `params` are those of the law `student`, whose own settings are what outputs of 0 leave.
 * ERR_UNSUPPORTED: a row sets what a student cannot (anything but target, step, k, and alpha and
 * beta by one factor), or sets it to 0; else as policy_settings_apply().
 */
int settings_table_make(struct settings_table *table, const struct policy_settings *settings,
			const struct aqm_ops *student, const struct aqm_student_params *params,
			struct error *error);

/*
 * Where moves of these probabilities, in the order of a pool, settle: output of the student.
 * moves (table->rows, POOL_ACTIONS).
 */
void settings_table_settle(const struct settings_table *table,
			   float moves[POLICY_SETTINGS_ROWS][POOL_ACTIONS],
			   float output[AQM_STUDENT_SETTING_COUNT]);

#endif
