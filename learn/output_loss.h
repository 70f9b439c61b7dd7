/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a supervising student is held to: its teacher's settings, and how they hang
 * together within a batch.
 *
 *   plain        sum over outputs of (student - teacher)^2, octaves^2; mean over rows
 *   correlated   besides, weight x |S - G|^2 / |G|^2 of the outputs (learn/gram.h)
 */
#ifndef LEARN_OUTPUT_LOSS_H
#define LEARN_OUTPUT_LOSS_H

#include "learn/distill_loss.h"

/*
 * Terms of a batch of outputs (rows, width) beside the teacher's, width at most GRAM_MAX_WIDTH.
 * d_outputs (rows, width; may be NULL) receives the gradient of plain + weight x correlation.
 * Scratch comes from `arena`.  ERR_NO_MEMORY.
 */
int output_loss(double correlation, struct arena *arena, const float *outputs, const float *teacher,
		int64_t rows, int width, struct distill_terms *terms, float *d_outputs);

#endif
