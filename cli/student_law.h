/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Students in closed loop: the law `student`, with the model of a file or the shipped one.
 */
#ifndef CLI_STUDENT_LAW_H
#define CLI_STUDENT_LAW_H

#include "policy/aqm_policy.h"
#include "policy/student_file.h"
#include "sim/scenario.h"

/*
 * Reads `path` (student_file_named()) into `model`, which outlives the run and stays where it is,
 * and gives the law `student` with parameters for a run of `scenario` (malloc'd, the caller
 * frees): the scenario's own law's parameters stay with it.
 */
int student_law_open(struct aqm_student_model *model, const struct scenario *scenario,
		     const char *path, bool unguarded, const struct aqm_ops **law, void **params,
		     struct error *error);

/* A run of the law `student` under watch: its parameters, with a tap where there was none. */
struct student_watch {
	struct aqm_student_params params;
	struct aqm_student_stats stats;
	struct aqm_student_tap tap;
};

/* Parameters to run with instead of `params`.  False: the law is another one. */
bool student_watch_open(struct student_watch *watch, const struct aqm_ops *law, const void *params);

/* Counts of the run that has ended, as those of other policies. */
struct aqm_policy_counts student_watch_counts(const struct student_watch *watch);

#endif
