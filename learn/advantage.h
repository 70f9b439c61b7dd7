/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Returns of recorded rows, and how much a recorded action counts for what came after it.
 *
 * Returns are means: every reward after a row, the next one first, weighs (1 - gamma) gamma^n, so
 * that a return has the reward's own size whatever gamma is.  Of an episode's last row the future
 * was not recorded: it is taken to be worth what the row itself is.
 */
#ifndef LEARN_ADVANTAGE_H
#define LEARN_ADVANTAGE_H

#include <stddef.h>
#include <stdint.h>

/* Consecutive rows; `done` is 1 on the last one of an episode, the last row of all ends one too. */
struct advantage_rows {
	const double *reward; /* (count) */
	const uint8_t *done;  /* (count) */
	size_t count;
};

/*
 * Lambda-returns (TD(lambda)) into `returned` (count):
 *
 *     G_t = (1 - gamma) r_t + gamma ((1 - lambda) V_t+1 + lambda G_t+1)
 *
 * `value` (count) is V; lambda 1 asks it about last rows only.
 */
void advantage_returns(const struct advantage_rows *rows, const float *value, double gamma,
		       double lambda, float *returned);

struct advantage_weights {
	double deviation; /* standard deviation of the advantages */
	double effective; /* (sum w)^2 / (count x sum w^2): 1 when all rows count alike */
	double bounded;	  /* share of rows whose weight `most` bounds */
};

/*
 * Weights of advantage-weighted regression (Peng et al. 2019, arXiv 1910.00177), divided by their
 * mean, in the place of the advantages in `weight` (count > 0):
 *
 *     min(exp(advantage / (beta x deviation)), most)
 *
 * `beta` > 0, `most` >= 1.  Where advantages do not differ all weights are 1.
 */
struct advantage_weights advantage_weigh(float *weight, size_t count, double beta, double most);

/* Share of the variance of `returned` that `value` explains, at most 1; 0 where there is none. */
double advantage_explained(const float *returned, const float *value, size_t count);

#endif
