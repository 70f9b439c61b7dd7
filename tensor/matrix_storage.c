/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Weights to and from their storages.
 */
#include "tensor/matrix.h"

#include <math.h>
#include <string.h>

#include "base/half.h"
#include "tensor/threads.h"
#include "tensor/vector.h"

#define GRAIN_WEIGHTS 65536
#define F16_LARGEST 65504.0f

static const char *const names[MATRIX_TYPES] = {
	[MATRIX_F32] = "f32", [MATRIX_BF16] = "bf16", [MATRIX_F16] = "f16",
	[MATRIX_INT8] = "int8", [MATRIX_INT4] = "int4",
};

const char *matrix_type_name(enum matrix_type type)
{
	return names[type];
}

bool matrix_type_find(enum matrix_type *type, const char *name)
{
	for (int i = 0; i < MATRIX_TYPES; i++)
		if (strcmp(names[i], name) == 0) {
			*type = (enum matrix_type)i;
			return true;
		}
	return false;
}

static int64_t blocks_of(int64_t in)
{
	return (in + MATRIX_BLOCK - 1) / MATRIX_BLOCK;
}

/* Pairs of inputs, and blocks of MATRIX_OUTPUTS outputs, of a blocked matrix. */
static int64_t pairs_of(const struct matrix *matrix)
{
	return (matrix->in + 1) / 2;
}

static int64_t padded(int64_t out)
{
	return (out + MATRIX_OUTPUTS - 1) / MATRIX_OUTPUTS * MATRIX_OUTPUTS;
}

size_t matrix_data_bytes(const struct matrix *matrix)
{
	const int64_t count = matrix->blocked ? padded(matrix->out) * 2 * pairs_of(matrix)
					      : matrix->out * matrix->in;

	switch (matrix->type) {
	case MATRIX_F32:
		return (size_t)count * sizeof(float);
	case MATRIX_BF16:
	case MATRIX_F16:
		return (size_t)count * sizeof(uint16_t);
	case MATRIX_INT8:
		return (size_t)count;
	default:
		return (size_t)(blocks_of(matrix->in) * matrix->out) * sizeof(struct matrix_block);
	}
}

size_t matrix_scales_bytes(const struct matrix *matrix)
{
	return matrix->type == MATRIX_INT8 ? (size_t)padded(matrix->out) * sizeof(float) : 0;
}

size_t matrix_bytes(const struct matrix *matrix)
{
	return matrix_data_bytes(matrix) + matrix_scales_bytes(matrix);
}

/* Whether rows read from the matrix are outputs. */
static bool is_out_in(const struct matrix *matrix)
{
	return matrix->blocked || matrix->layout == LINEAR_OUT_IN;
}

struct storage_call {
	const struct matrix *matrix;
	void *data;
	float *scales;
	const float *weight; /* from f32 */
	float *out;          /* to f32 */
	enum linear_layout layout;
};

/* Weight of input i for output o: the same in every storage. */
static const float *weight_at(const struct storage_call *call, int64_t o, int64_t i)
{
	return call->weight + (call->layout == LINEAR_OUT_IN ? o * call->matrix->in + i
							     : i * call->matrix->out + o);
}

/* One row of the matrix as it lies: `outer` is an output or an input. */
static void halves_store(const struct storage_call *call, int64_t outer)
{
	const struct matrix *m = call->matrix;
	const bool out_in = m->layout == LINEAR_OUT_IN;
	const int64_t width = out_in ? m->in : m->out;
	uint16_t *row = (uint16_t *)call->data + outer * width;

	for (int64_t j = 0; j < width; j++) {
		const float value = *weight_at(call, out_in ? outer : j, out_in ? j : outer);

		row[j] = m->type == MATRIX_BF16 ? bf16_from_f32(value) : f16_from_f32(value);
	}
}

static void floats_store(const struct storage_call *call, int64_t outer)
{
	const struct matrix *m = call->matrix;
	const bool out_in = m->layout == LINEAR_OUT_IN;
	const int64_t width = out_in ? m->in : m->out;
	float *row = (float *)call->data + outer * width;

	for (int64_t j = 0; j < width; j++)
		row[j] = *weight_at(call, out_in ? outer : j, out_in ? j : outer);
}

/* Place of a weight in a blocked matrix. */
static int64_t blocked_place(const struct matrix *m, int64_t o, int64_t i)
{
	const int64_t pair = o / MATRIX_OUTPUTS * pairs_of(m) + i / 2, output = o % MATRIX_OUTPUTS;

	return m->type == MATRIX_F32 ? (pair * 2 + i % 2) * MATRIX_OUTPUTS + output
				     : (pair * MATRIX_OUTPUTS + output) * 2 + i % 2;
}

/* One output of a blocked matrix; those past the last are zeros. */
static void blocked_store(const struct storage_call *call, int64_t o)
{
	const struct matrix *m = call->matrix;
	const bool whole = m->type == MATRIX_INT8;
	float largest = 0, inverse;

	for (int64_t i = 0; i < m->in && o < m->out && whole; i++)
		largest = fmaxf(largest, fabsf(*weight_at(call, o, i)));
	if (whole)
		call->scales[o] = largest / 127;
	inverse = largest > 0 ? 127 / largest : 0;
	for (int64_t i = 0; i < 2 * pairs_of(m); i++) {
		const float value = o < m->out && i < m->in ? *weight_at(call, o, i) : 0;
		const int64_t place = blocked_place(m, o, i);

		if (whole)
			((int8_t *)call->data)[place] = (int8_t)lrintf(value * inverse);
		else if (m->type == MATRIX_BF16)
			((uint16_t *)call->data)[place] = bf16_from_f32(value);
		else
			((float *)call->data)[place] = value;
	}
}

static void block_store(struct matrix_block *block, const float *values)
{
	float extreme = 0, scale;

	for (int j = 0; j < MATRIX_BLOCK; j++)
		if (fabsf(values[j]) > fabsf(extreme))
			extreme = values[j];
	block->scale = f16_from_f32(fmaxf(-F16_LARGEST, fminf(extreme / -8, F16_LARGEST)));
	scale = f16_to_f32(block->scale);
	for (int j = 0; j < MATRIX_BLOCK / 2; j++) {
		int nibble[2];

		for (int half = 0; half < 2; half++) {
			const float steps = scale != 0 ? values[j + half * 16] / scale : 0;

			nibble[half] = (int)lrintf(fmaxf(-8, fminf(steps, 7))) + 8;
		}
		block->nibbles[j] = (uint8_t)(nibble[0] | nibble[1] << 4);
	}
}

static void nibbles_store(const struct storage_call *call, int64_t o)
{
	const int64_t in = call->matrix->in, blocks = blocks_of(in);
	struct matrix_block *row = (struct matrix_block *)call->data + o * blocks;

	for (int64_t b = 0; b < blocks; b++) {
		float values[MATRIX_BLOCK] = {0};

		for (int64_t j = 0; j < MATRIX_BLOCK && b * MATRIX_BLOCK + j < in; j++)
			values[j] = *weight_at(call, o, b * MATRIX_BLOCK + j);
		block_store(&row[b], values);
	}
}

static void rows_store(void *context, int worker, int64_t begin, int64_t end)
{
	static void (*const store[MATRIX_TYPES])(const struct storage_call *, int64_t) = {
		[MATRIX_F32] = floats_store, [MATRIX_BF16] = halves_store,
		[MATRIX_F16] = halves_store, [MATRIX_INT4] = nibbles_store,
	};
	const struct storage_call *call = context;

	(void)worker;
	for (int64_t row = begin; row < end; row++)
		if (call->matrix->blocked)
			blocked_store(call, row);
		else
			store[call->matrix->type](call, row);
}

void matrix_from_f32(struct matrix *matrix, void *data, float *scales, const float *weight,
		     enum linear_layout layout)
{
	const int64_t outer = matrix->blocked                    ? padded(matrix->out)
			      : matrix->layout == LINEAR_OUT_IN ? matrix->out
								 : matrix->in;
	struct storage_call call = {.matrix = matrix, .data = data, .scales = scales,
				    .weight = weight, .layout = layout};

	tensor_split(outer, 1 + GRAIN_WEIGHTS * outer / (matrix->in * matrix->out + 1),
		     rows_store, &call);
	matrix->data = data;
	matrix->scales = scales;
}

TENSOR_CLONES
static void bf16_load(float *out, const unsigned char *from, int64_t count)
{
	bf16_all_to_f32(out, from, count);
}

TENSOR_CLONES
static void f16_load(float *out, const unsigned char *from, int64_t count)
{
	f16_all_to_f32(out, from, count);
}

/* Inputs [i0, i1) of one output of a blocked matrix. */
TENSOR_CLONES
static void blocked_load(float *out, const struct matrix *m, int64_t o, int64_t i0, int64_t i1)
{
	const int64_t first = blocked_place(m, o, 0);
	const float scale = m->type == MATRIX_INT8 ? m->scales[o] : 1;
	const int8_t *bytes = (const int8_t *)m->data + first;
	const uint16_t *halves = (const uint16_t *)m->data + first;
	const float *floats = (const float *)m->data + first;

	if (m->type == MATRIX_INT8)
		for (int64_t i = i0; i < i1; i++)
			out[i - i0] = scale * (float)bytes[i / 2 * 2 * MATRIX_OUTPUTS + i % 2];
	else if (m->type == MATRIX_BF16)
		for (int64_t i = i0; i < i1; i++)
			out[i - i0] = bf16_to_f32(halves[i / 2 * 2 * MATRIX_OUTPUTS + i % 2]);
	else
		for (int64_t i = i0; i < i1; i++)
			out[i - i0] = floats[i * MATRIX_OUTPUTS];
}

/* The whole block, in order. */
TENSOR_CLONES
static void block_load(float *out, const struct matrix_block *block)
{
	const float scale = f16_to_f32(block->scale);

	for (int j = 0; j < MATRIX_BLOCK / 2; j++) {
		out[j] = scale * (float)((block->nibbles[j] & 15) - 8);
		out[j + MATRIX_BLOCK / 2] = scale * (float)((block->nibbles[j] >> 4) - 8);
	}
}

static void int4_load(float *out, const unsigned char *row, int64_t i0, int64_t i1)
{
	while (i0 < i1) {
		const int64_t first = i0 % MATRIX_BLOCK;
		const int64_t left = MATRIX_BLOCK - first;
		const int64_t take = left < i1 - i0 ? left : i1 - i0;
		struct matrix_block block;
		float values[MATRIX_BLOCK];

		memcpy(&block, row + i0 / MATRIX_BLOCK * (int64_t)sizeof(block), sizeof(block));
		block_load(values, &block);
		memcpy(out, values + first, (size_t)take * sizeof(*out));
		out += take;
		i0 += take;
	}
}

/* Numbers [j0, j1) of row `outer` of the matrix as it lies. */
static void row_load(float *out, const struct matrix *m, int64_t outer, int64_t j0, int64_t j1)
{
	const int64_t width = is_out_in(m) ? m->in : m->out;
	const unsigned char *data = m->data;
	const int64_t place = outer * width + j0, count = j1 - j0;

	if (m->blocked) {
		blocked_load(out, m, outer, j0, j1);
		return;
	}
	switch (m->type) {
	case MATRIX_F32:
		memcpy(out, data + 4 * place, (size_t)count * sizeof(*out));
		break;
	case MATRIX_BF16:
		bf16_load(out, data + 2 * place, count);
		break;
	case MATRIX_F16:
		f16_load(out, data + 2 * place, count);
		break;
	default:
		int4_load(out, data + outer * blocks_of(m->in) *
				       (int64_t)sizeof(struct matrix_block), j0, j1);
		break;
	}
}

void matrix_part_to_f32(float *part, const struct matrix *matrix, int64_t o0, int64_t o1,
			int64_t i0, int64_t i1)
{
	if (is_out_in(matrix))
		for (int64_t o = o0; o < o1; o++)
			row_load(part + (o - o0) * (i1 - i0), matrix, o, i0, i1);
	else
		for (int64_t i = i0; i < i1; i++)
			row_load(part + (i - i0) * (o1 - o0), matrix, i, o0, o1);
}

static void rows_restore(void *context, int worker, int64_t begin, int64_t end)
{
	const struct storage_call *call = context;
	const struct matrix *m = call->matrix;
	const bool same = (call->layout == LINEAR_OUT_IN) == is_out_in(m);
	const int64_t outer = is_out_in(m) ? m->out : m->in;
	const int64_t width = m->in * m->out / outer;

	(void)worker;
	for (int64_t row = begin; row < end; row++)
		for (int64_t j = 0; j < width; j += MATRIX_BLOCK) {
			const int64_t stop = j + MATRIX_BLOCK < width ? j + MATRIX_BLOCK : width;
			float values[MATRIX_BLOCK];

			row_load(values, m, row, j, stop);
			for (int64_t i = j; i < stop; i++)
				call->out[same ? row * width + i : i * outer + row] =
					values[i - j];
		}
}

void matrix_to_f32(float *weight, enum linear_layout layout, const struct matrix *matrix)
{
	const int64_t outer = is_out_in(matrix) ? matrix->out : matrix->in;
	struct storage_call call = {.matrix = matrix, .out = weight, .layout = layout};

	tensor_split(outer, 1 + GRAIN_WEIGHTS * outer / (matrix->in * matrix->out + 1),
		     rows_restore, &call);
}
