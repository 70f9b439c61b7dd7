/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products with MATRIX_INT4 as it lies.
 *
 * Each row of activations is rounded to 16 bits, its largest number becoming
 * 32767: thousands of times finer than the weights, so that the result is that
 * of the rounded weights.  Products are summed as integers inside a block,
 * exactly, and as f32 over the blocks.
 */
#ifndef TENSOR_INTEGER_H
#define TENSOR_INTEGER_H

#include "tensor/matrix.h"

/* Whether so many rows take longer with weights that were made f32. */
bool integer_is_faster(int64_t rows);

/* Bytes of scratch for `rows` rows. */
size_t integer_scratch_bytes(const struct matrix *matrix, int64_t rows);

/* out = in W, or added to out with `add`. */
void integer_forward(float *out, const float *in, const struct matrix *matrix, bool add,
		     const struct matrix_rows *rows, void *scratch);

#endif
