/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cross-entropy over rows of logits.
 */
#ifndef LEARN_LOSS_H
#define LEARN_LOSS_H

#include <stdint.h>

/* Softmax of `classes` logits into `probability`, in double; both may not alias. */
void softmax_row(const float *logits, int classes, double *probability);

/*
 * Mean over rows of weight[row] * -ln softmax(logits)[label].
 *
 * logits, d_logits (rows, classes); labels (rows) in [0, classes); weight
 * (rows) or NULL for ones.  The divisor is `rows`, not the sum of the weights:
 * weights that average 1 over the training set then leave the step size alone
 * whatever a batch holds.  d_logits (may be NULL) receives d loss / d logits
 * times `scale` (1 / accumulated batches); the returned loss is not scaled.
 */
double cross_entropy(const float *logits, const int32_t *labels, int64_t rows, int classes,
		     const float *weight, double scale, float *d_logits);

/*
 * The same with probabilities in place of labels: the mean over rows of
 * weight[row] * -sum target ln softmax(logits).  target (rows, classes), its
 * rows sum to 1.
 */
double cross_entropy_soft(const float *logits, const double *target, int64_t rows, int classes,
			  const float *weight, double scale, float *d_logits);

#endif
