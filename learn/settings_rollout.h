/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student that supervises, written down as what it visited.
 *
 * A step is an update of p', at which the student speaks.  The teacher is asked
 * about packets, as it would be at a router, once for every row of its table: each
 * time it sees the records before the decision as under that row, which it kept so
 * far.  What it says counts at the update that follows the packet.
 *
 * Either the student acts, under its guard, or a walk over the table's rows does,
 * without one: a row for a quarter of a second in the mean, then it, or one of its
 * neighbours.  So states under all rows are seen, and where a walk is says nothing of
 * the network.
 */
#ifndef LEARN_SETTINGS_ROLLOUT_H
#define LEARN_SETTINGS_ROLLOUT_H

#include "learn/settings_table.h"
#include "learn/teacher.h"
#include "learn/visit_run.h"

struct settings_haul {
	int64_t steps, room;
	int16_t *seen;	/* (steps, AQM_STUDENT_FEATURE_COUNT) */
	float *p;	/* (steps) p' */
	int64_t *asks;	/* (steps): questions up to here, from the run's first */
	int64_t asked_count;
	/* With a teacher: of every row of the table, the questions as teacher_pool() has them. */
	struct pool asked[POLICY_SETTINGS_ROWS];
};

/*
 * Runs `model`, of mode `supervise`, in the scenario until all stretches are full or the time is
 * over; `table` is of the scenario.  `teacher` (may be NULL) says which fields `asked` has.
 * Failures and `stop` as visit_run_play().  `haul` is to be freed in any case.
 */
int settings_rollout(struct settings_haul *haul, const struct scenario *scenario,
		     const struct aqm_student_model *model, const struct settings_table *table,
		     const struct teacher *teacher, const struct visit_plan *plan, uint64_t seed,
		     bool (*stop)(void *context), void *context, struct error *error);
void settings_haul_free(struct settings_haul *haul);

/* The table in the words of a scenario's student (learn/settings_table.h). */
int settings_table_of(struct settings_table *table, const struct policy_settings *settings,
		      const struct scenario *scenario, struct error *error);

#endif
