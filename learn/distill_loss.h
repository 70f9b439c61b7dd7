/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a student is held to: its teacher's probabilities, and how they hang
 * together within a batch.
 *
 *   plain        T^2 KL(teacher || student), both softened by a temperature T
 *                (Hinton, Vinyals and Dean 2015); mean over rows.
 *   correlated   besides, weight x |S - G|^2 / |G|^2, where S and G hold, for every
 *                pair of rows, how student's and teacher's softened outputs go
 *                together: centred over the batch, then multiplied (the Gram
 *                matrices of correlation congruence and of similarity preservation:
 *                Peng et al. 2019, Tung and Mori 2019).
 *
 * The first says what to answer in a state, the second which states are alike and
 * which are not.  Rows are not brought to equal length first, as both papers do:
 * nearly all states of a router get nearly the same answer, and of those only
 * the noise would be matched.
 */
#ifndef LEARN_DISTILL_LOSS_H
#define LEARN_DISTILL_LOSS_H

#include <stdint.h>

#include "base/arena.h"

/* X(name, what it is): on the command line */
#define DISTILL_LOSS_TABLE(X)                                                                      \
	X(plain, "row by row: divergence of verdicts, square of settings")                         \
	X(correlated, "besides, the correlations between the samples of a batch")

enum distill_loss_kind {
#define DISTILL_LOSS_ENUM(name, text) DISTILL_LOSS_##name,
	DISTILL_LOSS_TABLE(DISTILL_LOSS_ENUM)
#undef DISTILL_LOSS_ENUM
	DISTILL_LOSSES
};

const char *distill_loss_name(enum distill_loss_kind kind);

/* By name, or -1. */
int distill_loss_find(const char *name);

#define DISTILL_MAX_CLASSES 32

struct distill_loss {
	double temperature; /* > 0; of probabilities */
	double correlation; /* weight of the second term; 0: plain */
};

/* The terms, before weights. */
struct distill_terms {
	double plain;	    /* T^2 KL, or of settings the square (learn/output_loss.h); row mean */
	double correlation; /* |S - G|^2 / |G|^2; 0 when its weight is 0 */
};

/*
 * Terms of a batch.  logits (rows, classes) of the student, teacher (rows,
 * classes) probabilities that sum to 1 in each row, classes in [2,
 * DISTILL_MAX_CLASSES].  d_logits (rows, classes; may be NULL) receives the
 * gradient of plain + weight x correlation.  Scratch comes from `arena`.
 * ERR_NO_MEMORY.
 */
int distill_loss(const struct distill_loss *loss, struct arena *arena, const float *logits,
		 const float *teacher, int64_t rows, int classes, struct distill_terms *terms,
		 float *d_logits);

#endif
