/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A pair of inputs meets the pair's weights of 8 or 16 rows at once: pmaddwd
 * multiplies int16 by int16 and adds neighbours into int32.
 */
#include "aqm/student_vector.h"

#include "aqm/student_net.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define HAS_VECTORS 1
#include <immintrin.h>
#else
#define HAS_VECTORS 0
#endif

typedef void sums_function(const struct aqm_student_weights *net,
			   const struct aqm_student_layer *layer, const int16_t *x, int32_t *sum);

static void sums_plain(const struct aqm_student_weights *net,
		       const struct aqm_student_layer *layer, const int16_t *x, int32_t *sum)
{
	aqm_student_sums_plain(net, layer, x, sum);
}

#if HAS_VECTORS
static inline int32_t pair_at(const int16_t *x)
{
	return (int32_t)((uint32_t)(uint16_t)x[0] | (uint32_t)(uint16_t)x[1] << 16);
}

__attribute__((target("avx2"))) static void sums_avx2(const struct aqm_student_weights *net,
						      const struct aqm_student_layer *layer,
						      const int16_t *x, int32_t *sum)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);

	for (uint32_t row = 0; row < rows; row += 16) {
		const int8_t *weight = net->weight + layer->first_weight + 2 * row;
		const int32_t *bias = net->bias + layer->first_row + row;
		__m256i low = _mm256_loadu_si256((const __m256i *)bias);
		__m256i high = _mm256_loadu_si256((const __m256i *)(bias + 8));

		for (uint32_t j = 0; j < layer->inputs; j += 2, weight += 2 * rows) {
			const __m256i pair = _mm256_set1_epi32(pair_at(x + j));
			const __m128i first = _mm_loadu_si128((const __m128i *)weight);
			const __m128i second = _mm_loadu_si128((const __m128i *)(weight + 16));

			low = _mm256_add_epi32(
				low, _mm256_madd_epi16(_mm256_cvtepi8_epi16(first), pair));
			high = _mm256_add_epi32(
				high, _mm256_madd_epi16(_mm256_cvtepi8_epi16(second), pair));
		}
		_mm256_storeu_si256((__m256i *)(sum + row), low);
		_mm256_storeu_si256((__m256i *)(sum + row + 8), high);
	}
}

__attribute__((target("avx512f,avx512bw"))) static void
sums_avx512(const struct aqm_student_weights *net, const struct aqm_student_layer *layer,
	    const int16_t *x, int32_t *sum)
{
	const uint32_t rows = aqm_student_rows(layer->outputs);

	for (uint32_t row = 0; row < rows; row += 16) {
		const int8_t *weight = net->weight + layer->first_weight + 2 * row;
		__m512i all = _mm512_loadu_si512(net->bias + layer->first_row + row);

		for (uint32_t j = 0; j < layer->inputs; j += 2, weight += 2 * rows) {
			const __m512i pair = _mm512_set1_epi32(pair_at(x + j));
			const __m256i bytes = _mm256_loadu_si256((const __m256i *)weight);

			all = _mm512_add_epi32(
				all, _mm512_madd_epi16(_mm512_cvtepi8_epi16(bytes), pair));
		}
		_mm512_storeu_si512(sum + row, all);
	}
}
#else
#define sums_avx2 sums_plain
#define sums_avx512 sums_plain
#endif

static sums_function *const ways[] = {sums_plain, sums_avx2, sums_avx512};
static sums_function *chosen = sums_plain;

static bool machine_has(enum aqm_student_vector vector)
{
#if HAS_VECTORS
	__builtin_cpu_init();
	if (vector == AQM_STUDENT_VECTOR_avx2)
		return __builtin_cpu_supports("avx2");
	if (vector == AQM_STUDENT_VECTOR_avx512)
		return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
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

void aqm_student_sums_vector(const struct aqm_student_weights *net,
			     const struct aqm_student_layer *layer, const int16_t *x, int32_t *sum)
{
	chosen(net, layer, x, sum);
}
