/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rollouts: students in closed loop on networks, each beside the reference law
 * on the same network and seed.
 *
 * A rollout records nothing but what a reward reads (learn/objective.h).  Many go
 * to all cores, and over ranks; results do not depend on how many.
 */
#ifndef LEARN_ROLLOUT_H
#define LEARN_ROLLOUT_H

#include <stdbool.h>

#include "aqm/student.h"
#include "cluster/ranks.h"
#include "learn/objective.h"

struct rollout_law {
	const char *name;
	const char *settings; /* "NAME=VALUE:NAME=VALUE"; NULL: none */
};

/* Who decides in a run, and perhaps who listens (aqm/student.h); both outlive it. */
struct rollout_student {
	const struct aqm_student_model *model;
	const struct aqm_student_tap *tap; /* NULL: nobody */
};

/* A network and the seed of its runs. */
struct rollout_network {
	const struct scenario *scenario;
	uint64_t seed;
};

/* Who runs them. */
struct rollout_crew {
	unsigned threads; /* of this rank; 0: one a core */
	struct ranks ranks;
	void *context;
	/* Asked often, from any thread; true ends the batch with ERR_INTERRUPTED. */
	bool (*stop)(void *context);
	/* After each of this rank's rollouts; one call at a time.  Optional. */
	void (*done)(void *context, size_t done, size_t total);
};

/* Every model on every network, and perhaps the reference too. */
struct rollout_batch {
	const struct rollout_network *networks;
	size_t network_count;
	const struct aqm_student_model *models;
	size_t model_count;
	const struct rollout_law *student;   /* that the models run in */
	const struct rollout_law *reference; /* NULL: it is not run */
};

/*
 * One run of `law`, the student's where `student` is not NULL, as the scenario's.
 * `stop` is asked about 100 times; true ends it with ERR_INTERRUPTED.
 */
int rollout_run(const struct rollout_network *network, const struct rollout_law *law,
		const struct rollout_student *student, void *context,
		bool (*stop)(void *context, double done), struct objective_figures *figures,
		struct error *error);

/*
 * All of a batch: `figures` (networks x models), and `reference` (networks)
 * where it is run.  All ranks call it together, and all receive everything.
 */
int rollout_batch_run(const struct rollout_batch *batch, const struct rollout_crew *crew,
		      struct objective_figures *figures, struct objective_figures *reference,
		      struct error *error);

#endif
