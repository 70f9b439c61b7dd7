/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A critic: a small float network that says what a pool's state is worth.
 *
 * It sees every column of the pool, also those that a student cannot see, for it advises in
 * training only.  Columns are logarithms, brought to mean 0 and deviation 1 over the rows that it
 * is fitted to, and so are the returns it learns.  The layers are a student's, in floats
 * (learn/student_float.h): two of relu, one output.
 */
#ifndef LEARN_CRITIC_H
#define LEARN_CRITIC_H

#include "experience/pool.h"
#include "learn/student_float.h"

struct critic {
	struct aqm_student_model shape; /* its layers alone; it has no features of a student's */
	float *theta;			/* owned */
	size_t rows;
	float *input; /* (rows, shape.inputs); owned */
	double mean, deviation; /* of the returns that it was first fitted to */
};

struct critic_options {
	uint64_t updates; /* of a fit */
	int64_t batch;	  /* rows */
	double rate;	  /* highest learning rate */
	void *context;
	/* After every update; true stops with ERR_INTERRUPTED.  May be NULL. */
	bool (*progress)(void *context, uint64_t done);
};

/*
 * For the rows of `pool`, of which [0, cut) will be learned; hidden layers of `width`, 1 to
 * AQM_STUDENT_WIDTH.  ERR_NO_MEMORY; free it whatever is returned.
 */
int critic_open(struct critic *critic, const struct pool *pool, size_t cut, int width,
		struct rng *rng, struct error *error);
void critic_free(struct critic *critic);

/* Least squares on `returned` (cut > 0) of rows [0, cut).  ERR_FAILED: no number any more. */
int critic_fit(struct critic *critic, const float *returned, size_t cut,
	       const struct critic_options *options, struct rng *rng, struct error *error);

/* What every row is worth, after a fit, into `value` (rows). */
void critic_values(const struct critic *critic, float *value);

#endif
