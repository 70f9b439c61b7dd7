/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Evolution strategies: the gradient of an expected fitness, from the fitness of
 * perturbed parameters alone (Wierstra et al. 2014; Salimans et al. 2017).
 *
 * A generation is `pairs` antithetic pairs theta + sigma e and theta - sigma e,
 * e standard normal.  Fitness is shaped to centred ranks in [-1/2, 1/2] (equal
 * ones share theirs), so its scale does not matter and no outlier counts for
 * more than the first place; AdamW (learn/adamw.h) climbs.
 *
 * Noise is a function of (seed, generation, pair), so whoever evaluates
 * candidates makes them on its own, and a loaded state goes on to the same bits.
 */
#ifndef LEARN_EVOLUTION_H
#define LEARN_EVOLUTION_H

#include "learn/adamw.h"
#include "learn/checkpoint.h"

#define EVOLUTION_FIELDS 4 /* evolution_fields(): adam's steps are the generations */

struct evolution_options {
	uint64_t seed;
	size_t pairs;	/* >= 1 */
	double sigma;	/* standard deviation of perturbations, > 0 */
	double rate;	/* about the size of a step of every parameter, > 0 */
	double decay;	/* decoupled weight decay, >= 0 */
	double beta1;	/* of the gradient's running mean, [0, 1) */
	double beta2;	/* of the mean of its square, [0, 1) */
};

struct evolution {
	struct evolution_options options;
	size_t count;	     /* parameters */
	float *theta;	     /* (count); owned */
	float *gradient;     /* (count); owned */
	double *ranks;	     /* (2 x pairs); owned */
	double *ascent;	     /* (count); owned */
	struct adamw adam;
	uint64_t generation; /* done so far */
};

/* Starts at `theta` (count), which is copied.  ERR_NO_MEMORY: nothing is left behind. */
int evolution_open(struct evolution *evolution, const struct evolution_options *options,
		   const float *theta, size_t count, struct error *error);
void evolution_free(struct evolution *evolution);

/* Candidates of a generation: 2 x pairs. */
size_t evolution_candidates(const struct evolution *evolution);

/* Candidate `index` of the present generation into `theta` (count); threads may call at once. */
void evolution_candidate(const struct evolution *evolution, size_t index, float *theta);

/*
 * One step up from the fitness of every candidate (higher is better, NaN is the
 * worst); the generation is over.  Returns the norm of the gradient.
 */
double evolution_step(struct evolution *evolution, const double *fitness);

/* Centred ranks in [-1/2, 1/2] of `fitness` (count > 1); they sum to 0. */
void evolution_ranks(const double *fitness, size_t count, double *ranks);

/* Its state, for a checkpoint: EVOLUTION_FIELDS of them; after loading call evolution_resumed(). */
void evolution_fields(struct evolution *evolution, struct checkpoint_field *fields);
void evolution_resumed(struct evolution *evolution);

#endif
