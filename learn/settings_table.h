/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table of settings (policy/settings.h) in the words of a supervising student:
 * log2 of factors on the settings of the law inside it.
 *
 * A policy moves by whole rows, a student sets what it wants.  Where a policy would
 * be asked, its state is the row nearest to the settings in force, and what it
 * teaches is the mean of where its moves lead from there:
 *
 *     sum over moves of p(move) x outputs of the row that the move goes to,
 *
 * the table's end for moves beyond it.  So probabilities between certain moves are
 * settings between rows.
 */
#ifndef LEARN_SETTINGS_TABLE_H
#define LEARN_SETTINGS_TABLE_H

#include "aqm/student.h"
#include "policy/settings.h"

struct settings_table {
	int rows, start; /* start: the row that the law's own settings are, or the middle one */
	struct aqm_dualpi2_params base;			  /* the law's own settings */
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

/* The row whose settings are nearest to these, in octaves. */
int settings_table_nearest(const struct settings_table *table,
			   const struct aqm_dualpi2_params *now);

/* Adds `weight` x what moves of these probabilities, in the order of a pool, teach in `row`. */
void settings_table_teach(const struct settings_table *table, int row,
			  const float probability[POOL_ACTIONS], float weight,
			  float output[AQM_STUDENT_SETTING_COUNT]);

#endif
