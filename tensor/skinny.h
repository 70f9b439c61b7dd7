/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large matrix: the shape of a decision that
 * adds a handful of tokens behind a cache.
 */
#ifndef TENSOR_SKINNY_H
#define TENSOR_SKINNY_H

#include <stdbool.h>

#include "tensor/gemm.h"

/* What the elements of B are; strides count them. */
enum skinny_storage {
	SKINNY_F32,
	SKINNY_BF16,
	SKINNY_F16,
};

#define SKINNY_ROWS_MAX 12

/*
 * Computes `gemm` with `b`, which need not be aligned, in the place of its own
 * B, and returns true when it is of this shape (at most SKINNY_ROWS_MAX rows of
 * A as stored, alpha 1, beta 0 or 1, an f32 B that no cache level near a core
 * holds, or a B of half the size) and this machine has a kernel for it;
 * otherwise touches nothing and returns false.
 */
bool skinny_run(const struct gemm *gemm, const void *b, enum skinny_storage storage);

#endif
