/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How good predicted actions are, in figures that a constant answer cannot
 * win: 99 % of a router's packets are enqueued, so accuracy alone says
 * nothing and never stands alone.
 */
#ifndef LEARN_METRICS_H
#define LEARN_METRICS_H

#include <stdint.h>

#include "experience/pool.h"

#define METRICS_BINS 15

enum metrics_part { METRICS_ALL, METRICS_L, METRICS_C, METRICS_PARTS };

/* Counts of predictions; plain data, all zero when empty. */
struct metrics {
	uint64_t confusion[METRICS_PARTS][POOL_ACTIONS][POOL_ACTIONS]; /* [truth][predicted] */
	double nll_sum; /* of -ln p(truth), natural logarithm */
	struct {
		uint64_t count, correct;
		double confidence_sum;
	} bins[METRICS_BINS]; /* by confidence of the predicted class, equal widths */
};

struct metrics_summary {
	uint64_t rows;
	double accuracy;
	double majority_rate;	  /* share of the most frequent true class */
	double balanced_accuracy; /* mean recall over the classes that occur */
	double macro_f1;	  /* mean F1 over classes that occur or were predicted */
	double log_loss;	  /* mean -ln p(truth), p >= 1e-15 */
	double ece;		  /* expected calibration error, METRICS_BINS bins */
};

/* Adds one row.  `queue` is enum metrics_part: METRICS_L, METRICS_C, or METRICS_ALL when unknown.
 */
void metrics_add(struct metrics *metrics, int truth, const double probability[POOL_ACTIONS],
		 enum metrics_part queue);

/* Figures; all zero when nothing was added. */
struct metrics_summary metrics_summarise(const struct metrics *metrics);

#endif
