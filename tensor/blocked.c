/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products with weights in blocks of 16 outputs.
 *
 * A block holds the weights of two inputs for 16 outputs, then of the next
 * two: one vector of weights meets one pair of activations, spread over it,
 * and sums of outputs stay in registers.  Rows go in groups that fill the
 * registers.  PART_BLOCKS blocks by PART_PAIRS pairs stay in a core's cache
 * while all groups pass, so memory is read once for any number of rows, and a
 * few rows (a decision over a cache) cost no more than that reading.
 */
#include "tensor/blocked.h"

#include "base/half.h"
#include "tensor/level.h"
#include "tensor/rounding.h"
#include "tensor/threads.h"

#define GROUP_MAX 12    /* rows that any kernel takes at once */
#define PART_BLOCKS 8
#define PART_PAIRS 256  /* int8: 2 x 127 x ROUNDING_LARGEST x 256 is below 2^31 */
#define GRAIN_PRODUCTS (INT64_C(1) << 20)

struct blocked_call;

/* Pairs [p0, p1) of one or two blocks from block b on, for the rows of a group. */
typedef void blocked_kernel(const struct blocked_call *call, int64_t row, int rows, int64_t b,
			    int64_t p0, int64_t p1);

/* How activations go into a product. */
enum blocked_input {
	INPUT_F32,
	INPUT_INT16,
};

struct blocked_call {
	const struct matrix *matrix;
	const float *in;
	int64_t in_stride, pairs;
	bool add;
	int64_t rows, out_stride;
	float *out;
	enum blocked_input input;
	/* Groups one after the other; in a group of n rows: (pairs, n, 2). */
	unsigned char *activations;
	float *steps; /* (rows): what 1 means in them; INPUT_INT16 only */
	int group;    /* rows that `kernel` takes at once */
	int together; /* blocks that it takes at once */
	blocked_kernel *kernel;
};

static int64_t pairs_of(const struct matrix *matrix)
{
	return (matrix->in + 1) / 2;
}

size_t blocked_scratch_bytes(const struct matrix *matrix, int64_t rows)
{
	return (size_t)rows * (size_t)(pairs_of(matrix) * 2 + 1) * sizeof(float);
}

static int64_t input_bytes(const struct blocked_call *call)
{
	return call->input == INPUT_F32 ? 4 : 2;
}

/* Whether this part of the product is the first that output sees. */
TENSOR_INLINE bool is_fresh(const struct blocked_call *call, int64_t p0)
{
	return p0 == 0 && !call->add;
}

/* out[o...] = or += values, up to LANES of them, where outputs end inside a vector. */
static void values_put(const struct blocked_call *call, int64_t row, int64_t o, bool fresh,
		       const float *values, int lanes)
{
	float *out = call->out + row * call->out_stride;

	for (int i = 0; i < lanes && o + i < call->matrix->out; i++)
		out[o + i] = fresh ? values[i] : out[o + i] + values[i];
}

#if defined(__x86_64__) && defined(__GNUC__)

#include "tensor/avx512.h"

/* Two inputs of eight (sixteen) outputs. */
struct avx2_pair {
	__m256 first, second;
};
struct avx512_pair {
	__m512 first, second;
};

#define AVX2_TARGET __attribute__((target("avx2,fma")))

AVX2_TARGET TENSOR_INLINE struct avx2_pair avx2_bf16_expand(const unsigned char *w)
{
	const __m256i both = _mm256_loadu_si256((const void *)w);
	const __m256i high = _mm256_set1_epi32(-65536);

	return (struct avx2_pair){_mm256_castsi256_ps(_mm256_slli_epi32(both, 16)),
				  _mm256_castsi256_ps(_mm256_and_si256(both, high))};
}

AVX2_TARGET TENSOR_INLINE struct avx2_pair avx2_f32_expand(const unsigned char *w)
{
	const float *first = (const float *)(const void *)w;

	return (struct avx2_pair){_mm256_loadu_ps(first), _mm256_loadu_ps(first + MATRIX_OUTPUTS)};
}

AVX2_TARGET TENSOR_INLINE __m256 avx2_step(__m256 sum, const unsigned char *x,
					   struct avx2_pair w)
{
	const float *pair = (const float *)(const void *)x;

	sum = _mm256_fmadd_ps(_mm256_set1_ps(pair[0]), w.first, sum);
	return _mm256_fmadd_ps(_mm256_set1_ps(pair[1]), w.second, sum);
}

AVX512_BW TENSOR_INLINE struct avx512_pair avx512_bf16_expand(const unsigned char *w)
{
	const __m512i both = _mm512_loadu_si512((const void *)w);
	const __m512i high = _mm512_set1_epi32(-65536);

	return (struct avx512_pair){_mm512_castsi512_ps(_mm512_slli_epi32(both, 16)),
				    _mm512_castsi512_ps(_mm512_and_si512(both, high))};
}

AVX512_BW TENSOR_INLINE struct avx512_pair avx512_f32_expand(const unsigned char *w)
{
	const float *first = (const float *)(const void *)w;

	return (struct avx512_pair){_mm512_loadu_ps(first),
				    _mm512_loadu_ps(first + MATRIX_OUTPUTS)};
}

AVX512_BW TENSOR_INLINE __m512 avx512_step(__m512 sum, const unsigned char *x,
					     struct avx512_pair w)
{
	const float *pair = (const float *)(const void *)x;

	sum = _mm512_fmadd_ps(_mm512_set1_ps(pair[0]), w.first, sum);
	return _mm512_fmadd_ps(_mm512_set1_ps(pair[1]), w.second, sum);
}

/* A pair of 16-bit activations as one number. */
TENSOR_INLINE int32_t pair_load(const unsigned char *x)
{
	int32_t pair;

	memcpy(&pair, x, sizeof(pair));
	return pair;
}

#define NAME(x) avx2_f32_##x
#define TARGET AVX2_TARGET
#define LANES 8
#define GROUP 5
#define WEIGHT_BYTES 4
#define INPUT_BYTES 4
#define SUMS __m256
#define SUMS_ZERO _mm256_setzero_ps()
#define WEIGHTS struct avx2_pair
#define EXPAND(w) avx2_f32_expand(w)
#define STEP(sum, x, w) avx2_step(sum, x, w)
#define FINISH(call, row, o, sum) (sum)
#include "tensor/blocked_kernel.h"

#define NAME(x) avx512_f32_##x
#define TARGET AVX512_BW
#define LANES 16
#define GROUP 12
#define WEIGHT_BYTES 4
#define INPUT_BYTES 4
#define SUMS __m512
#define SUMS_ZERO _mm512_setzero_ps()
#define WEIGHTS struct avx512_pair
#define EXPAND(w) avx512_f32_expand(w)
#define STEP(sum, x, w) avx512_step(sum, x, w)
#define FINISH(call, row, o, sum) (sum)
#include "tensor/blocked_kernel.h"

#define NAME(x) avx2_bf16_##x
#define TARGET AVX2_TARGET
#define LANES 8
#define GROUP 5
#define WEIGHT_BYTES 2
#define INPUT_BYTES 4
#define SUMS __m256
#define SUMS_ZERO _mm256_setzero_ps()
#define WEIGHTS struct avx2_pair
#define EXPAND(w) avx2_bf16_expand(w)
#define STEP(sum, x, w) avx2_step(sum, x, w)
#define FINISH(call, row, o, sum) (sum)
#include "tensor/blocked_kernel.h"

#define NAME(x) avx512_bf16_##x
#define TARGET AVX512_BW
#define LANES 16
#define GROUP 12
#define WEIGHT_BYTES 2
#define INPUT_BYTES 4
#define SUMS __m512
#define SUMS_ZERO _mm512_setzero_ps()
#define WEIGHTS struct avx512_pair
#define EXPAND(w) avx512_bf16_expand(w)
#define STEP(sum, x, w) avx512_step(sum, x, w)
#define FINISH(call, row, o, sum) (sum)
#include "tensor/blocked_kernel.h"

#define NAME(x) avx2_int8_##x
#define TARGET AVX2_TARGET
#define LANES 8
#define GROUP 5
#define WEIGHT_BYTES 1
#define INPUT_BYTES 2
#define SUMS __m256i
#define SUMS_ZERO _mm256_setzero_si256()
#define WEIGHTS __m256i
#define EXPAND(w) _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)(w)))
#define STEP(sum, x, w)                                                                            \
	_mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_set1_epi32(pair_load(x)), w))
#define FINISH(call, row, o, sum)                                                                  \
	_mm256_mul_ps(_mm256_cvtepi32_ps(sum),                                                     \
		      _mm256_mul_ps(_mm256_set1_ps((call)->steps[row]),                            \
				    _mm256_loadu_ps((call)->matrix->scales + (o))))
#include "tensor/blocked_kernel.h"

#define INT8_FINISH(call, row, o, sum)                                                             \
	_mm512_mul_ps(_mm512_cvtepi32_ps(sum),                                                     \
		      _mm512_mul_ps(_mm512_set1_ps((call)->steps[row]),                            \
				    _mm512_loadu_ps((call)->matrix->scales + (o))))

#define NAME(x) avx512_int8_##x
#define TARGET AVX512_BW
#define LANES 16
#define GROUP 12
#define WEIGHT_BYTES 1
#define INPUT_BYTES 2
#define SUMS __m512i
#define SUMS_ZERO _mm512_setzero_si512()
#define WEIGHTS __m512i
#define EXPAND(w) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(w)))
#define STEP(sum, x, w)                                                                            \
	_mm512_add_epi32(sum, _mm512_madd_epi16(_mm512_set1_epi32(pair_load(x)), w))
#define FINISH(call, row, o, sum) INT8_FINISH(call, row, o, sum)
#include "tensor/blocked_kernel.h"

#define NAME(x) vnni_int8_##x
#define TARGET AVX512_VNNI
#define LANES 16
#define GROUP 12
#define WEIGHT_BYTES 1
#define INPUT_BYTES 2
#define SUMS __m512i
#define SUMS_ZERO _mm512_setzero_si512()
#define WEIGHTS __m512i
#define EXPAND(w) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const void *)(w)))
#define STEP(sum, x, w) _mm512_dpwssd_epi32(sum, _mm512_set1_epi32(pair_load(x)), w)
#define FINISH(call, row, o, sum) INT8_FINISH(call, row, o, sum)
#include "tensor/blocked_kernel.h"

#endif

static void plain_f32(const struct blocked_call *call, int64_t row, int rows, int64_t b,
		      int64_t p0, int64_t p1)
{
	const float *w = (const float *)call->matrix->data +
			   b * call->pairs * 2 * MATRIX_OUTPUTS;
	const float *x = (const float *)(const void *)call->activations + row * call->pairs * 2;

	for (int i = 0; i < rows; i++) {
		float sum[MATRIX_OUTPUTS] = {0};

		for (int64_t p = p0; p < p1; p++)
			for (int j = 0; j < 2 * MATRIX_OUTPUTS; j++)
				sum[j % MATRIX_OUTPUTS] += w[p * 2 * MATRIX_OUTPUTS + j] *
						  x[(p * rows + i) * 2 + j / MATRIX_OUTPUTS];
		values_put(call, row + i, b * MATRIX_OUTPUTS, is_fresh(call, p0), sum,
			   MATRIX_OUTPUTS);
	}
}

static void plain_bf16(const struct blocked_call *call, int64_t row, int rows, int64_t b,
		       int64_t p0, int64_t p1)
{
	const uint16_t *w = (const uint16_t *)call->matrix->data +
			   b * call->pairs * 2 * MATRIX_OUTPUTS;
	const float *x = (const float *)(const void *)call->activations + row * call->pairs * 2;

	for (int i = 0; i < rows; i++) {
		float sum[MATRIX_OUTPUTS] = {0};

		for (int64_t p = p0; p < p1; p++)
			for (int j = 0; j < 2 * MATRIX_OUTPUTS; j++)
				sum[j / 2] += bf16_to_f32(w[p * 2 * MATRIX_OUTPUTS + j]) *
					      x[(p * rows + i) * 2 + j % 2];
		values_put(call, row + i, b * MATRIX_OUTPUTS, is_fresh(call, p0), sum,
			   MATRIX_OUTPUTS);
	}
}

static void plain_int8(const struct blocked_call *call, int64_t row, int rows, int64_t b,
		       int64_t p0, int64_t p1)
{
	const int8_t *w = (const int8_t *)call->matrix->data +
			   b * call->pairs * 2 * MATRIX_OUTPUTS;
	const int16_t *x = (const int16_t *)(const void *)call->activations +
			   row * call->pairs * 2;

	for (int i = 0; i < rows; i++) {
		int32_t sum[MATRIX_OUTPUTS] = {0};
		float values[MATRIX_OUTPUTS];

		for (int64_t p = p0; p < p1; p++)
			for (int j = 0; j < 2 * MATRIX_OUTPUTS; j++)
				sum[j / 2] += w[p * 2 * MATRIX_OUTPUTS + j] *
					      x[(p * rows + i) * 2 + j % 2];
		for (int j = 0; j < MATRIX_OUTPUTS; j++)
			values[j] = (float)sum[j] *
				    (call->steps[row + i] *
				     call->matrix->scales[b * MATRIX_OUTPUTS + j]);
		values_put(call, row + i, b * MATRIX_OUTPUTS, is_fresh(call, p0), values,
			   MATRIX_OUTPUTS);
	}
}

/* A kernel and what it takes. */
struct choice {
	blocked_kernel *kernel;
	enum blocked_input input;
	int group, together;
};

static struct choice choose_plain(enum matrix_type type)
{
	const struct choice choice = {.kernel = type == MATRIX_F32    ? plain_f32
						: type == MATRIX_BF16 ? plain_bf16
								      : plain_int8,
				      .input = type == MATRIX_INT8 ? INPUT_INT16 : INPUT_F32,
				      .group = GROUP_MAX, .together = 1};

	return choice;
}

/* The fastest kernel that this machine runs. */
static struct choice choose(enum matrix_type type)
{
	struct choice choice = choose_plain(type);

#if defined(__x86_64__) && defined(__GNUC__)
	const enum tensor_level level = tensor_level();

	if (level >= TENSOR_LEVEL_AVX512) {
		choice.together = 2;
		choice.kernel = type == MATRIX_F32		    ? avx512_f32_range
				: type == MATRIX_BF16		    ? avx512_bf16_range
				: level >= TENSOR_LEVEL_VNNI ? vnni_int8_range
							     : avx512_int8_range;
	} else if (level >= TENSOR_LEVEL_AVX2) {
		choice.group = 5;
		choice.kernel = type == MATRIX_F32    ? avx2_f32_range
				: type == MATRIX_BF16 ? avx2_bf16_range
						      : avx2_int8_range;
	}
#endif
	return choice;
}

static int64_t group_start(const struct blocked_call *call, int64_t group)
{
	return rounding_group_start(call->rows, call->group, group);
}

/* Pairs of one row go `stride` pairs apart; `last` is 0 where inputs end inside a pair. */
TENSOR_CLONES
static void row_copy(float *out, int64_t stride, const float *in, int64_t count)
{
	for (int64_t p = 0; p < count / 2; p++) {
		out[p * stride * 2] = in[2 * p];
		out[p * stride * 2 + 1] = in[2 * p + 1];
	}
	if (count % 2) {
		out[count / 2 * stride * 2] = in[count - 1];
		out[count / 2 * stride * 2 + 1] = 0;
	}
}

/* *step: what 1 means in them. */
TENSOR_CLONES
static void row_round(int16_t *out, int64_t stride, float *step, const float *in, int64_t count)
{
	float inverse;

	*step = rounding_step(in, count, &inverse);
	for (int64_t p = 0; p < count / 2; p++) {
		out[p * stride * 2] = rounding_nearest(in[2 * p] * inverse);
		out[p * stride * 2 + 1] = rounding_nearest(in[2 * p + 1] * inverse);
	}
	if (count % 2) {
		out[count / 2 * stride * 2] = rounding_nearest(in[count - 1] * inverse);
		out[count / 2 * stride * 2 + 1] = 0;
	}
}

static void groups_prepare(void *context, int worker, int64_t begin, int64_t end)
{
	const struct blocked_call *call = context;
	const int64_t count = call->matrix->in, bytes = 2 * input_bytes(call);

	(void)worker;
	for (int64_t group = begin; group < end; group++) {
		const int64_t first = group_start(call, group);
		const int64_t rows = group_start(call, group + 1) - first;

		for (int64_t row = first; row < first + rows; row++) {
			const float *in = call->in + row * call->in_stride;
			void *to = call->activations + (first * call->pairs + row - first) * bytes;

			if (call->input == INPUT_F32)
				row_copy(to, rows, in, count);
			else
				row_round(to, rows, &call->steps[row], in, count);
		}
	}
}

/* Blocks [begin, end) x together, for all rows. */
static void blocks_run(void *context, int worker, int64_t begin, int64_t end)
{
	const struct blocked_call *call = context;
	const int64_t blocks = (call->matrix->out + MATRIX_OUTPUTS - 1) / MATRIX_OUTPUTS;
	const int64_t step = call->together;
	const int64_t stop = end * step < blocks ? end * step : blocks;

	(void)worker;
	for (int64_t first = begin * step; first < stop; first += PART_BLOCKS) {
		const int64_t last = first + PART_BLOCKS < stop ? first + PART_BLOCKS : stop;

		for (int64_t p = 0; p < call->pairs; p += PART_PAIRS) {
			const int64_t next = p + PART_PAIRS < call->pairs ? p + PART_PAIRS
									   : call->pairs;

			for (int64_t row = 0, group = 1; row < call->rows; group++) {
				const int64_t until = group_start(call, group);

				for (int64_t b = first; b < last; b += step)
					call->kernel(call, row, (int)(until - row), b, p, next);
				row = until;
			}
		}
	}
}

void blocked_forward(float *out, const float *in, const struct matrix *matrix, bool add,
		     const struct matrix_rows *rows, void *scratch)
{
	struct blocked_call call = {.matrix = matrix, .in = in, .in_stride = rows->in_stride,
				    .pairs = pairs_of(matrix), .add = add, .rows = rows->rows,
				    .out_stride = rows->out_stride, .out = out, .steps = scratch};
	const struct choice choice = choose(matrix->type);
	int64_t groups, together;

	call.input = choice.input;
	call.group = choice.group;
	call.together = choice.together;
	call.kernel = choice.kernel;
	call.activations = (unsigned char *)(call.steps + rows->rows);
	groups = (call.rows + call.group - 1) / call.group;
	tensor_split(groups, 1 + GRAIN_PRODUCTS / (call.group * call.pairs * 32), groups_prepare,
		     &call);
	together = MATRIX_OUTPUTS * call.together;
	tensor_split((matrix->out + together - 1) / together,
		     1 + GRAIN_PRODUCTS / (rows->rows * matrix->in * together), blocks_run, &call);
}
