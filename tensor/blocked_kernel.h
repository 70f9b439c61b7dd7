/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * A kernel of blocked.c for one storage and one instruction set; included once
 * for each.  The includer defines, and this file takes away again:
 *
 *     NAME(x), TARGET, LANES (outputs of a vector), GROUP (rows at once)
 *     WEIGHT_BYTES, INPUT_BYTES      of one weight, of one activation
 *     SUMS, SUMS_ZERO                a vector of sums
 *     WEIGHTS, EXPAND(w)             LANES outputs by two inputs, from memory
 *     STEP(sum, x, w)                sum + the pair of activations at x times w
 *     FINISH(call, row, o, sum)      sums as floats
 *
 * `rows` and `wide` are constants in every instance, so that the sums stay in
 * registers: one or two vectors of outputs for each row.
 */

#if LANES == 8
#define FLOATS __m256
#define FLOATS_LOAD(p) _mm256_loadu_ps(p)
#define FLOATS_STORE(p, v) _mm256_storeu_ps(p, v)
#define FLOATS_ADD(x, y) _mm256_add_ps(x, y)
#else
#define FLOATS __m512
#define FLOATS_LOAD(p) _mm512_loadu_ps(p)
#define FLOATS_STORE(p, v) _mm512_storeu_ps(p, v)
#define FLOATS_ADD(x, y) _mm512_add_ps(x, y)
#endif

/* Writes or adds the sums of `rows` rows, `wide` vectors of outputs each, from output `o` on. */
TARGET static __attribute__((noinline)) void NAME(put)(const struct blocked_call *call, int64_t row,
						       int64_t o, bool fresh, SUMS sum[][2],
						       int rows, int wide)
{
	for (int i = 0; i < rows; i++)
		for (int j = 0; j < wide; j++) {
			const int64_t at = o + j * LANES;
			float *out = call->out + (row + i) * call->out_stride + at;
			const FLOATS values = FINISH(call, row + i, at, sum[i][j]);
			float rest[LANES];

			if (at + LANES <= call->matrix->out) {
				FLOATS_STORE(out,
					     fresh ? values : FLOATS_ADD(FLOATS_LOAD(out), values));
				continue;
			}
			FLOATS_STORE(rest, values);
			values_put(call, row + i, at, fresh, rest, LANES);
		}
}

/* Vectors of a block follow each other in a pair; with 16 lanes the second is the next block. */
TARGET TENSOR_INLINE void NAME(tile)(const struct blocked_call *call, int64_t row, int64_t b,
				     int64_t p0, int64_t p1, const int rows, const int wide)
{
	const int64_t pair = 2 * MATRIX_OUTPUTS * WEIGHT_BYTES;
	const int64_t within = WEIGHT_BYTES == 4 ? LANES * WEIGHT_BYTES : 2 * LANES * WEIGHT_BYTES;
	const int64_t beside = LANES == MATRIX_OUTPUTS ? call->pairs * pair : within;
	const unsigned char *w =
		(const unsigned char *)call->matrix->data + (b * call->pairs + p0) * pair;
	const unsigned char *x =
		call->activations + (row * call->pairs + p0 * rows) * 2 * INPUT_BYTES;
	SUMS sum[GROUP][2], last[GROUP][2];

	TENSOR_UNROLL
	for (int i = 0; i < rows; i++)
		sum[i][0] = sum[i][1] = SUMS_ZERO;
	for (int64_t p = p0; p < p1; p++, w += pair, x += rows * 2 * INPUT_BYTES) {
		const WEIGHTS y0 = EXPAND(w), y1 = EXPAND(w + (wide - 1) * beside);

		TENSOR_UNROLL
		for (int i = 0; i < rows; i++) {
			sum[i][0] = STEP(sum[i][0], x + i * 2 * INPUT_BYTES, y0);
			if (wide > 1)
				sum[i][1] = STEP(sum[i][1], x + i * 2 * INPUT_BYTES, y1);
		}
	}
	TENSOR_UNROLL
	for (int i = 0; i < rows; i++) {
		last[i][0] = sum[i][0];
		last[i][1] = sum[i][1];
	}
	NAME(put)(call, row, b * MATRIX_OUTPUTS, is_fresh(call, p0), last, rows, wide);
}

#define CASE(n)                                                                                    \
	case n:                                                                                    \
		if (alone)                                                                         \
			NAME(tile)(call, row, b, p0, p1, n, 1);                                    \
		else                                                                               \
			NAME(tile)(call, row, b, p0, p1, n, 2);                                    \
		break;

TARGET static void NAME(range)(const struct blocked_call *call, int64_t row, int rows, int64_t b,
			       int64_t p0, int64_t p1)
{
	/* the last block of an odd number of them, or the last half of a block */
	const bool alone = b * MATRIX_OUTPUTS + LANES >= call->matrix->out;

	switch (rows) {
		CASE(1)
		CASE(2)
		CASE(3)
		CASE(4)
		CASE(5)
#if GROUP > 5
		CASE(6)
		CASE(7)
		CASE(8)
		CASE(9)
		CASE(10)
		CASE(11)
		CASE(12)
#endif
	}
}

#undef CASE
#undef FLOATS
#undef FLOATS_LOAD
#undef FLOATS_STORE
#undef FLOATS_ADD
#undef NAME
#undef TARGET
#undef LANES
#undef GROUP
#undef WEIGHT_BYTES
#undef INPUT_BYTES
#undef SUMS
#undef SUMS_ZERO
#undef WEIGHTS
#undef EXPAND
#undef STEP
#undef FINISH
