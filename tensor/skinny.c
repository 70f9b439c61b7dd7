/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products of a few rows with a large matrix.
 *
 * Such a product is over once the matrix has been read: B streams past once,
 * as it lies, DEPTH rows (or a column or two) at a time, each vector of it
 * made f32 once and used for every row of A.  A general product packs B first,
 * which reads and writes it once more.  Kernels exist for AVX-512 and for AVX2
 * with FMA and F16C; elsewhere, and for f32 matrices small enough to stay in a
 * core's cache, the general product does the work.
 */
#include "tensor/skinny.h"

#include <stddef.h>

#include "base/half.h"
#include "tensor/level.h"
#include "tensor/threads.h"
#include "tensor/vector.h"

#define MATRIX_FLOATS_MIN (INT64_C(1) << 18) /* 1 MiB: half a core's second-level cache */
#define GRAIN_FLOATS (INT64_C(1) << 16)

#if defined(__x86_64__) && defined(__GNUC__)

#include "tensor/avx512.h"

#define DEPTH 16 /* rows of B at a time */

struct skinny_call {
	const struct gemm *gemm;
	const unsigned char *b;
	enum skinny_storage storage;
	void (*range)(const struct skinny_call *call, int64_t begin, int64_t end);
	int64_t unit; /* columns that a kernel takes at once */
};

static double element(const struct skinny_call *call, int64_t index)
{
	uint16_t half;

	if (call->storage == SKINNY_F32) {
		float value;

		memcpy(&value, call->b + 4 * index, sizeof(value));
		return value;
	}
	memcpy(&half, call->b + 2 * index, sizeof(half));
	return call->storage == SKINNY_BF16 ? bf16_to_f32(half) : f16_to_f32(half);
}

#define NAME(x) avx512_##x
#define TARGET AVX512_F
#define VECTOR __m512
#define LANES 16
#define WIDE_ROWS 12 /* most rows whose sums fit in registers two vectors wide */
#define LOAD(p) _mm512_loadu_ps(p)
#define LOAD_BF16(p)                                                                               \
	_mm512_castsi512_ps(_mm512_slli_epi32(                                                     \
		_mm512_cvtepu16_epi32(_mm256_loadu_si256((const void *)(p))), 16))
#define LOAD_F16(p) _mm512_cvtph_ps(_mm256_loadu_si256((const void *)(p)))
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
#define TARGET __attribute__((target("avx2,fma,f16c")))
#define VECTOR __m256
#define LANES 8
#define WIDE_ROWS 6
#define LOAD(p) _mm256_loadu_ps(p)
#define LOAD_BF16(p)                                                                               \
	_mm256_castsi256_ps(_mm256_slli_epi32(                                                     \
		_mm256_cvtepu16_epi32(_mm_loadu_si128((const void *)(p))), 16))
#define LOAD_F16(p) _mm256_cvtph_ps(_mm_loadu_si128((const void *)(p)))
#define STORE(p, v) _mm256_storeu_ps(p, v)
#define SPREAD(x) _mm256_set1_ps(x)
#define ZERO _mm256_setzero_ps()
#define FMA(x, y, z) _mm256_fmadd_ps(x, y, z)
#define SUM(v) avx2_total(v)
#include "tensor/skinny_kernel.h"

static void units_run(void *context, int worker, int64_t begin, int64_t end)
{
	const struct skinny_call *call = context;

	(void)worker;
	call->range(call, begin * call->unit, end * call->unit);
}

/* Columns that fill no unit. */
static void rest_run(const struct skinny_call *call, int64_t first)
{
	const struct gemm *g = call->gemm;
	const int64_t step = g->transpose_b ? 1 : g->b_stride;
	const int64_t column = g->transpose_b ? g->b_stride : 1;

	for (int64_t i = 0; i < g->m; i++)
		for (int64_t j = first; j < g->n; j++) {
			float *c = &g->c[i * g->c_stride + j];
			double sum = g->beta == 0 ? 0 : *c;

			for (int64_t p = 0; p < g->k; p++)
				sum += g->a[i * g->a_stride + p] *
				       element(call, p * step + j * column);
			*c = (float)sum;
		}
}

static bool is_skinny(const struct gemm *gemm, enum skinny_storage storage)
{
	return gemm->m >= 1 && gemm->m <= SKINNY_ROWS_MAX && gemm->k >= 1 && !gemm->transpose_a &&
	       gemm->alpha == 1 && (gemm->beta == 0 || gemm->beta == 1) &&
	       (storage != SKINNY_F32 || gemm->n * gemm->k >= MATRIX_FLOATS_MIN);
}

bool skinny_run(const struct gemm *gemm, const void *b, enum skinny_storage storage)
{
	const enum tensor_level level = tensor_level();
	const bool avx512 = level >= TENSOR_LEVEL_AVX512;
	struct skinny_call call = {.gemm = gemm, .b = b, .storage = storage,
				   .range = avx512 ? avx512_range : avx2_range};
	int64_t units;

	if (level < TENSOR_LEVEL_AVX2 || !is_skinny(gemm, storage))
		return false;
	call.unit = gemm->transpose_b ? 2 : avx512 ? 32 : 16;
	units = gemm->n / call.unit;
	tensor_split(units, 1 + GRAIN_FLOATS / (call.unit * gemm->k), units_run, &call);
	rest_run(&call, units * call.unit);
	return true;
}

#else

bool skinny_run(const struct gemm *gemm, const void *b, enum skinny_storage storage)
{
	(void)gemm;
	(void)b;
	(void)storage;
	return false;
}

#endif
