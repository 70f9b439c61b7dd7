/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of at most 16 rows: what gemm.cu leaves to skinny.cu.
 */
#ifndef TENSOR_CUDA_SKINNY_CUH
#define TENSOR_CUDA_SKINNY_CUH

#include "tensor/cuda/ops.h"

/* True for the products that skinny_run() does. */
bool skinny_fits(const struct cuda_gemm *gemm);
void skinny_run(struct cuda *cuda, const struct cuda_gemm *gemm);

#endif
