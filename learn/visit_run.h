/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student in closed loop, of which some stretches are kept: spread
 * evenly over the time after warm-up.
 *
 * Within a stretch every `interval`-th packet is one that a teacher is asked
 * about.  Who listens says what a step is: a packet of students that give
 * verdicts, an update of p' of those that supervise.
 */
#ifndef LEARN_VISIT_RUN_H
#define LEARN_VISIT_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "aqm/ops.h"
#include "aqm/student.h"
#include "base/error.h"
#include "sim/scenario.h"

struct visit_plan {
	uint64_t interval;     /* packets between questions, >= 1 */
	bool between;	       /* keep the steps in between, for students with memory */
	int64_t stretches;     /* >= 1 */
	int64_t stretch_steps; /* kept of a stretch, at most */
	bool student_acts;     /* false, of the first round: somebody else does */
};

struct visit_run {
	const struct visit_plan *plan;
	uint64_t warmup_ns, duration_ns;
	int64_t stretch;  /* the one at work or to come */
	int64_t kept;	  /* steps of it */
	uint64_t packets; /* of it */
	bool failed;	  /* who listens is out of memory: the run ends */
	bool (*stop)(void *context); /* asked about 100 times; true ends it.  May be NULL */
	void *context;
};

/* Before a run of this scenario. */
void visit_run_begin(struct visit_run *run, const struct visit_plan *plan,
		     const struct scenario *scenario, bool (*stop)(void *context), void *context);

/* A stretch is at work now. */
bool visit_run_keeps(const struct visit_run *run, uint64_t now_ns);

/* A packet of a stretch: is the teacher asked about it? */
bool visit_run_asks(struct visit_run *run);

/* One more step was kept; true: the stretch has all of them. */
bool visit_run_kept(struct visit_run *run);

/* The stretch ends. */
void visit_run_next(struct visit_run *run);

/*
 * Plays it until all stretches are full or the time is over.  ERR_INTERRUPTED when told to stop,
 * ERR_NO_MEMORY when it failed.
 */
int visit_run_play(struct visit_run *run, const struct scenario *scenario,
		   const struct aqm_ops *law, const void *params, uint64_t seed,
		   struct error *error);

/* The law `student` with its parameters (malloc'd, the caller frees) for a scenario and a model. */
int visit_student_law(const struct scenario *scenario, const struct aqm_student_model *model,
		      const struct aqm_student_tap *tap, const struct aqm_ops **law, void **params,
		      struct error *error);

/* A tap is told features only; they stand in the vars. */
const struct aqm_student_vars *visit_vars_of(const int16_t *features);

#endif
