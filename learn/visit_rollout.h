/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student in closed loop, written down as what it visited.
 *
 * Of a run some stretches are kept, spread evenly over the time after warm-up.
 * Within a stretch every `interval`-th packet is one that a teacher is asked
 * about; the records of those, with what was done, are an episode of `asked`.
 * Students with memory are given all packets in between too.
 *
 * Either the student acts, or the law: then the student only looks on, and
 * packets are signalled with the probabilities that the law has at arrival.
 */
#ifndef LEARN_VISIT_ROLLOUT_H
#define LEARN_VISIT_ROLLOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "learn/teacher.h"
#include "policy/student_model.h"
#include "sim/scenario.h"

#define VISIT_CHANCES 3 /* enum aqm_verdict */

struct visit_plan {
	uint64_t interval;     /* packets between questions, >= 1 */
	bool between;	       /* keep the packets in between */
	int64_t stretches;     /* >= 1 */
	int64_t stretch_steps; /* packets kept of a stretch, at most */
	bool law_acts;
};

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

/* The law `student` with its parameters (malloc'd, the caller frees) for a scenario and a model. */
int visit_student_law(const struct scenario *scenario, const struct aqm_student_model *model,
		      const struct aqm_student_tap *tap, const struct aqm_ops **law, void **params,
		      struct error *error);

#endif
