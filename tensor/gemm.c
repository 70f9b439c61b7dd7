/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Matrix product through oneDNN, with the obvious one beside it.
 *
 * oneDNN's sgemm packs its operands at every call; with the shapes of this
 * project that costs a tenth to a fifth against weights packed once, and keeps
 * one copy of each weight.  Inside a parallel region it runs on one thread.
 */
#include "tensor/gemm.h"

#include <dnnl.h>
#include <stdatomic.h>

static atomic_bool use_reference;

void gemm_reference_set(bool on)
{
	atomic_store(&use_reference, on);
}

void gemm_reference(const struct gemm *gemm)
{
	const int64_t a_row = gemm->transpose_a ? 1 : gemm->a_stride;
	const int64_t a_step = gemm->transpose_a ? gemm->a_stride : 1;
	const int64_t b_step = gemm->transpose_b ? 1 : gemm->b_stride;
	const int64_t b_column = gemm->transpose_b ? gemm->b_stride : 1;

	for (int64_t i = 0; i < gemm->m; i++)
		for (int64_t j = 0; j < gemm->n; j++) {
			float *c = &gemm->c[i * gemm->c_stride + j];
			double sum = 0;

			for (int64_t p = 0; p < gemm->k; p++)
				sum += (double)gemm->a[i * a_row + p * a_step] *
				       gemm->b[p * b_step + j * b_column];
			sum *= gemm->alpha;
			*c = (float)(gemm->beta == 0 ? sum : sum + (double)gemm->beta * *c);
		}
}

void gemm_run(const struct gemm *gemm)
{
	dnnl_status_t status = dnnl_unimplemented;

	if (gemm->m == 0 || gemm->n == 0)
		return;
	if (gemm->k > 0 && !atomic_load_explicit(&use_reference, memory_order_relaxed))
		status = dnnl_sgemm(gemm->transpose_a ? 'T' : 'N', gemm->transpose_b ? 'T' : 'N',
				    gemm->m, gemm->n, gemm->k, gemm->alpha, gemm->a,
				    gemm->a_stride, gemm->b, gemm->b_stride, gemm->beta, gemm->c,
				    gemm->c_stride);
	if (status != dnnl_success)
		gemm_reference(gemm);
}
