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
#include "base/safetensors.h"

#define NAME_MAX_BYTES 160

struct matrix weight_matrix(const struct backbone_weight *weight)
{
	struct matrix matrix = weight->matrix;

	if (!matrix.data)
		matrix.data = weight->param.value;
	return matrix;
}

bool weight_is_held(const struct backbone *backbone, const struct backbone_weight *weight)
{
	return weight->matrix.in > 0 && backbone->options.precision != MATRIX_F32;
}

/* The matrix that a held weight becomes when it is rounded. */
static struct matrix held_matrix(const struct backbone *backbone,
				 const struct backbone_weight *weight)
{
	struct matrix matrix = weight->matrix;

	matrix.type = backbone->options.precision;
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
	if (!data || !scales)
		return ERR_NO_MEMORY;
	matrix_from_f32(&matrix, data, scales, values, weight->layout);
	weight->matrix = matrix;
	weight->mapped = false;
	return 0;
}

/* The tensor `name`, under whichever prefix the checkpoint uses. */
static const struct safetensors_entry *name_find(const struct backbone *backbone,
						 const struct checkpoint *checkpoint,
						 const char *name, const char **path)
{
	char full[NAME_MAX_BYTES + 32];

	for (const char *const *prefix = backbone->architecture->prefixes; *prefix; prefix++) {
		const struct safetensors_entry *entry;

		snprintf(full, sizeof(full), "%s%s", *prefix, name);
		entry = checkpoint_find(checkpoint, full, path);
		if (entry)
			return entry;
	}
	return NULL;
}

const struct safetensors_entry *weight_find(const struct backbone *backbone,
					    const struct checkpoint *checkpoint,
					    const struct backbone_weight *weight,
					    const char **path)
{
	const struct safetensors_entry *entry =
		name_find(backbone, checkpoint, weight->param.name, path);
	const char *const *alias = weight->aliases;

	for (; !entry && alias && *alias; alias++)
		entry = name_find(backbone, checkpoint, *alias, path);
	return entry;
}

/* Index of the first 16-bit number whose exponent bits `special` are all set; -1: none. */
static int64_t special_find(const unsigned char *data, int64_t count, uint16_t special)
{
	for (int64_t i = 0; i < count; i++) {
		uint16_t half;

		memcpy(&half, data + 2 * i, sizeof(half));
		if ((half & special) == special)
			return i;
	}
	return -1;
}

/* The tensor is in the wanted storage already: it is used where it lies. */
static int weight_map(struct backbone_weight *weight, enum matrix_type type,
		      const struct safetensors_entry *entry, const char *path, struct error *error)
{
	const int64_t damaged = special_find(entry->data, entry->count,
					     type == MATRIX_BF16 ? 0x7f80 : 0x7c00);

	if (damaged >= 0)
		return error_at(error, ERR_INVALID, path, 0, entry->name,
				"element %lld is not a finite number; the checkpoint is damaged",
				(long long)damaged);
	weight->matrix.type = type;
	weight->matrix.layout = weight->layout;
	weight->matrix.data = entry->data;
	weight->mapped = true;
	return 0;
}

static int weight_convert(struct backbone *backbone, struct backbone_weight *weight,
			  const struct safetensors_entry *entry, const char *path,
			  struct error *error)
{
	float *values = malloc((size_t)weight->param.count * sizeof(*values));
	int code = values ? checkpoint_read(entry, path, values, error) : ERR_NO_MEMORY;

	if (!code)
		code = weight_hold(backbone, weight, values);
	free(values);
	if (code == ERR_NO_MEMORY)
		return error_set(error, code, "out of memory for %s of %s", weight->param.name,
				 path);
	return code;
}

int weight_load(struct backbone *backbone, struct backbone_weight *weight,
		const struct safetensors_entry *entry, const char *path, struct error *error)
{
	const enum matrix_type type = backbone->options.precision;

	if (weight_is_held(backbone, weight)) {
		if ((type == MATRIX_BF16 && entry->dtype == SAFETENSORS_BF16) ||
		    (type == MATRIX_F16 && entry->dtype == SAFETENSORS_F16))
			return weight_map(weight, type, entry, path, error);
		return weight_convert(backbone, weight, entry, path, error);
	}
	if (weight_allocate(backbone, weight))
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s of %s",
				 weight->param.name, path);
	return checkpoint_read(entry, path, weight->param.value, error);
}

int weight_values(const struct backbone *backbone, const struct backbone_weight *weight,
		  float *values, struct error *error)
{
	const struct matrix matrix = weight_matrix(weight);
	const struct safetensors_entry *entry = NULL;
	const char *path = NULL;

	if (backbone->checkpoint)
		entry = weight_find(backbone, backbone->checkpoint, weight, &path);
	if (entry)
		return checkpoint_read(entry, path, values, error);
	matrix_to_f32(values, weight->layout, &matrix);
	return 0;
}
