/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernels of integer.c for AVX-512; included once with VNNI and once
 * without.  The includer defines NAME(x), TARGET and DOT(sum, x, y), which adds
 * the products of neighbours to 32-bit sums, and takes them away again.
 * `rows` and `wide` are constants in every instance, so that the sums stay in
 * registers: one for each row and each of one or two outputs.
 */

TARGET TENSOR_INLINE __m512i NAME(load)(const int16_t *x)
{
	return _mm512_loadu_si512((const void *)x);
}

/* The block's weights in order, as 16-bit numbers. */
TARGET TENSOR_INLINE __m512i NAME(expand)(const unsigned char *block)
{
	const __m256i pairs = _mm256_cvtepu8_epi16(_mm_loadu_si128(
		(const void *)(block + offsetof(struct matrix_block, nibbles))));
	const __m256i low = _mm256_and_si256(pairs, _mm256_set1_epi16(15));
	const __m256i high = _mm256_srli_epi16(pairs, 4);

	return _mm512_sub_epi16(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1),
				_mm512_set1_epi16(8));
}

/* Outputs [o, o + wide) of the rows from `row` on. */
TARGET TENSOR_INLINE void NAME(nibbles)(const struct integer_call *call, int64_t row, int64_t o,
					const int rows, const int wide)
{
	const int64_t depth = call->depth, size = (int64_t)sizeof(struct matrix_block);
	const int64_t stride = depth / MATRIX_BLOCK * size;
	const unsigned char *data = (const unsigned char *)call->matrix->data + o * stride;
	const int16_t *x = call->activations + row * depth;
	__m512 sum[GROUP_MAX][2];

	TENSOR_UNROLL
	for (int i = 0; i < rows; i++)
		sum[i][0] = sum[i][1] = _mm512_setzero_ps();
	for (int64_t p = 0; p < depth; p += MATRIX_BLOCK, data += size, x += rows * MATRIX_BLOCK) {
		__m512i y[2];
		__m512 scale[2];

		TENSOR_UNROLL
		for (int j = 0; j < wide; j++) {
			uint16_t half;

			memcpy(&half, data + j * stride, sizeof(half));
			scale[j] = _mm512_set1_ps(_cvtsh_ss(half));
			y[j] = NAME(expand)(data + j * stride);
		}
		TENSOR_UNROLL
		for (int i = 0; i < rows; i++) {
			const __m512i at = NAME(load)(x + i * MATRIX_BLOCK);

			TENSOR_UNROLL
			for (int j = 0; j < wide; j++)
				sum[i][j] = _mm512_fmadd_ps(
					_mm512_cvtepi32_ps(DOT(_mm512_setzero_si512(), at, y[j])),
					scale[j], sum[i][j]);
		}
	}
	TENSOR_UNROLL
	for (int i = 0; i < rows; i++)
		TENSOR_UNROLL
		for (int j = 0; j < wide; j++)
			result_put(call, row + i, o + j, _mm512_reduce_add_ps(sum[i][j]));
}

#define CASE(n)                                                                                    \
	case n:                                                                                    \
		for (; o + 2 <= end; o += 2)                                                       \
			NAME(nibbles)(call, row, o, n, 2);                                         \
		if (o < end)                                                                       \
			NAME(nibbles)(call, row, o, n, 1);                                         \
		break;

TARGET static void NAME(range)(const struct integer_call *call, int64_t row, int rows, int64_t o,
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
		CASE(11)
		CASE(12)
	}
}

#undef CASE
#undef NAME
#undef TARGET
#undef DOT
