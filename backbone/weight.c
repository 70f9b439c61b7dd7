/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One weight: where it lies and in which storage.
 *
 * Weights of projections are all the traffic of a decision, so they may be
 * held as bf16, f16, int8 or int4.  A tensor whose file has it in that storage
 * already is not copied: it is read where the file is mapped.
 */
#include "backbone/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/checkpoint.h"

#define NAME_MAX_BYTES 160

struct matrix weight_matrix(const struct backbone_weight *weight)
{
	struct matrix matrix = weight->matrix;

	if (!matrix.data)
		matrix.data = weight->param.value;
	return matrix;
}

/* The storage that a projection's weight is to be in. */
static enum matrix_type storage_of(const struct backbone *backbone,
				   const struct backbone_weight *weight)
{
	return backbone->options.as_stored ? weight->stored : backbone->options.precision;
}

bool backbone_is_plain(const struct backbone *backbone)
{
	return backbone->options.precision == MATRIX_F32 && !backbone->options.as_stored &&
	       !backbone->settled && !backbone->device_only;
}

bool weight_is_held(const struct backbone *backbone, const struct backbone_weight *weight)
{
	return weight->matrix.in > 0 &&
	       (storage_of(backbone, weight) != MATRIX_F32 || weight->matrix.data);
}

/* The matrix that a held weight becomes when it is rounded. */
static struct matrix held_matrix(const struct backbone *backbone,
				 const struct backbone_weight *weight)
{
	struct matrix matrix = weight->matrix;

	matrix.type = storage_of(backbone, weight);
	if (matrix.type != MATRIX_F32) /* else: settled or not */
		matrix.blocked = matrix.type == MATRIX_BF16 || matrix.type == MATRIX_INT8;
	matrix.layout = matrix.type == MATRIX_INT4 ? LINEAR_OUT_IN : weight->layout;
	return matrix;
}

size_t weight_bytes(const struct backbone *backbone, const struct backbone_weight *weight)
{
	const struct matrix matrix = held_matrix(backbone, weight);

	if (!weight_is_held(backbone, weight))
		return (size_t)weight->param.count * sizeof(float);
	return matrix_bytes(&matrix);
}

int weight_allocate(struct backbone *backbone, struct backbone_weight *weight)
{
	struct backbone_param *param = &weight->param;

	param->value = backbone_floats(&backbone->memory, param->count);
	if (backbone->options.trainable && weight->used) {
		param->gradient = arena_calloc(&backbone->memory, (size_t)param->count,
					       sizeof(float));
		if (!param->gradient)
			return ERR_NO_MEMORY;
	}
	return param->value ? 0 : ERR_NO_MEMORY;
}

int weight_hold(struct backbone *backbone, struct backbone_weight *weight, const float *values)
{
	struct matrix matrix = held_matrix(backbone, weight);
	void *data = (void *)matrix.data;
	float *scales = (float *)matrix.scales;

	if (!data || weight->mapped) {
		data = arena_alloc(&backbone->memory, matrix_data_bytes(&matrix));
		scales = arena_alloc(&backbone->memory, matrix_scales_bytes(&matrix));
	}
	if (!data || (!scales && matrix_scales_bytes(&matrix) > 0))
		return ERR_NO_MEMORY;
	matrix_from_f32(&matrix, data, scales, values, weight->layout);
	weight->matrix = matrix;
	weight->mapped = false;
	return 0;
}

/* A block of f32 weights takes no more room where outputs and inputs fill blocks. */
static bool weight_can_settle(const struct backbone_weight *weight)
{
	return weight->param.value && weight->matrix.in > 0 && weight->matrix.in % 2 == 0 &&
	       weight->matrix.out % MATRIX_OUTPUTS == 0;
}

int backbone_settle(struct backbone *backbone, struct error *error)
{
	if (backbone->options.trainable || backbone->device)
		return 0;
	for (size_t i = 0; i < backbone->weight_count; i++) {
		struct backbone_weight *weight = &backbone->weights[i];
		const size_t bytes = (size_t)weight->param.count * sizeof(float);
		float *values = weight_can_settle(weight) ? malloc(bytes) : NULL;

		if (!weight_can_settle(weight))
			continue;
		if (!values)
			return error_set(error, ERR_NO_MEMORY, "out of memory for %s",
					 weight->param.name);
		memcpy(values, weight->param.value, bytes);
		weight->matrix.blocked = true;
		matrix_from_f32(&weight->matrix, weight->param.value, NULL, values,
				weight->layout);
		weight->param.value = NULL;
		backbone->settled = true;
		free(values);
	}
	return 0;
}

/* The tensor `name`, under whichever prefix the checkpoint uses. */
static bool name_find(const struct backbone *backbone, const struct checkpoint *checkpoint,
		      const char *name, struct checkpoint_tensor *tensor)
{
	char full[NAME_MAX_BYTES + 32];

	for (const char *const *prefix = backbone->architecture->prefixes; *prefix; prefix++) {
		snprintf(full, sizeof(full), "%s%s", *prefix, name);
		if (checkpoint_find(checkpoint, full, tensor))
			return true;
	}
	return false;
}

bool weight_find(const struct backbone *backbone, const struct checkpoint *checkpoint,
		 const struct backbone_weight *weight, struct checkpoint_tensor *tensor)
{
	bool found = name_find(backbone, checkpoint, weight->param.name, tensor);

	if (!found)
		found = stored_find(checkpoint, weight, weight->param.name, tensor);
	for (const char *const *alias = weight->aliases; !found && alias && *alias; alias++)
		found = name_find(backbone, checkpoint, *alias, tensor);
	return found;
}

/* The matrix type that stores numbers as `type` does; MATRIX_TYPES: none. */
static enum matrix_type matrix_type_of(enum block_type type)
{
	switch (type) {
	case BLOCK_BF16:
		return MATRIX_BF16;
	case BLOCK_F16:
		return MATRIX_F16;
	case BLOCK_Q4_0:
		return MATRIX_INT4;
	default:
		return MATRIX_TYPES;
	}
}

enum matrix_type weight_stored_type(const struct checkpoint_tensor *tensor)
{
	const enum matrix_type same = matrix_type_of(tensor->type);

	if (!tensor->readable)
		return MATRIX_F32;
	if (tensor->type == BLOCK_Q8_0)
		return MATRIX_INT8;
	return same == MATRIX_TYPES ? MATRIX_F32 : same;
}

/*
 * Index of the first 16-bit number, `stride` bytes apart, whose exponent bits
 * `special` are all set; -1: none.
 */
static int64_t special_find(const unsigned char *data, int64_t count, size_t stride,
			    uint16_t special)
{
	for (int64_t i = 0; i < count; i++, data += stride) {
		uint16_t half;

		memcpy(&half, data, sizeof(half));
		if ((half & special) == special)
			return i;
	}
	return -1;
}

/* Numbers of bf16 and f16, scales of q4_0 blocks: all finite? */
static int finite_check(const struct checkpoint_tensor *tensor, struct error *error)
{
	const struct block_format *format = block_format(tensor->type);
	const int64_t damaged =
		special_find(tensor->data, (int64_t)(tensor->size_bytes / format->bytes),
			     format->bytes,
			     tensor->type == BLOCK_BF16 ? 0x7f80 : 0x7c00);

	return damaged < 0 ? 0 : checkpoint_damaged(tensor, damaged * format->numbers, error);
}

/*
 * The tensor is in the wanted storage already: it is used where it lies, or,
 * when a GGUF file has its rows in another order, row by row copied in order.
 */
static int weight_map(struct backbone *backbone, struct backbone_weight *weight,
		      const struct checkpoint_tensor *tensor, struct error *error)
{
	const int code = finite_check(tensor, error);
	void *rows;

	if (code)
		return code;
	weight->matrix.type = matrix_type_of(tensor->type);
	weight->matrix.blocked = false;
	weight->matrix.layout = tensor->transposed ? LINEAR_OUT_IN : weight->layout;
	weight->matrix.data = tensor->data;
	weight->mapped = true;
	if (!tensor->rotary_heads)
		return 0;
	rows = arena_alloc(&backbone->memory, tensor->size_bytes);
	if (!rows)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s of %s", tensor->name,
				 tensor->path);
	weight->matrix.data = rows;
	return checkpoint_rows(tensor, rows, error);
}

/* True when the file's storage is what the weight is to be held in, as it lies. */
static bool weight_fits(const struct backbone_weight *weight, enum matrix_type type,
			const struct checkpoint_tensor *tensor)
{
	const bool out_in = tensor->transposed || weight->layout == LINEAR_OUT_IN;

	return tensor->readable && matrix_type_of(tensor->type) == type &&
	       (type != MATRIX_INT4 ||
		(out_in && (weight->matrix.in % MATRIX_BLOCK == 0 || tensor->padded)));
}

static int weight_convert(struct backbone *backbone, struct backbone_weight *weight,
			  const struct checkpoint_tensor *tensor, struct error *error)
{
	float *values = malloc((size_t)weight->param.count * sizeof(*values));
	int code = values ? checkpoint_read(tensor, values, error) : ERR_NO_MEMORY;

	if (!code)
		code = weight_hold(backbone, weight, values);
	free(values);
	if (code == ERR_NO_MEMORY)
		return error_set(error, code, "out of memory for %s of %s", weight->param.name,
				 tensor->path);
	return code;
}

/* Words are read by few and changed by nobody: where they lie as f32, they stay in their file. */
static bool words_fit(const struct backbone *backbone, const struct backbone_weight *weight,
		      const struct checkpoint_tensor *tensor)
{
	return weight == backbone->token_embedding && tensor->type == BLOCK_F32 &&
	       !tensor->transposed && !tensor->rotary_heads &&
	       (uintptr_t)tensor->data % sizeof(float) == 0;
}

int weight_load(struct backbone *backbone, struct backbone_weight *weight,
		const struct checkpoint_tensor *tensor, struct error *error)
{
	if (words_fit(backbone, weight, tensor)) {
		weight->param.value = (float *)(uintptr_t)tensor->data;
		backbone->words_in_file = true;
		return checkpoint_finite_check(tensor, weight->param.value, error);
	}
	if (weight_is_held(backbone, weight))
		return weight_fits(weight, storage_of(backbone, weight), tensor)
			       ? weight_map(backbone, weight, tensor, error)
			       : weight_convert(backbone, weight, tensor, error);
	if (weight_allocate(backbone, weight))
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s of %s",
				 weight->param.name, tensor->path);
	return checkpoint_read(tensor, weight->param.value, error);
}

int weight_values(const struct backbone *backbone, const struct backbone_weight *weight,
		  float *values, struct error *error)
{
	const struct matrix matrix = weight_matrix(weight);
	struct checkpoint_tensor tensor;

	if (!weight->changed && backbone->checkpoint &&
	    weight_find(backbone, backbone->checkpoint, weight, &tensor))
		return checkpoint_read(&tensor, values, error);
	matrix_to_f32(values, weight->layout, &matrix);
	return 0;
}
