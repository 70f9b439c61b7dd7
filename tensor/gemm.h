/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Matrix product, row-major f32.
 */
#ifndef TENSOR_GEMM_H
#define TENSOR_GEMM_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One product C = alpha op(A) op(B) + beta C; op(A) is (m, k), op(B) is (k, n),
 * C is (m, n).  op(X) is X, or X transposed when the flag is set; the strides
 * count floats from one stored row to the next.  With beta 0, C need not hold
 * numbers.
 */
struct gemm {
	bool transpose_a, transpose_b;
	int64_t m, n, k;
	float alpha, beta;
	const float *a;
	int64_t a_stride;
	const float *b;
	int64_t b_stride;
	float *c;
	int64_t c_stride;
};

/* The fastest way to compute it; the reference if oneDNN declines or after gemm_reference_set(). */
void gemm_run(const struct gemm *gemm);

/* The same on the calling thread, for work that is shared out already; never skinny.c. */
void gemm_run_alone(const struct gemm *gemm);

/* The obvious three loops, summed in double. */
void gemm_reference(const struct gemm *gemm);

/* For tests and for finding faults: every thread's gemm_run() takes the reference from now on. */
void gemm_reference_set(bool on);

#endif
