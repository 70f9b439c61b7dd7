/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products with weights in blocks (matrix.h), ready for vectors of outputs:
 * f32, bf16 and int8.
 *
 * bf16: activations stay f32.  The products of AVX512_BF16 would round them
 * too, and took twice the time of f32 weights on a Xeon.  int8: each row of
 * activations is rounded to 16 bits, its largest number becoming 32767,
 * thousands of times finer than the weights, and products are summed exactly;
 * 8 bits would double the rate with VNNI, and let one outlier in a row wipe out
 * the rest of it.
 */
#ifndef TENSOR_BLOCKED_H
#define TENSOR_BLOCKED_H

#include "tensor/matrix.h"

/* Bytes of scratch for `rows` rows. */
size_t blocked_scratch_bytes(const struct matrix *matrix, int64_t rows);

/* out = in W, or added to out with `add`. */
void blocked_forward(float *out, const float *in, const struct matrix *matrix, bool add,
		     const struct matrix_rows *rows, void *scratch);

#endif
