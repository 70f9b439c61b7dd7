/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernels of skinny.c for one instruction set; included once for each.
 * The includer defines NAME(x), TARGET, VECTOR, LANES, LOAD, STORE, SPREAD,
 * ZERO, FMA and SUM, and takes them away again.
 *
 * `rows` is a constant in every instance, so that the sums stay in registers:
 * two vectors of columns (or two columns) for each row of A.
 */

/* Columns [begin, end) of C, a multiple of 2 LANES wide; B is (k, n). */
TARGET TENSOR_INLINE void NAME(columns)(const struct gemm *g, int64_t begin, int64_t end,
					const int rows)
{
	for (int64_t first = 0; first < g->k; first += DEPTH) {
		const int64_t depth = g->k - first < DEPTH ? g->k - first : DEPTH;
		const float *a = g->a + first, *b = g->b + first * g->b_stride;
		const bool fresh = first == 0 && g->beta == 0;

		for (int64_t j = begin; j < end; j += 2 * LANES) {
			VECTOR sum[SKINNY_ROWS_MAX][2];

			for (int i = 0; i < rows; i++) {
				const float *c = g->c + i * g->c_stride + j;

				sum[i][0] = fresh ? ZERO : LOAD(c);
				sum[i][1] = fresh ? ZERO : LOAD(c + LANES);
			}
			for (int64_t p = 0; p < depth; p++) {
				const float *row = b + p * g->b_stride + j;
				const VECTOR left = LOAD(row), right = LOAD(row + LANES);

				for (int ahead = 0; ahead < 2 * LANES; ahead += 16)
					__builtin_prefetch(row + DEPTH * g->b_stride + ahead);
				for (int i = 0; i < rows; i++) {
					const VECTOR x = SPREAD(a[i * g->a_stride + p]);

					sum[i][0] = FMA(x, left, sum[i][0]);
					sum[i][1] = FMA(x, right, sum[i][1]);
				}
			}
			for (int i = 0; i < rows; i++) {
				STORE(g->c + i * g->c_stride + j, sum[i][0]);
				STORE(g->c + i * g->c_stride + j + LANES, sum[i][1]);
			}
		}
	}
}

/* Columns [begin, end) of C, an even number; B is stored (n, k): each is a dot product. */
TARGET TENSOR_INLINE void NAME(dots)(const struct gemm *g, int64_t begin, int64_t end,
				     const int rows)
{
	const int64_t whole = g->k / LANES * LANES;

	for (int64_t j = begin; j < end; j += 2) {
		const float *b = g->b + j * g->b_stride;
		VECTOR sum[SKINNY_ROWS_MAX][2];

		for (int i = 0; i < rows; i++)
			sum[i][0] = sum[i][1] = ZERO;
		for (int64_t p = 0; p < whole; p += LANES) {
			const VECTOR left = LOAD(b + p), right = LOAD(b + g->b_stride + p);

			__builtin_prefetch(b + 2 * g->b_stride + p);
			__builtin_prefetch(b + 3 * g->b_stride + p);
			for (int i = 0; i < rows; i++) {
				const VECTOR x = LOAD(g->a + i * g->a_stride + p);

				sum[i][0] = FMA(x, left, sum[i][0]);
				sum[i][1] = FMA(x, right, sum[i][1]);
			}
		}
		for (int i = 0; i < rows; i++)
			for (int side = 0; side < 2; side++) {
				float *c = g->c + i * g->c_stride + j + side;
				float total = SUM(sum[i][side]);

				for (int64_t p = whole; p < g->k; p++)
					total += g->a[i * g->a_stride + p] *
						 b[side * g->b_stride + p];
				*c = g->beta == 0 ? total : *c + total;
			}
	}
}

#define INSTANCE(n)                                                                                \
	case n:                                                                                    \
		if (g->transpose_b)                                                                \
			NAME(dots)(g, begin, end, n);                                              \
		else                                                                               \
			NAME(columns)(g, begin, end, n);                                           \
		break;

TARGET static void NAME(range)(const struct gemm *g, int64_t begin, int64_t end)
{
	switch (g->m) {
		INSTANCE(1)
		INSTANCE(2)
		INSTANCE(3)
		INSTANCE(4)
		INSTANCE(5)
		INSTANCE(6)
		INSTANCE(7)
		INSTANCE(8)
		INSTANCE(9)
		INSTANCE(10)
		INSTANCE(11)
		INSTANCE(12)
	}
}

#undef INSTANCE
#undef NAME
#undef TARGET
#undef VECTOR
#undef LANES
#undef LOAD
#undef STORE
#undef SPREAD
#undef ZERO
#undef FMA
#undef SUM
