/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * The kernels of skinny.c for one instruction set; included once for each.
 * The includer defines NAME(x), TARGET, VECTOR, LANES, WIDE_ROWS, LOAD,
 * LOAD_BF16, LOAD_F16, STORE, SPREAD, ZERO, FMA and SUM, and takes them away
 * again.
 *
 * `rows` and `storage` are constants in every instance, so that the sums stay
 * in registers: one or two vectors of columns (or columns) for each row of A.
 */

/* LANES elements of B from number `index` on. */
TARGET TENSOR_INLINE VECTOR NAME(load)(const unsigned char *b, int64_t index,
				       const enum skinny_storage storage)
{
	if (storage == SKINNY_BF16)
		return LOAD_BF16(b + 2 * index);
	if (storage == SKINNY_F16)
		return LOAD_F16(b + 2 * index);
	return LOAD((const float *)(const void *)(b + 4 * index));
}

/*
 * Rows [first, first + depth) of B: their share of columns [j, j + wide x
 * LANES) of C; B is (k, n).  The rows that come next are fetched meanwhile.
 */
TARGET TENSOR_INLINE void NAME(tile)(const struct skinny_call *call, int64_t first, int64_t depth,
				     int64_t j, const int rows, const int wide,
				     const enum skinny_storage storage)
{
	const struct gemm *g = call->gemm;
	const int64_t bytes = storage == SKINNY_F32 ? 4 : 2;
	const bool fresh = first == 0 && g->beta == 0;
	VECTOR sum[SKINNY_ROWS_MAX][2];

	for (int i = 0; i < rows; i++)
		for (int w = 0; w < wide; w++)
			sum[i][w] = fresh ? ZERO : LOAD(g->c + i * g->c_stride + j + w * LANES);
	for (int64_t p = first; p < first + depth; p++) {
		const int64_t place = p * g->b_stride + j;
		VECTOR b[2];

		for (int w = 0; w < wide; w++)
			b[w] = NAME(load)(call->b, place + w * LANES, storage);
		for (int64_t ahead = 0; ahead < wide * LANES * bytes; ahead += 64)
			__builtin_prefetch(call->b + (place + DEPTH * g->b_stride) * bytes + ahead);
		for (int i = 0; i < rows; i++) {
			const VECTOR x = SPREAD(g->a[i * g->a_stride + p]);

			for (int w = 0; w < wide; w++)
				sum[i][w] = FMA(x, b[w], sum[i][w]);
		}
	}
	for (int i = 0; i < rows; i++)
		for (int w = 0; w < wide; w++)
			STORE(g->c + i * g->c_stride + j + w * LANES, sum[i][w]);
}

/* Columns [begin, end) of C, a multiple of 2 LANES wide; B is (k, n). */
TARGET TENSOR_INLINE void NAME(columns)(const struct skinny_call *call, int64_t begin, int64_t end,
					const int rows, const enum skinny_storage storage)
{
	const int wide = rows <= WIDE_ROWS ? 2 : 1;
	const int64_t k = call->gemm->k;

	for (int64_t first = 0; first < k; first += DEPTH)
		for (int64_t j = begin; j < end; j += wide * LANES)
			NAME(tile)(call, first, k - first < DEPTH ? k - first : DEPTH, j, rows,
				   wide, storage);
}

/* Columns [j, j + wide) of C; B is stored (n, k): each is a dot product. */
TARGET TENSOR_INLINE void NAME(dot)(const struct skinny_call *call, int64_t j, const int rows,
				    const int wide, const enum skinny_storage storage)
{
	const struct gemm *g = call->gemm;
	const int64_t whole = g->k / LANES * LANES, bytes = storage == SKINNY_F32 ? 4 : 2;
	VECTOR sum[SKINNY_ROWS_MAX][2];

	for (int i = 0; i < rows; i++)
		for (int w = 0; w < wide; w++)
			sum[i][w] = ZERO;
	for (int64_t p = 0; p < whole; p += LANES) {
		VECTOR b[2];

		for (int w = 0; w < wide; w++) {
			const int64_t place = (j + w) * g->b_stride + p;

			b[w] = NAME(load)(call->b, place, storage);
			__builtin_prefetch(call->b + (place + 2 * g->b_stride) * bytes);
		}
		for (int i = 0; i < rows; i++) {
			const VECTOR x = LOAD(g->a + i * g->a_stride + p);

			for (int w = 0; w < wide; w++)
				sum[i][w] = FMA(x, b[w], sum[i][w]);
		}
	}
	for (int i = 0; i < rows; i++)
		for (int w = 0; w < wide; w++) {
			float *c = g->c + i * g->c_stride + j + w;
			float total = SUM(sum[i][w]);

			for (int64_t p = whole; p < g->k; p++)
				total += g->a[i * g->a_stride + p] *
					 (float)element(call, (j + w) * g->b_stride + p);
			*c = g->beta == 0 ? total : *c + total;
		}
}

/* Columns [begin, end) of C, an even number of them. */
TARGET TENSOR_INLINE void NAME(dots)(const struct skinny_call *call, int64_t begin, int64_t end,
				     const int rows, const enum skinny_storage storage)
{
	const int wide = rows <= WIDE_ROWS ? 2 : 1;

	for (int64_t j = begin; j < end; j += wide)
		NAME(dot)(call, j, rows, wide, storage);
}

TARGET TENSOR_INLINE void NAME(rows)(const struct skinny_call *call, int64_t begin, int64_t end,
				     const int rows, const enum skinny_storage storage)
{
	if (call->gemm->transpose_b)
		NAME(dots)(call, begin, end, rows, storage);
	else
		NAME(columns)(call, begin, end, rows, storage);
}

#define INSTANCE(n)                                                                                \
	case n:                                                                                    \
		if (call->storage == SKINNY_F32)                                                   \
			NAME(rows)(call, begin, end, n, SKINNY_F32);                               \
		else if (call->storage == SKINNY_BF16)                                             \
			NAME(rows)(call, begin, end, n, SKINNY_BF16);                              \
		else                                                                               \
			NAME(rows)(call, begin, end, n, SKINNY_F16);                               \
		break;

TARGET static void NAME(range)(const struct skinny_call *call, int64_t begin, int64_t end)
{
	switch (call->gemm->m) {
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
#undef WIDE_ROWS
#undef LOAD
#undef LOAD_BF16
#undef LOAD_F16
#undef STORE
#undef SPREAD
#undef ZERO
#undef FMA
#undef SUM
