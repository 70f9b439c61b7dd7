/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pair of inputs meets the pair's weights of 8 or 16 rows at once: pmaddwd
 * multiplies int16 by int16 and adds neighbours into int32.
 *
 * Sums are cut to int16 at the end only: no curve sees the difference.
 */
#include "aqm/student_vector.h"

#include "aqm/student_net.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_VECTORS 1
#include <immintrin.h>
#else
#define HAS_VECTORS 0
#endif

typedef void dense_function(const struct aqm_student_weights *net,
			    const struct aqm_student_layer *layer, const int16_t *x, int16_t *y);

static void dense_plain(const struct aqm_student_weights *net,
			const struct aqm_student_layer *layer, const int16_t *x, int16_t *y)
{
	aqm_student_dense_plain(net, layer, x, y);
}

#if HAS_VECTORS
#define AVX2 __attribute__((target("avx2")))

/* A test builds this once more over pairs of AVX2 vectors (tests/meson.build). */
#ifdef AQM_EMULATE_AVX512
#define AVX512 __attribute__((target("avx2,fma,f16c")))
#define HAS_AVX512() __builtin_cpu_supports("avx2")
#else
#define AVX512 __attribute__((target("avx512f,avx512bw")))
#define HAS_AVX512() (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
#endif

static inline int32_t pair_at(const int16_t *x)
{
	int32_t pair;

	__builtin_memcpy(&pair, x, sizeof(pair));
	return pair;
}

/* aqm_student_tanh() of 8 rows. */
AVX2 static inline __m256i tanh_avx2(__m256i z)
{
	const __m256i size = _mm256_min_epi32(_mm256_abs_epi32(z),
					      _mm256_set1_epi32(2 * AQM_STUDENT_ONE));
	const __m256i less = _mm256_srli_epi32(_mm256_mullo_epi32(size, size), 14);

	return _mm256_sign_epi32(_mm256_sub_epi32(size, less), z);
}

/* z / 2, towards 0. */
AVX2 static inline __m256i half_avx2(__m256i z)
{
	return _mm256_srai_epi32(_mm256_add_epi32(z, _mm256_srli_epi32(z, 31)), 1);
}

AVX2 static inline __m256i curve_avx2(uint8_t activation, __m256i z)
{
	const __m256i one = _mm256_set1_epi32(AQM_STUDENT_ONE);

	switch (activation) {
	case AQM_STUDENT_relu:
		return _mm256_max_epi32(z, _mm256_setzero_si256());
	case AQM_STUDENT_tanh:
		return tanh_avx2(z);
	case AQM_STUDENT_sigmoid:
		return _mm256_srai_epi32(_mm256_add_epi32(one, tanh_avx2(half_avx2(z))), 1);
	default:
		return z;
	}
}

/* Rounded and shifted down by each row's own. */
AVX2 static inline __m256i shifted_avx2(__m256i sum, const uint8_t *shift)
{
	const __m256i by = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)shift));
	const __m256i unit = _mm256_sllv_epi32(_mm256_set1_epi32(1), by);

	return _mm256_srav_epi32(_mm256_add_epi32(sum, _mm256_srli_epi32(unit, 1)), by);
}

/* `groups` groups of 8 rows from `row` on, a constant, so that sums stay in registers. */
AVX2 static inline __attribute__((always_inline)) void
rows_avx2(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	  uint32_t rows, uint32_t row, const uint32_t groups, const int16_t *x, int16_t *y)
{
	const int8_t *weight = (const int8_t *)(net->pair + layer->first_pair + row);
	const int32_t *bias = net->bias + layer->first_row + row;
	const uint8_t *shift = net->shift + layer->first_row + row;
	__m256i sum[4];

	for (uint32_t g = 0; g < groups; g++)
		sum[g] = _mm256_loadu_si256((const __m256i *)(bias + 8 * g));
	for (uint32_t j = 0; j < layer->inputs; j += 2, weight += 2 * rows) {
		const __m256i pair = _mm256_set1_epi32(pair_at(x + j));

		for (uint32_t g = 0; g < groups; g++) {
			const __m128i bytes = _mm_loadu_si128((const __m128i *)(weight + 16 * g));

			sum[g] = _mm256_add_epi32(
				sum[g], _mm256_madd_epi16(_mm256_cvtepi8_epi16(bytes), pair));
		}
	}
	for (uint32_t g = 0; g < groups; g++)
		sum[g] = curve_avx2(layer->activation, shifted_avx2(sum[g], shift + 8 * g));
	/* Packs cut to int16, and swap the middle quarters. */
	for (uint32_t g = 0; g < groups; g += 2)
		_mm256_storeu_si256((__m256i *)(y + row + 8 * g),
				    _mm256_permute4x64_epi64(
					    _mm256_packs_epi32(sum[g], sum[g + 1]), 0xd8));
}

AVX2 static void dense_avx2(const struct aqm_student_weights *net,
			    const struct aqm_student_layer *layer, const int16_t *x, int16_t *y)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);
	uint32_t row = 0;

	for (; row + 32 <= rows; row += 32)
		rows_avx2(net, layer, rows, row, 4, x, y);
	if (row < rows)
		rows_avx2(net, layer, rows, row, 2, x, y);
}

AVX512 static inline __m512i tanh_avx512(__m512i z)
{
	const __m512i size = _mm512_min_epi32(_mm512_abs_epi32(z),
					      _mm512_set1_epi32(2 * AQM_STUDENT_ONE));
	const __m512i less = _mm512_srli_epi32(_mm512_mullo_epi32(size, size), 14);
	const __mmask16 negative = _mm512_cmplt_epi32_mask(z, _mm512_setzero_si512());

	return _mm512_mask_sub_epi32(_mm512_sub_epi32(size, less), negative, less, size);
}

AVX512 static inline __m512i half_avx512(__m512i z)
{
	return _mm512_srai_epi32(_mm512_add_epi32(z, _mm512_srli_epi32(z, 31)), 1);
}

AVX512 static inline __m512i curve_avx512(uint8_t activation, __m512i z)
{
	const __m512i one = _mm512_set1_epi32(AQM_STUDENT_ONE);

	switch (activation) {
	case AQM_STUDENT_relu:
		return _mm512_max_epi32(z, _mm512_setzero_si512());
	case AQM_STUDENT_tanh:
		return tanh_avx512(z);
	case AQM_STUDENT_sigmoid:
		return _mm512_srai_epi32(_mm512_add_epi32(one, tanh_avx512(half_avx512(z))), 1);
	default:
		return z;
	}
}

AVX512 static inline __m512i shifted_avx512(__m512i sum, const uint8_t *shift)
{
	const __m512i by = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)shift));
	const __m512i unit = _mm512_sllv_epi32(_mm512_set1_epi32(1), by);

	return _mm512_srav_epi32(_mm512_add_epi32(sum, _mm512_srli_epi32(unit, 1)), by);
}

AVX512 static inline __attribute__((always_inline)) void
rows_avx512(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	    uint32_t rows, uint32_t row, const uint32_t groups, const int16_t *x, int16_t *y)
{
	const int8_t *weight = (const int8_t *)(net->pair + layer->first_pair + row);
	const int32_t *bias = net->bias + layer->first_row + row;
	const uint8_t *shift = net->shift + layer->first_row + row;
	__m512i sum[2];

	for (uint32_t g = 0; g < groups; g++)
		sum[g] = _mm512_loadu_si512(bias + 16 * g);
	for (uint32_t j = 0; j < layer->inputs; j += 2, weight += 2 * rows) {
		const __m512i pair = _mm512_set1_epi32(pair_at(x + j));

		for (uint32_t g = 0; g < groups; g++) {
			const __m256i bytes =
				_mm256_loadu_si256((const __m256i *)(weight + 32 * g));

			sum[g] = _mm512_add_epi32(
				sum[g], _mm512_madd_epi16(_mm512_cvtepi8_epi16(bytes), pair));
		}
	}
	for (uint32_t g = 0; g < groups; g++) {
		sum[g] = curve_avx512(layer->activation, shifted_avx512(sum[g], shift + 16 * g));
		_mm256_storeu_si256((__m256i *)(y + row + 16 * g),
				    _mm512_cvtsepi32_epi16(sum[g]));
	}
}

AVX512 static void dense_avx512(const struct aqm_student_weights *net,
				const struct aqm_student_layer *layer, const int16_t *x, int16_t *y)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);
	uint32_t row = 0;

	for (; row + 32 <= rows; row += 32)
		rows_avx512(net, layer, rows, row, 2, x, y);
	if (row < rows)
		rows_avx512(net, layer, rows, row, 1, x, y);
}
#else
#define dense_avx2 dense_plain
#define dense_avx512 dense_plain
#endif

static dense_function *const ways[] = {dense_plain, dense_avx2, dense_avx512};
static dense_function *chosen = dense_plain;

static bool machine_has(enum aqm_student_vector vector)
{
#if HAS_VECTORS
	__builtin_cpu_init();
	if (vector == AQM_STUDENT_VECTOR_avx2)
		return __builtin_cpu_supports("avx2");
	if (vector == AQM_STUDENT_VECTOR_avx512)
		return HAS_AVX512();
#endif
	return vector == AQM_STUDENT_VECTOR_plain;
}

enum aqm_student_vector aqm_student_vector_best(void)
{
	enum aqm_student_vector best = AQM_STUDENT_VECTOR_plain;

	for (int i = 0; i < AQM_STUDENT_VECTOR_COUNT; i++)
		if (machine_has((enum aqm_student_vector)i))
			best = (enum aqm_student_vector)i;
	return best;
}

bool aqm_student_vector_use(enum aqm_student_vector vector)
{
	if (!machine_has(vector))
		return false;
	chosen = ways[vector];
	return true;
}

/* Before main() and any thread. */
__attribute__((constructor)) static void choose_best(void)
{
	chosen = ways[aqm_student_vector_best()];
}

void aqm_student_dense_vector(const struct aqm_student_weights *net,
			      const struct aqm_student_layer *layer, const int16_t *x, int16_t *y)
{
	chosen(net, layer, x, y);
}
