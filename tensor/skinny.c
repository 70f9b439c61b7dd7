/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large matrix.
 *
 * Such a product is over once the matrix has been read: B streams past once,
 * as it lies, DEPTH rows (or two columns) at a time, each vector of it used for
 * every row of A.  A general product packs B first, which reads and writes it
 * once more.  Kernels exist for AVX-512 and for AVX2 with FMA; elsewhere, and
 * for matrices small enough to stay in a core's cache, oneDNN does the work.
 */
#include "tensor/skinny.h"

#include <stddef.h>

#include "tensor/threads.h"
#include "tensor/vector.h"

#define MATRIX_FLOATS_MIN (INT64_C(1) << 18) /* 1 MiB: half a core's second-level cache */
#define GRAIN_FLOATS (INT64_C(1) << 16)

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define DEPTH 16 /* rows of B at a time */

#define NAME(x) avx512_##x
#define TARGET __attribute__((target("avx512f")))
#define VECTOR __m512
#define LANES 16
#define LOAD(p) _mm512_loadu_ps(p)
#define STORE(p, v) _mm512_storeu_ps(p, v)
#define SPREAD(x) _mm512_set1_ps(x)
#define ZERO _mm512_setzero_ps()
#define FMA(x, y, z) _mm512_fmadd_ps(x, y, z)
#define SUM(v) _mm512_reduce_add_ps(v)
#include "tensor/skinny_kernel.h"

__attribute__((target("avx2,fma"))) TENSOR_INLINE float avx2_total(__m256 v)
{
	__m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	half = _mm_add_ps(half, _mm_movehl_ps(half, half));
	return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

#define NAME(x) avx2_##x
#define TARGET __attribute__((target("avx2,fma")))
#define VECTOR __m256
#define LANES 8
#define LOAD(p) _mm256_loadu_ps(p)
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define SPREAD(x) _mm256_set1_ps(x)
#define ZERO _mm256_setzero_ps()
#define FMA(x, y, z) _mm256_fmadd_ps(x, y, z)
#define SUM(v) avx2_total(v)
#include "tensor/skinny_kernel.h"

struct skinny_call {
	const struct gemm *gemm;
	void (*range)(const struct gemm *gemm, int64_t begin, int64_t end);
	int64_t unit; /* columns that a kernel takes at once */
};

static void units_run(void *context, int worker, int64_t begin, int64_t end)
{
	const struct skinny_call *call = context;

	(void)worker;
	call->range(call->gemm, begin * call->unit, end * call->unit);
}

/* Columns that fill no unit. */
static void rest_run(const struct gemm *gemm, int64_t first)
{
	struct gemm rest = *gemm;

	rest.n -= first;
	rest.b += gemm->transpose_b ? first * gemm->b_stride : first;
	rest.c += first;
	if (rest.n > 0)
		gemm_reference(&rest);
}

bool skinny_run(const struct gemm *gemm)
{
	const bool avx512 = __builtin_cpu_supports("avx512f");
	struct skinny_call call = {.gemm = gemm, .range = avx512 ? avx512_range : avx2_range};
	int64_t units;

	if (gemm->m < 1 || gemm->m > SKINNY_ROWS_MAX || gemm->transpose_a || gemm->alpha != 1 ||
	    (gemm->beta != 0 && gemm->beta != 1) || gemm->n * gemm->k < MATRIX_FLOATS_MIN)
		return false;
	if (!avx512 && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")))
		return false;
	call.unit = gemm->transpose_b ? 2 : avx512 ? 32 : 16;
	units = gemm->n / call.unit;
	tensor_split(units, 1 + GRAIN_FLOATS / (call.unit * gemm->k), units_run, &call);
	rest_run(gemm, units * call.unit);
	return true;
}

#else

bool skinny_run(const struct gemm *gemm)
{
	(void)gemm;
	return false;
}

#endif
