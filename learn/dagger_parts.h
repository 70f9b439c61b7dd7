/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside DAgger: what its rounds share.
 */
#ifndef LEARN_DAGGER_PARTS_H
#define LEARN_DAGGER_PARTS_H

#include "learn/dagger.h"
#include "learn/teacher.h"
#include "learn/visit_rollout.h"

struct dagger {
	const struct dagger_options *options;
	const struct dagger_observer *observer;
	struct dagger_report *report;
	struct aqm_student_model model; /* that acts; of a net without weights its shape */
	float *theta;			/* of a net, else NULL */
	struct visits visits;
	size_t held;		 /* networks held out, the last ones; 0: the only one there is */
	struct quality *quality; /* (2 + rounds, dagger_measured()): law, teacher, students */
};

/* Networks measured in closed loop. */
size_t dagger_measured(const struct dagger *dagger);
const struct scenario *dagger_measured_network(const struct dagger *dagger, size_t index);

/* Seed of run `index` of a round; round 0: of closed-loop measurements. */
uint64_t dagger_seed(const struct dagger *dagger, uint64_t round, uint64_t index);

/* Every run of a round, its labels, and into the visits with them. */
int dagger_visit(struct dagger *dagger, uint64_t round, struct error *error);

/* Who is measured. */
enum dagger_arm { DAGGER_ARM_LAW, DAGGER_ARM_TEACHER, DAGGER_ARM_STUDENT };

/* Closed-loop quality (dagger_measured()) of one arm. */
int dagger_measure(struct dagger *dagger, enum dagger_arm arm, uint64_t round,
		   struct quality *quality, struct error *error);

/* Shaped for the callbacks of jobs: the observer's wish. */
bool dagger_stopped(void *dagger);

#endif
