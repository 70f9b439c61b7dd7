/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reinforcement of a student by evolution strategies in closed loop.
 *
 * In a generation all candidates run on the same networks with the same seeds,
 * drawn anew for every generation from the training networks; a candidate's
 * fitness is its mean reward over them, each relative to the reference law's own
 * run.  What is run is the integer student, so rounding is part of what is
 * learned.  Networks that are held back tell how far it has come; the best there
 * is kept.
 *
 * A state is a function of the options, the networks and the number of
 * generations alone: not of threads, ranks or interruptions.
 */
#ifndef LEARN_REINFORCE_H
#define LEARN_REINFORCE_H

#include "learn/evolution.h"
#include "learn/rollout.h"

struct reinforce_options {
	struct evolution_options evolution;
	struct objective objective;
	struct rollout_law student, reference;
	uint64_t seed;
	size_t networks;      /* of a generation, at most as many as there are to train on */
	size_t held_back;     /* the last ones of the networks, not trained on; 0: none */
};

/* X(column, what): a row of progress.csv; NaN where there was nothing to measure. */
#define REINFORCE_ROW_TABLE(X)                                                                     \
	X(generation, "generations done")                                                          \
	X(reward_mean, "of the candidates of the generation, over its networks")                   \
	X(reward_best, "of the best candidate")                                                    \
	X(gradient, "norm of the estimate")                                                        \
	X(held_back, "mean reward of the student itself on the networks held back")                \
	X(held_back_worst, "of the network with the least")                                        \
	X(l_p99, "L p99 over the reference's, median of the networks held back")                   \
	X(c_p99, "Classic p99, likewise")                                                          \
	X(goodput, "goodput, likewise")                                                            \
	X(goodput_worst, "of the network with the least")

struct reinforce_row {
#define REINFORCE_ROW_FIELD(name, doc) double name;
	REINFORCE_ROW_TABLE(REINFORCE_ROW_FIELD)
#undef REINFORCE_ROW_FIELD
};

struct reinforce {
	struct reinforce_options options;
	const struct aqm_student_model *shape; /* of the student; not owned */
	const struct scenario *scenarios;      /* not owned: those to train on come first */
	size_t training;		       /* how many of them */
	struct evolution evolution;
	float *best;			       /* (parameters): of the best so far; owned */
	double best_reward;		       /* on the networks held back */
	uint64_t best_generation;
	float *candidate;			/* room for one; owned */
	struct aqm_student_model *models;	/* (candidates); owned */
	struct rollout_network *networks;	/* (networks of a generation or held back); owned */
	struct objective_figures *figures;	/* (those x candidates); owned */
	struct objective_figures *reference;	/* (those); owned */
	struct objective_figures *held_back;	/* (held back): the reference's, once run; owned */
	bool has_held_back;
	double *fitness;			/* (candidates); owned */
};

/*
 * Begins at `theta`, the float twin's parameters for `shape`.  `count` scenarios,
 * more than are held back.  ERR_RANGE, ERR_NO_MEMORY.
 */
int reinforce_open(struct reinforce *reinforce, const struct reinforce_options *options,
		   const struct aqm_student_model *shape, const float *theta,
		   const struct scenario *scenarios, size_t count, struct error *error);
void reinforce_free(struct reinforce *reinforce);

/* Rollouts of a generation, those of the reference included. */
size_t reinforce_rollouts(const struct reinforce *reinforce);

/* One generation: rewards and gradient of `row`.  All ranks call it together. */
int reinforce_generation(struct reinforce *reinforce, const struct rollout_crew *crew,
			 struct reinforce_row *row, struct error *error);

/*
 * The student as it is on the networks held back: the rest of `row`; where it is
 * the best so far it is kept.  Without such networks it is kept as it is.
 */
int reinforce_validate(struct reinforce *reinforce, const struct rollout_crew *crew,
		       struct reinforce_row *row, struct error *error);

/* The best student, in integers. */
int reinforce_student(const struct reinforce *reinforce, struct aqm_student_model *model,
		      struct error *error);

/* Everything a run goes on from.  `fingerprint` says which run it is. */
int reinforce_save(struct reinforce *reinforce, const char *path, const char *fingerprint,
		   struct error *error);
int reinforce_load(struct reinforce *reinforce, const char *path, const char *fingerprint,
		   struct error *error);

/* All ranks take over rank 0's state.  ERR_NO_MEMORY. */
int reinforce_share(struct reinforce *reinforce, const struct ranks *ranks, struct error *error);

#endif
