/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernels of integer.c for AVX2.  `rows` is a constant in every instance,
 * so that the sums stay in registers: one for each row and one output.
 */
#define AVX2_GROUP 10
#define AVX2 __attribute__((target("avx2,fma,f16c")))

AVX2 TENSOR_INLINE float avx2_lanes(__m256 v)
{
	__m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

	half = _mm_add_ps(half, _mm_movehl_ps(half, half));
	return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

AVX2 TENSOR_INLINE __m256i avx2_load(const int16_t *x)
{
	return _mm256_loadu_si256((const void *)x);
}

/* Output `o` of the rows from `row` on. */
AVX2 TENSOR_INLINE void avx2_nibbles(const struct integer_call *call, int64_t row, int64_t o,
				     const int rows)
{
	const int64_t depth = call->depth;
	const unsigned char *data = (const unsigned char *)call->matrix->data +
				    o * (depth / MATRIX_BLOCK) *
					    (int64_t)sizeof(struct matrix_block);
	const int16_t *x = call->activations + row * depth;
	const __m256i low = _mm256_set1_epi16(15), eight = _mm256_set1_epi16(8);
	__m256 sum[GROUP_MAX];

	TENSOR_UNROLL
	for (int i = 0; i < rows; i++)
		sum[i] = _mm256_setzero_ps();
	for (int64_t p = 0; p < depth; p += MATRIX_BLOCK, data += sizeof(struct matrix_block)) {
		const __m256i pairs = _mm256_cvtepu8_epi16(_mm_loadu_si128(
			(const void *)(data + offsetof(struct matrix_block, nibbles))));
		const __m256i first = _mm256_sub_epi16(_mm256_and_si256(pairs, low), eight);
		const __m256i second = _mm256_sub_epi16(_mm256_srli_epi16(pairs, 4), eight);
		uint16_t half;
		__m256 scale;

		memcpy(&half, data, sizeof(half));
		scale = _mm256_set1_ps(_cvtsh_ss(half));
		TENSOR_UNROLL
		for (int i = 0; i < rows; i++, x += MATRIX_BLOCK) {
			const __m256i both =
				_mm256_add_epi32(_mm256_madd_epi16(avx2_load(x), first),
						 _mm256_madd_epi16(avx2_load(x + 16), second));

			sum[i] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(both), scale, sum[i]);
		}
	}
	TENSOR_UNROLL
	for (int i = 0; i < rows; i++)
		result_put(call, row + i, o, avx2_lanes(sum[i]));
}

#define CASE(n)                                                                                    \
	case n:                                                                                    \
		for (; o < end; o++)                                                               \
			avx2_nibbles(call, row, o, n);                                             \
		break;

AVX2 static void avx2_range(const struct integer_call *call, int64_t row, int rows, int64_t o,
			    int64_t end)
{
	switch (rows) {
		CASE(1)
		CASE(2)
		CASE(3)
		CASE(4)
		CASE(5)
		CASE(6)
		CASE(7)
		CASE(8)
		CASE(9)
		CASE(10)
	}
}

#undef CASE
