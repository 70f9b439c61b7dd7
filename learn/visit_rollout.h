/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student that gives verdicts, written down as what it visited.
 *
 * A step is a packet.  The records of those that the teacher is asked about, with
 * what was done, are an episode of `asked`, one a stretch.  Students with memory
 * are given all packets in between too.
 *
 * Either the student acts, or the law: then the student only looks on, and
 * packets are signalled with the probabilities that the law has at arrival.
 */
#ifndef LEARN_VISIT_ROLLOUT_H
#define LEARN_VISIT_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "learn/teacher.h"
#include "learn/visit_run.h"

#define VISIT_CHANCES 3 /* enum aqm_verdict */

struct visit_haul {
	int64_t steps, room;
	int16_t *seen;	/* (steps, AQM_STUDENT_FEATURE_COUNT) */
	float *chances; /* (steps, VISIT_CHANCES) of the law at arrival */
	int8_t *done;	/* (steps) enum aqm_verdict that was carried out */
	uint8_t *is_asked; /* (steps) */
	struct pool asked; /* as teacher_pool() made it: a row for each step that is asked */
};

/*
 * Runs `model`, of mode `verdict`, in the scenario (under its guard) until all stretches are
 * full or the time is over.  `teacher` (may be NULL) says which fields `asked` has.  `stop` is
 * asked about 100 times; true ends it with ERR_INTERRUPTED.  `haul` is to be freed in any case.
 */
int visit_rollout(struct visit_haul *haul, const struct scenario *scenario,
		  const struct aqm_student_model *model, const struct teacher *teacher,
		  const struct visit_plan *plan, uint64_t seed, bool (*stop)(void *context),
		  void *context, struct error *error);
void visit_haul_free(struct visit_haul *haul);

/* What DualPI2 would do with a packet that arrives now: chances of enum aqm_verdict, step included.
 */
void visit_law_chances(const struct aqm_student_vars *vars, const struct aqm_facts *facts,
		       float chances[VISIT_CHANCES]);

#endif
