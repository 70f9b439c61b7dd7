/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large matrix: the shape of a decision that
 * adds a handful of tokens behind a cache.
 */
#ifndef TENSOR_SKINNY_H
#define TENSOR_SKINNY_H

#include <stdbool.h>

#include "tensor/gemm.h"

#define SKINNY_ROWS_MAX 12

/*
 * Computes `gemm` and returns true when it is of this shape (at most
 * SKINNY_ROWS_MAX rows of A as stored, alpha 1, beta 0 or 1, a B that no cache
 * level near a core holds) and this machine has a kernel for it; otherwise
 * touches nothing and returns false.
 */
bool skinny_run(const struct gemm *gemm);

#endif
