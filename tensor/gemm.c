/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Matrix product through oneDNN, with the obvious one beside it.
 *
 * oneDNN's sgemm packs its operands at every call; with whole windows that
 * costs a tenth to a fifth against weights packed once, and keeps one copy of
 * each weight.  With a few rows the packing would dominate: skinny.c takes
 * those.  Each thread makes its own part of C; oneDNN itself starts no threads
 * (threads.c says why).
 */
#include "tensor/gemm.h"

#include <dnnl.h>
#include <stdatomic.h>

#include "tensor/skinny.h"
#include "tensor/threads.h"

#define UNIT 16 /* rows or columns that are not cut apart: one vector */
#define GRAIN_PRODUCTS (INT64_C(1) << 19) /* some ten microseconds on one core */

static atomic_bool use_reference;

struct gemm_call {
	const struct gemm *gemm;
	bool by_rows;   /* the longer side of C is shared out */
	int64_t extent; /* of that side */
};

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

void gemm_run_alone(const struct gemm *gemm)
{
	tensor_library_confine();
	if (gemm->k == 0 || atomic_load_explicit(&use_reference, memory_order_relaxed) ||
	    dnnl_sgemm(gemm->transpose_a ? 'T' : 'N', gemm->transpose_b ? 'T' : 'N', gemm->m,
		       gemm->n, gemm->k, gemm->alpha, gemm->a, gemm->a_stride, gemm->b,
		       gemm->b_stride, gemm->beta, gemm->c, gemm->c_stride) != dnnl_success)
		gemm_reference(gemm);
}

/* Rows or columns [begin, end) of the product. */
static void part_run(void *context, int worker, int64_t begin, int64_t end)
{
	const struct gemm_call *call = context;
	struct gemm part = *call->gemm;

	(void)worker;
	begin = begin * UNIT < call->extent ? begin * UNIT : call->extent;
	end = end * UNIT < call->extent ? end * UNIT : call->extent;
	if (call->by_rows) {
		part.m = end - begin;
		part.a += part.transpose_a ? begin : begin * part.a_stride;
		part.c += begin * part.c_stride;
	} else {
		part.n = end - begin;
		part.b += part.transpose_b ? begin * part.b_stride : begin;
		part.c += begin;
	}
	gemm_run_alone(&part);
}

void gemm_run(const struct gemm *gemm)
{
	struct gemm_call call = {.gemm = gemm, .by_rows = gemm->m >= gemm->n};
	const int64_t other = call.by_rows ? gemm->n : gemm->m;

	if (gemm->m == 0 || gemm->n == 0)
		return;
	if (gemm->k == 0 || atomic_load_explicit(&use_reference, memory_order_relaxed)) {
		gemm_reference(gemm);
		return;
	}
	if (skinny_run(gemm, gemm->b, SKINNY_F32))
		return;
	call.extent = call.by_rows ? gemm->m : gemm->n;
	tensor_split((call.extent + UNIT - 1) / UNIT,
		     1 + GRAIN_PRODUCTS / (UNIT * other * gemm->k), part_run, &call);
}
