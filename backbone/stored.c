/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writing and finding projections in blocks.
 */
#include "backbone/stored.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/checkpoint.h"
#include "backbone/internal.h"
#include "backbone/prune.h"
#include "base/file.h"
#include "base/half.h"
#include "base/safetensors.h"

#define SUFFIX_Q8 ".q8_0"
#define SUFFIX_Q4 ".q4_0"
#define BLOCK_NUMBERS 32

_Static_assert(MATRIX_BLOCK == BLOCK_NUMBERS, "int4 blocks are q4_0");

struct q8_block {
	uint16_t scale; /* f16 */
	int8_t numbers[BLOCK_NUMBERS];
};

static int64_t blocks_of(int64_t in)
{
	return (in + BLOCK_NUMBERS - 1) / BLOCK_NUMBERS;
}

bool stored_find(const struct checkpoint *checkpoint, const struct backbone_weight *weight,
		 const char *name, struct checkpoint_tensor *tensor)
{
	static const struct {
		const char *suffix;
		enum block_type type;
	} rows[] = {{SUFFIX_Q8, BLOCK_Q8_0}, {SUFFIX_Q4, BLOCK_Q4_0}};
	const int64_t in = weight->matrix.in, out = weight->matrix.out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && in > 0; i++) {
		const struct block_format *format = block_format(rows[i].type);
		char full[256];

		snprintf(full, sizeof(full), "%s%s", name, rows[i].suffix);
		if (checkpoint->gguf || !checkpoint_find(checkpoint, full, tensor) ||
		    tensor->dims != 3 || tensor->shape[0] != out ||
		    tensor->shape[1] != blocks_of(in) ||
		    tensor->size_bytes != (size_t)(out * blocks_of(in)) * format->bytes)
			continue;
		tensor->type = rows[i].type;
		tensor->type_name = format->name;
		tensor->readable = true;
		tensor->padded = true;
		tensor->transposed = weight->layout == LINEAR_IN_OUT;
		tensor->dims = 2;
		tensor->shape[0] = tensor->transposed ? in : out;
		tensor->shape[1] = tensor->transposed ? out : in;
		tensor->count = in * out;
		return true;
	}
	return false;
}

/* Row `o` of a matrix as f32, zeros behind it. */
static void row_fill(const struct backbone_matrix *matrix, int64_t o, float *row)
{
	for (int64_t i = 0; i < blocks_of(matrix->in) * BLOCK_NUMBERS; i++)
		row[i] = i >= matrix->in ? 0
			 : matrix->layout == LINEAR_OUT_IN ? matrix->value[o * matrix->in + i]
							   : matrix->value[i * matrix->out + o];
}

static void int8_row(const float *row, int64_t blocks, struct q8_block *to)
{
	float largest = 0, scale;
	uint16_t half;

	for (int64_t i = 0; i < blocks * BLOCK_NUMBERS; i++)
		largest = fmaxf(largest, fabsf(row[i]));
	half = f16_from_f32(largest / 127);
	scale = f16_to_f32(half);
	for (int64_t b = 0; b < blocks; b++) {
		to[b].scale = half;
		for (int i = 0; i < BLOCK_NUMBERS; i++) {
			const float steps =
				scale > 0 ? row[b * BLOCK_NUMBERS + i] / scale : 0;

			to[b].numbers[i] = (int8_t)lrintf(fmaxf(-127, fminf(steps, 127)));
		}
	}
}

/* The matrix in its blocks; NULL: no memory. */
static void *int8_make(const struct backbone_matrix *matrix, struct arena *memory)
{
	const int64_t blocks = blocks_of(matrix->in);
	struct q8_block *to =
		arena_alloc(memory, (size_t)(matrix->out * blocks) * sizeof(*to));
	float *row = backbone_floats(memory, blocks * BLOCK_NUMBERS);

	for (int64_t o = 0; o < matrix->out && to && row; o++) {
		row_fill(matrix, o, row);
		int8_row(row, blocks, to + o * blocks);
	}
	return row ? to : NULL;
}

/* The same in a storage of tensor/matrix.h that is not blocked. */
static void *plain_make(const struct backbone_matrix *from, enum matrix_type type,
			struct arena *memory)
{
	struct matrix matrix = {.type = type, .in = from->in, .out = from->out,
				.layout = type == MATRIX_INT4 ? LINEAR_OUT_IN : from->layout};
	void *data = arena_alloc(memory, matrix_data_bytes(&matrix));

	if (data)
		matrix_from_f32(&matrix, data, NULL, from->value, from->layout);
	return data;
}

/* Turns the item of a projection, given as f32, into one of the wanted type. */
static int item_store(struct safetensors_item *item, const struct backbone_matrix *matrix,
		      enum matrix_type type, struct arena *memory)
{
	const bool blocks = type == MATRIX_INT8 || type == MATRIX_INT4;
	char name[256];

	if (type == MATRIX_F32)
		return 0;
	item->data = type == MATRIX_INT8 ? int8_make(matrix, memory)
					 : plain_make(matrix, type, memory);
	item->dtype = blocks ? SAFETENSORS_U8 : SAFETENSORS_BF16;
	if (blocks) {
		snprintf(name, sizeof(name), "%s%s", item->name,
			 type == MATRIX_INT8 ? SUFFIX_Q8 : SUFFIX_Q4);
		item->name = arena_strdup(memory, name);
		item->dims = 3;
		item->shape[0] = matrix->out;
		item->shape[1] = blocks_of(matrix->in);
		item->shape[2] = type == MATRIX_INT8 ? (int64_t)sizeof(struct q8_block)
						     : (int64_t)sizeof(struct matrix_block);
	}
	return item->data && item->name ? 0 : ERR_NO_MEMORY;
}

static const struct backbone_matrix *matrix_named(const struct backbone_matrix *matrices,
						  size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(matrices[i].name, name) == 0)
			return &matrices[i];
	return NULL;
}

static int items_make(const struct backbone *backbone, const enum matrix_type *types,
		      struct safetensors_item *items, size_t *count, struct arena *memory)
{
	const size_t projections = backbone_matrices(backbone, NULL);
	struct backbone_matrix *matrices =
		arena_calloc(memory, projections + 1, sizeof(*matrices));
	int code = matrices ? 0 : ERR_NO_MEMORY;

	if (!code)
		backbone_matrices(backbone, matrices);
	for (size_t i = 0; i < backbone->weight_count && !code; i++) {
		const struct backbone_weight *weight = &backbone->weights[i];
		const struct backbone_matrix *matrix;
		struct safetensors_item *item = &items[*count];

		if (!weight->param.value || weight == backbone->token_embedding ||
		    weight == backbone->lm_head)
			continue;
		*item = (struct safetensors_item){
			.name = weight->param.name, .dtype = SAFETENSORS_F32,
			.dims = weight->param.dims, .data = weight->param.value};
		memcpy(item->shape, weight->param.shape, sizeof(weight->param.shape));
		matrix = matrix_named(matrices, projections, weight->param.name);
		if (matrix)
			code = item_store(item, matrix, types[matrix - matrices], memory);
		++*count;
	}
	return code;
}

static int types_check(const struct backbone *backbone, const enum matrix_type *types,
		       struct error *error)
{
	const size_t count = backbone_matrices(backbone, NULL);

	for (size_t i = 0; i < count; i++)
		if (types[i] != MATRIX_F32 && types[i] != MATRIX_BF16 && types[i] != MATRIX_INT8 &&
		    types[i] != MATRIX_INT4)
			return error_set(error, ERR_UNSUPPORTED,
					 "a checkpoint is stored as f32, bf16, int8 or int4");
	if (!backbone_is_plain(backbone))
		return error_set(error, ERR_UNSUPPORTED,
				 "weights that are not plain f32 are not written");
	return 0;
}

int backbone_save_stored(const struct backbone *backbone, const enum matrix_type *types,
			 const char *directory, struct error *error)
{
	static const char *const metadata[] = {"format", "pt", NULL};
	struct safetensors_item *items;
	struct arena memory;
	char path[4096];
	size_t count = 0;
	int code = types_check(backbone, types, error);

	if (code)
		return code;
	arena_init(&memory);
	items = arena_calloc(&memory, backbone->weight_count, sizeof(*items));
	code = items ? items_make(backbone, types, items, &count, &memory) : ERR_NO_MEMORY;
	if (code)
		error_set(error, code, "out of memory for the tensors of %s", directory);
	if (!code)
		code = file_make_folders(directory, error);
	if (!code)
		code = file_join(path, sizeof(path), directory, "model.safetensors", error);
	if (!code)
		code = safetensors_write(path, items, count, metadata, error);
	if (!code)
		code = backbone_config_write(backbone, directory, error);
	arena_free(&memory);
	return code;
}
