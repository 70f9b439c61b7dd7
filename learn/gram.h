/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the answers of a batch hang together: Gram matrices of centred rows.
 *
 * With S and G the products, row by row, of student's and teacher's answers after
 * each output's mean over the batch is taken away, the difference is
 * |S - G|^2 / |G|^2 (correlation congruence and similarity preservation: Peng et
 * al. 2019, Tung and Mori 2019).
 */
#ifndef LEARN_GRAM_H
#define LEARN_GRAM_H

#include <stdint.h>

#include "base/arena.h"

#define GRAM_MAX_WIDTH 32

struct gram_options {
	double weight;	     /* of the difference in a loss: the gradient is that of the product */
	double least_square; /* least mean square of a teacher's centred row that counts */
};

/*
 * The difference of student and teacher (rows, width each; width at most GRAM_MAX_WIDTH), and the
 * gradient of weight x difference by the student's numbers.  A batch whose teacher's rows have
 * less than the least square is divided by that.  Scratch comes from `arena`.  ERR_NO_MEMORY.
 */
int gram_difference(struct arena *arena, const struct gram_options *options, const double *student,
		    const double *teacher, int64_t rows, int width, double *difference,
		    double *d_student);

#endif
