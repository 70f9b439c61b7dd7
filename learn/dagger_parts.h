/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inside DAgger: what its rounds share.
 */
#ifndef LEARN_DAGGER_PARTS_H
#define LEARN_DAGGER_PARTS_H

#include "learn/dagger.h"
#include "learn/teacher.h"
#include "learn/visit_run.h"

struct dagger {
	const struct dagger_options *options;
	const struct dagger_observer *observer;
	struct dagger_report *report;
	struct aqm_student_model model; /* that acts; of a net without weights its shape */
	float *theta;			/* of a net, else NULL */
	struct visits visits;
	size_t held;		 /* networks held out, the last ones; 0: the only one there is */
	struct quality *quality; /* (2 + rounds, dagger_measured()): law, teacher, students */
	int *best;		 /* (networks) row that is best in hindsight; NULL: nobody asks */
};

/* Students supervise; false: they give verdicts. */
static inline bool dagger_supervises(const struct dagger *dagger)
{
	return dagger->options->settings.rows > 0;
}

/* Networks measured in closed loop. */
size_t dagger_measured(const struct dagger *dagger);
const struct scenario *dagger_measured_network(const struct dagger *dagger, size_t index);

/* Seed of run `index` of a round; round 0: of closed-loop measurements. */
uint64_t dagger_seed(const struct dagger *dagger, uint64_t round, uint64_t index);

/* Every run of a round, its labels, and into the visits with them. */
int dagger_visit(struct dagger *dagger, uint64_t round, struct error *error);

/* One run of a round. */
struct dagger_job {
	const struct visit_plan *plan;
	size_t network;
	uint64_t seed;
	const struct teacher *teacher; /* NULL: none */
};

/* What it brings: states in order, and what is to be learned in them (learn/visits.h). */
struct dagger_haul {
	int16_t *seen;
	float *target, *law;
	int64_t steps;
};

/* ERR_NO_MEMORY. */
int dagger_haul_new(struct dagger_haul *haul, int64_t steps, int outputs, struct error *error);

/* Runs and labels: of students that give verdicts, of those that supervise. */
int dagger_visit_verdicts(struct dagger *dagger, const struct dagger_job *job,
			  struct dagger_haul *out, struct error *error);
int dagger_visit_settings(struct dagger *dagger, const struct dagger_job *job,
			  struct dagger_haul *out, struct error *error);

/* Sets `best`: every row runs in every network. */
int dagger_find_best(struct dagger *dagger, struct error *error);

/* Writes rounds.csv and quality.csv. */
int dagger_write_tables(const struct dagger *dagger, struct error *error);

/* Who is measured. */
enum dagger_arm { DAGGER_ARM_LAW, DAGGER_ARM_TEACHER, DAGGER_ARM_STUDENT };

/* Where an arm's quality stands; of students the round is added to the arm. */
struct quality *dagger_quality_of(const struct dagger *dagger, size_t arm);

/* A file of the folder. */
int dagger_path(const struct dagger *dagger, char *path, size_t size, const char *name,
		struct error *error);

/* Closed-loop quality (dagger_measured()) of one arm. */
int dagger_measure(struct dagger *dagger, enum dagger_arm arm, uint64_t round,
		   struct quality *quality, struct error *error);

/* Shaped for the callbacks of jobs: the observer's wish. */
bool dagger_stopped(void *dagger);

#endif
