/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Products with weights of four bits.
 *
 * Weights stream past once for a group of rows, an output or two at a time;
 * where there are more rows, a block of outputs stays in a core's cache until
 * all groups have seen it.  Kernels exist for AVX-512 with and without VNNI
 * and for AVX2; elsewhere plain loops do it.
 */
#include "tensor/integer.h"

#include "base/half.h"
#include "tensor/level.h"
#include "tensor/rounding.h"
#include "tensor/threads.h"

/*
 * With AVX-512, 32 products cost three vector operations here and two as f32 (a
 * window of GPT-2: 323 ms beside 199), once weights are f32, which costs about
 * what 31 rows do.  With AVX2 the operations here have more units of the core to
 * go to: measured, they are faster at every number of rows (97 GFLOP/s a core
 * beside at most 76).
 */
#define AVX512_ROWS_MAX 64

#define GROUP_MAX 12        /* rows that kernels take at once */
#define BLOCK_BYTES 131072  /* of weights kept in a core's cache */
#define GRAIN_PRODUCTS (INT64_C(1) << 20)
#define GRAIN_ROUNDED (INT64_C(1) << 15)

struct integer_call {
	const struct matrix *matrix;
	int64_t depth; /* inputs, rounded up to whole blocks */
	const float *in;
	int64_t in_stride;
	bool add;
	int64_t rows, out_stride;
	float *out;
	/*
	 * Groups of at most `group` rows, one after the other; in a group of n:
	 * (depth / MATRIX_BLOCK, n, MATRIX_BLOCK).  Zeros beyond the inputs.
	 */
	int16_t *activations;
	float *steps;         /* (rows): what 1 means in them */
	int group;            /* rows that `range` takes at once */
	void (*range)(const struct integer_call *call, int64_t row, int rows, int64_t begin,
		      int64_t end);
};

static int64_t depth_of(const struct matrix *matrix)
{
	return (matrix->in + MATRIX_BLOCK - 1) / MATRIX_BLOCK * MATRIX_BLOCK;
}

bool integer_is_faster(int64_t rows)
{
	return tensor_level() < TENSOR_LEVEL_AVX512 || rows <= AVX512_ROWS_MAX;
}

size_t integer_scratch_bytes(const struct matrix *matrix, int64_t rows)
{
	return (size_t)rows * ((size_t)depth_of(matrix) * sizeof(int16_t) + sizeof(float));
}

TENSOR_INLINE void result_put(const struct integer_call *call, int64_t row, int64_t o, float sum)
{
	float *out = call->out + row * call->out_stride + o;
	const float value = sum * call->steps[row];

	*out = call->add ? *out + value : value;
}

#if defined(__x86_64__) && defined(__GNUC__)

#include "tensor/avx512.h"

#define NAME(x) vnni_##x
#define TARGET AVX512_VNNI
#define DOT(sum, x, y) _mm512_dpwssd_epi32(sum, x, y)
#include "tensor/integer_avx512.h"

#define NAME(x) avx512_##x
#define TARGET AVX512_BW
#define DOT(sum, x, y) _mm512_add_epi32(sum, _mm512_madd_epi16(x, y))
#include "tensor/integer_avx512.h"

#include "tensor/integer_avx2.h"

#endif

/* Outputs [begin, end) of some rows, on any machine. */
TENSOR_CLONES
static void nibbles_plain(const struct integer_call *call, int64_t row, int rows, int64_t begin,
			  int64_t end)
{
	const int64_t blocks = call->depth / MATRIX_BLOCK;
	const unsigned char *data = call->matrix->data;

	for (int64_t o = begin; o < end; o++)
		for (int i = 0; i < rows; i++) {
			const int16_t *x = call->activations + row * call->depth +
					   i * MATRIX_BLOCK;
			float total = 0;

			for (int64_t b = 0; b < blocks; b++, x += rows * MATRIX_BLOCK) {
				struct matrix_block block;
				int32_t sum = 0;

				memcpy(&block, data + (o * blocks + b) * (int64_t)sizeof(block),
				       sizeof(block));
				for (int j = 0; j < MATRIX_BLOCK / 2; j++)
					sum += ((block.nibbles[j] & 15) - 8) * x[j] +
					       ((block.nibbles[j] >> 4) - 8) * x[j + 16];
				total += (float)sum * f16_to_f32(block.scale);
			}
			result_put(call, row + i, o, total);
		}
}

/* The fastest kernel that this machine runs. */
static void kernel_choose(struct integer_call *call)
{
	call->range = nibbles_plain;
	call->group = GROUP_MAX;
#if defined(__x86_64__) && defined(__GNUC__)
	const enum tensor_level level = tensor_level();

	if (level >= TENSOR_LEVEL_AVX512) {
		call->range = level >= TENSOR_LEVEL_VNNI ? vnni_range : avx512_range;
	} else if (level >= TENSOR_LEVEL_AVX2) {
		call->range = avx2_range;
		call->group = AVX2_GROUP;
	}
#endif
}

TENSOR_INLINE void block_round(int16_t *out, const float *in, float inverse)
{
	for (int j = 0; j < MATRIX_BLOCK; j++)
		out[j] = rounding_nearest(in[j] * inverse);
}

/* A row of `count` activations; its blocks go `stride` numbers apart. */
TENSOR_CLONES
static void row_round(int16_t *out, int64_t stride, float *step, const float *in, int64_t count)
{
	const int64_t whole = count / MATRIX_BLOCK * MATRIX_BLOCK;
	float inverse, last[MATRIX_BLOCK] = {0};

	*step = rounding_step(in, count, &inverse);
	for (int64_t i = 0; i < whole; i += MATRIX_BLOCK, out += stride)
		block_round(out, in + i, inverse);
	if (whole == count)
		return;
	memcpy(last, in + whole, (size_t)(count - whole) * sizeof(*last));
	block_round(out, last, inverse);
}

static int64_t group_start(const struct integer_call *call, int64_t group)
{
	return rounding_group_start(call->rows, call->group, group);
}

static void groups_round(void *context, int worker, int64_t begin, int64_t end)
{
	const struct integer_call *call = context;

	(void)worker;
	for (int64_t group = begin; group < end; group++) {
		const int64_t first = group_start(call, group);
		const int64_t rows = group_start(call, group + 1) - first;

		for (int64_t i = 0; i < rows; i++)
			row_round(call->activations + first * call->depth + i * MATRIX_BLOCK,
				  rows * MATRIX_BLOCK, &call->steps[first + i],
				  call->in + (first + i) * call->in_stride, call->matrix->in);
	}
}

/* Outputs [begin, end) for all rows, groups of about the same size. */
static void outputs_run(void *context, int worker, int64_t begin, int64_t end)
{
	const struct integer_call *call = context;
	const int64_t bytes = call->depth / MATRIX_BLOCK * (int64_t)sizeof(struct matrix_block);
	const int64_t block = 2 + BLOCK_BYTES / bytes / 2 * 2;

	(void)worker;
	for (int64_t o = begin; o < end; o += block)
		for (int64_t group = 0, row = 0; row < call->rows; group++) {
			const int64_t next = group_start(call, group + 1);

			call->range(call, row, (int)(next - row), o,
				    o + block < end ? o + block : end);
			row = next;
		}
}

void integer_forward(float *out, const float *in, const struct matrix *matrix, bool add,
		     const struct matrix_rows *rows, void *scratch)
{
	const int64_t depth = depth_of(matrix);
	struct integer_call call = {.matrix = matrix, .depth = depth, .in = in,
				    .in_stride = rows->in_stride, .add = add,
				    .rows = rows->rows, .out_stride = rows->out_stride,
				    .out = out, .steps = scratch};
	int64_t groups;

	call.activations = (int16_t *)(call.steps + rows->rows);
	kernel_choose(&call);
	groups = (call.rows + call.group - 1) / call.group;
	tensor_split(groups, 1 + GRAIN_ROUNDED / (call.group * depth), groups_round, &call);
	tensor_split(matrix->out, 1 + GRAIN_PRODUCTS / (rows->rows * depth), outputs_run, &call);
}
