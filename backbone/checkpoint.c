/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Models on disk.
 *
 * The index of a sharded checkpoint maps each tensor to the name of a file
 * beside it; a name with a slash is refused, and so is an index that sends a
 * tensor to a file that does not hold it.
 *
 * A GGUF file keeps other names, the reverse order of extents, GPT-2's
 * matrices transposed, and Llama's queries and keys with the rows of each head
 * interleaved (row 2j + i of a head here is row j + i d/2 there, i = 0, 1, d
 * the head's width).  Reading undoes all of it, row by row.
 */
#include "backbone/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backbone/gguf.h"
#include "backbone/gguf_config.h"
#include "backbone/gguf_names.h"
#include "base/file.h"

#define SINGLE_NAME "model.safetensors"
#define CONFIG_NAME "config.json"
#define INDEX_NAME "model.safetensors.index.json"
#define FILES_MAX 1000

static int file_add(struct checkpoint *checkpoint, const char *folder, const char *name,
		    struct error *error)
{
	char path[4096];
	struct safetensors *files;
	int code = file_join(path, sizeof(path), folder, name, error);

	if (code)
		return code;
	files = realloc(checkpoint->files, (checkpoint->count + 1) * sizeof(*files));
	if (!files)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the list of shards");
	checkpoint->files = files;
	code = safetensors_open(&files[checkpoint->count], path, error);
	if (!code)
		checkpoint->count++;
	return code;
}

/* The open file called `name`, or NULL. */
static const struct safetensors *file_by_name(const struct checkpoint *checkpoint,
					      const char *name)
{
	for (size_t i = 0; i < checkpoint->count; i++) {
		const char *slash = strrchr(checkpoint->files[i].path, '/');

		if (strcmp(slash ? slash + 1 : checkpoint->files[i].path, name) == 0)
			return &checkpoint->files[i];
	}
	return NULL;
}

static int shard_check(struct checkpoint *checkpoint, const char *folder, const char *tensor,
		       const json_t *place, struct error *error)
{
	const char *name = json_string_value(place);
	const struct safetensors *file;
	int code;

	if (!name || !name[0] || strchr(name, '/') || !file_has_suffix(name, ".safetensors"))
		return error_at(error, ERR_INVALID, checkpoint->path, 0, tensor,
				"is not mapped to the name of a .safetensors file beside the "
				"index");
	if (!file_by_name(checkpoint, name)) {
		if (checkpoint->count == FILES_MAX)
			return error_at(error, ERR_RANGE, checkpoint->path, 0, "weight_map",
					"names more than %d files", FILES_MAX);
		code = file_add(checkpoint, folder, name, error);
		if (code)
			return code;
	}
	file = file_by_name(checkpoint, name);
	if (!safetensors_find(file, tensor))
		return error_at(error, ERR_INVALID, checkpoint->path, 0, tensor,
				"is mapped to %s, which does not hold it", name);
	return 0;
}

static int index_open(struct checkpoint *checkpoint, const char *folder, struct error *error)
{
	struct config config;
	const char *tensor;
	json_t *map, *place;
	int code = config_open(&config, folder, INDEX_NAME, error);

	if (code)
		return code;
	checkpoint->index = config.root;
	memcpy(checkpoint->path, config.path, sizeof(config.path));
	map = json_object_get(config.root, "weight_map");
	if (!json_is_object(map) || json_object_size(map) == 0)
		return error_at(error, ERR_INVALID, config.path, 0, "weight_map",
				"is missing, empty or not an object");
	json_object_foreach(map, tensor, place) {
		code = shard_check(checkpoint, folder, tensor, place, error);
		if (code)
			return code;
	}
	return 0;
}

bool checkpoint_is_gguf(const char *path)
{
	return file_has_suffix(path, ".gguf");
}

static int gguf_model_open(struct checkpoint *checkpoint, const char *path, json_t **config,
			   struct error *error)
{
	int code;

	checkpoint->gguf = calloc(1, sizeof(*checkpoint->gguf));
	if (!checkpoint->gguf)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", path);
	code = gguf_open(checkpoint->gguf, path, error);
	if (code) {
		free(checkpoint->gguf);
		checkpoint->gguf = NULL;
		return code;
	}
	memcpy(checkpoint->path, checkpoint->gguf->path, sizeof(checkpoint->path));
	code = gguf_config(checkpoint->gguf, config, error);
	if (code)
		return code;
	checkpoint->names =
		gguf_architecture(json_string_value(json_object_get(*config, "model_type")));
	checkpoint->heads = json_integer_value(json_object_get(*config, "num_attention_heads"));
	checkpoint->kv_heads = json_integer_value(json_object_get(*config, "num_key_value_heads"));
	if (checkpoint->kv_heads == 0)
		checkpoint->kv_heads = checkpoint->heads;
	return 0;
}

static int directory_open(struct checkpoint *checkpoint, const char *folder, struct error *error)
{
	char path[4096];
	int code = file_join(path, sizeof(path), folder, INDEX_NAME, error);

	if (code)
		return code;
	if (file_exists(path))
		return index_open(checkpoint, folder, error);
	code = file_add(checkpoint, folder, SINGLE_NAME, error);
	if (!code)
		memcpy(checkpoint->path, checkpoint->files[0].path, sizeof(checkpoint->path));
	return code;
}

int checkpoint_open(struct checkpoint *checkpoint, const char *path, struct error *error)
{
	json_t *config = NULL;
	int code;

	memset(checkpoint, 0, sizeof(*checkpoint));
	if (checkpoint_is_gguf(path))
		code = gguf_model_open(checkpoint, path, &config, error);
	else
		code = directory_open(checkpoint, path, error);
	json_decref(config);
	if (code)
		checkpoint_close(checkpoint);
	return code;
}

void checkpoint_close(struct checkpoint *checkpoint)
{
	for (size_t i = 0; i < checkpoint->count; i++)
		safetensors_close(&checkpoint->files[i]);
	free(checkpoint->files);
	json_decref(checkpoint->index);
	if (checkpoint->gguf)
		gguf_close(checkpoint->gguf);
	free(checkpoint->gguf);
	memset(checkpoint, 0, sizeof(*checkpoint));
}

int checkpoint_config(struct config *config, const char *path, struct error *error)
{
	struct checkpoint checkpoint = {0};
	int code;

	if (!checkpoint_is_gguf(path))
		return config_open(config, path, CONFIG_NAME, error);
	config->root = NULL;
	code = gguf_model_open(&checkpoint, path, &config->root, error);
	if (!code)
		memcpy(config->path, checkpoint.path, sizeof(config->path));
	checkpoint_close(&checkpoint);
	return code;
}

void checkpoint_error_name(const struct config *config, struct error *error)
{
	const char *name = json_string_value(json_object_get(config->root, "model_type"));
	const struct gguf_architecture *names = name ? gguf_architecture(name) : NULL;
	char key[sizeof(error->field)];

	if (error && names && checkpoint_is_gguf(config->path) &&
	    gguf_key(names, error->field, key, sizeof(key)))
		memcpy(error->field, key, sizeof(key));
}

struct checkpoint_tensor checkpoint_tensor_of(const struct safetensors *file,
					      const struct safetensors_entry *entry)
{
	struct checkpoint_tensor tensor = {
		.name = entry->name, .path = file->path, .dims = entry->dims,
		.type_name = safetensors_dtype_name(entry->dtype), .count = entry->count,
		.data = entry->data, .size_bytes = entry->size_bytes};
	const int type = block_type_named(tensor.type_name);

	memcpy(tensor.shape, entry->shape, sizeof(tensor.shape));
	tensor.readable = type >= 0 && block_format((uint32_t)type)->readable;
	tensor.type = tensor.readable ? (enum block_type)type : BLOCK_F32;
	return tensor;
}

static bool gguf_tensor_find(const struct checkpoint *checkpoint, const char *name,
			     struct checkpoint_tensor *tensor)
{
	const struct gguf_tensor *found;
	const struct block_format *format;
	enum gguf_layout layout;
	char here[256];

	if (!gguf_name(checkpoint->names, name, here, sizeof(here), &layout))
		return false;
	found = gguf_find(checkpoint->gguf, here);
	if (!found)
		return false;
	format = block_format(found->type);
	*tensor = (struct checkpoint_tensor){
		.name = found->name, .path = checkpoint->gguf->path, .type_name = format->name,
		.type = found->type, .readable = format->readable, .dims = found->dims,
		.count = found->count, .data = found->data, .size_bytes = found->size_bytes,
		.transposed = layout == GGUF_TRANSPOSED && found->dims == 2};
	if (layout == GGUF_ROTARY_Q)
		tensor->rotary_heads = checkpoint->heads;
	if (layout == GGUF_ROTARY_K)
		tensor->rotary_heads = checkpoint->kv_heads;
	for (int i = 0; i < found->dims; i++)
		tensor->shape[tensor->transposed ? i : found->dims - 1 - i] = found->shape[i];
	return true;
}

bool checkpoint_find(const struct checkpoint *checkpoint, const char *name,
		     struct checkpoint_tensor *tensor)
{
	const struct safetensors *file = checkpoint->files;
	const struct safetensors_entry *entry;

	if (checkpoint->gguf)
		return gguf_tensor_find(checkpoint, name, tensor);
	if (checkpoint->index) {
		const json_t *map = json_object_get(checkpoint->index, "weight_map");
		const char *place = json_string_value(json_object_get(map, name));

		file = place ? file_by_name(checkpoint, place) : NULL;
	}
	entry = file ? safetensors_find(file, name) : NULL;
	if (entry)
		*tensor = checkpoint_tensor_of(file, entry);
	return entry != NULL;
}

void checkpoint_name(const struct checkpoint *checkpoint, const char *name, char *text, size_t size)
{
	enum gguf_layout layout;

	if (!checkpoint->gguf || !gguf_name(checkpoint->names, name, text, size, &layout))
		snprintf(text, size, "%s", name);
}

static void inventory_add(struct checkpoint_inventory *inventory, const char *type, size_t bytes)
{
	size_t i = 0;

	while (i < inventory->types && strcmp(inventory->type[i].name, type) != 0)
		i++;
	inventory->tensors++;
	inventory->bytes += bytes;
	if (i == CHECKPOINT_TYPES_MAX)
		return;
	if (i == inventory->types)
		inventory->type[inventory->types++].name = type;
	inventory->type[i].tensors++;
	inventory->type[i].bytes += bytes;
}

struct checkpoint_inventory checkpoint_inventory(const struct checkpoint *checkpoint)
{
	const struct gguf *gguf = checkpoint->gguf;
	struct checkpoint_inventory inventory = {
		.container = gguf ? "GGUF"
			     : checkpoint->index ? "sharded safetensors" : "safetensors",
		.files = gguf ? 1 : checkpoint->count};

	for (size_t i = 0; gguf && i < gguf->tensor_count; i++)
		inventory_add(&inventory, block_format(gguf->tensors[i].type)->name,
			      gguf->tensors[i].size_bytes);
	for (size_t f = 0; f < checkpoint->count; f++) {
		const struct safetensors *file = &checkpoint->files[f];

		for (size_t i = 0; i < file->count; i++)
			inventory_add(&inventory, safetensors_dtype_name(file->entries[i].dtype),
				      file->entries[i].size_bytes);
	}
	return inventory;
}

/* Where stored row `row` of a matrix with rotary pairs belongs. */
static int64_t rotary_row(const struct checkpoint_tensor *tensor, int64_t rows, int64_t row)
{
	const int64_t heads = tensor->rotary_heads ? tensor->rotary_heads : 1;
	const int64_t width = rows / heads, head = row / width, within = row % width;

	if (!tensor->rotary_heads)
		return row;
	return head * width + within / 2 + within % 2 * (width / 2);
}

/* Blocks that a row of so many numbers takes, the last one perhaps filled up. */
static int64_t blocks_in(int64_t columns, const struct block_format *format)
{
	return (columns + format->numbers - 1) / format->numbers;
}

/* Decodes one stored row at a time (rows, columns) and puts it where it belongs. */
static void rows_read(const struct checkpoint_tensor *tensor, int64_t rows, int64_t columns,
		      float *row, float *out)
{
	const struct block_format *format = block_format(tensor->type);
	const int64_t blocks = blocks_in(columns, format);
	const size_t row_bytes = (size_t)blocks * format->bytes;
	const unsigned char *bytes = tensor->data;

	for (int64_t r = 0; r < rows; r++, bytes += row_bytes) {
		block_decode(tensor->type, bytes, blocks * format->numbers, row);
		if (tensor->transposed)
			for (int64_t c = 0; c < columns; c++)
				out[c * rows + r] = row[c];
		else
			memcpy(out + rotary_row(tensor, rows, r) * columns, row,
			       (size_t)columns * sizeof(*row));
	}
}

/* Rows and columns of what is stored, when it lies out of order; a vector has one column. */
static int extents_check(const struct checkpoint_tensor *tensor, int64_t *rows, int64_t *columns,
			 struct error *error)
{
	*rows = tensor->transposed ? tensor->shape[1] : tensor->shape[0];
	*columns = tensor->count / *rows;
	if (tensor->rotary_heads && *rows % (2 * tensor->rotary_heads))
		return error_at(error, ERR_INVALID, tensor->path, 0, tensor->name,
				"has %lld rows, not pairs for each of %lld heads", (long long)*rows,
				(long long)tensor->rotary_heads);
	if (!tensor->padded && *columns % block_format(tensor->type)->numbers)
		return error_at(error, ERR_INVALID, tensor->path, 0, tensor->name,
				"holds blocks of %s that cross its rows", tensor->type_name);
	return 0;
}

int checkpoint_rows(const struct checkpoint_tensor *tensor, void *out, struct error *error)
{
	int64_t rows, columns;
	const int code = extents_check(tensor, &rows, &columns, error);
	const size_t row_bytes = code ? 0 : tensor->size_bytes / (size_t)rows;

	for (int64_t r = 0; r < rows && !code; r++)
		memcpy((char *)out + (size_t)rotary_row(tensor, rows, r) * row_bytes,
		       (const char *)tensor->data + (size_t)r * row_bytes, row_bytes);
	return code;
}

/* As rows_read(), for tensors that lie out of order. */
static int scattered_read(const struct checkpoint_tensor *tensor, float *out, struct error *error)
{
	int64_t rows, columns;
	const int code = extents_check(tensor, &rows, &columns, error);
	const struct block_format *format = block_format(tensor->type);
	float *row;

	if (code)
		return code;
	row = malloc((size_t)(blocks_in(columns, format) * format->numbers) * sizeof(*row));
	if (!row)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a row of %s",
				 tensor->name);
	rows_read(tensor, rows, columns, row, out);
	free(row);
	return 0;
}

int checkpoint_damaged(const struct checkpoint_tensor *tensor, int64_t element,
		       struct error *error)
{
	return error_at(error, ERR_INVALID, tensor->path, 0, tensor->name,
			"element %lld is not a finite number; the checkpoint is damaged",
			(long long)element);
}

int checkpoint_finite_check(const struct checkpoint_tensor *tensor, const float *values,
			    struct error *error)
{
	for (int64_t i = 0; i < tensor->count; i++)
		if (!__builtin_isfinite(values[i]))
			return checkpoint_damaged(tensor, i, error);
	return 0;
}

int checkpoint_read(const struct checkpoint_tensor *tensor, float *out, struct error *error)
{
	int code = 0;

	if (!tensor->readable)
		return error_at(error, ERR_UNSUPPORTED, tensor->path, 0, tensor->name,
				"holds %s; convert it to F32, F16, BF16, Q8_0 or Q4_0",
				tensor->type_name);
	if (tensor->transposed || tensor->rotary_heads || tensor->padded)
		code = scattered_read(tensor, out, error);
	else
		block_decode(tensor->type, tensor->data, tensor->count, out);
	return code ? code : checkpoint_finite_check(tensor, out, error);
}

static void shape_text(char *text, size_t size, int dims, const int64_t *shape)
{
	size_t used = 0;

	text[0] = '\0';
	for (int i = 0; i < dims && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, i ? " x %lld" : "%lld",
					 (long long)shape[i]);
}

int checkpoint_shape_check(const struct checkpoint_tensor *tensor, int dims, const int64_t *shape,
			   struct error *error)
{
	char found[200], wanted[200];
	bool same = tensor->dims == dims;

	for (int i = 0; same && i < dims; i++)
		same = tensor->shape[i] == shape[i];
	if (same)
		return 0;
	shape_text(found, sizeof(found), tensor->dims, tensor->shape);
	shape_text(wanted, sizeof(wanted), dims, shape);
	return error_at(error, ERR_INVALID, tensor->path, 0, tensor->name,
			"has shape (%s) where the configuration needs (%s)", found, wanted);
}
