/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the GGUF container with suspicion.
 *
 * One cursor walks the head of the file; every read goes through take(), which
 * refuses to pass the end.  Rules, each with its own message:
 *   - version 2 or 3 (1 had other widths), little-endian;
 *   - counts of keys, tensors and elements are compared with the bytes left
 *     before anything is allocated or looped over;
 *   - keys and tensor names are unique, not empty, without NUL, of at most
 *     KEY_MAX and NAME_MAX_LENGTH bytes; arrays do not nest; a bool is 0 or 1;
 *   - general.alignment is a multiple of 8, at least 8;
 *   - a tensor has 1 to 4 extents whose product does not overflow and whose
 *     first is whole blocks; its offset is aligned; sorted by offset, tensors
 *     follow one another with nothing but alignment between them, in the file.
 *
 * It does not guard against a file that another process cuts while it is
 * mapped.
 */
#include "backbone/gguf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY_MAX 65535
#define NAME_MAX_LENGTH 127
#define ALIGNMENT_KEY "general.alignment"
#define ALIGNMENT_DEFAULT 32
#define ALIGNMENT_MAX (1 << 20)

/* Least bytes that a key with its value, and that a tensor's description, take. */
#define VALUE_LEAST (8 + 1 + 4 + 1)
#define TENSOR_LEAST (8 + 1 + 4 + 8 + 4 + 8)

static const size_t kind_bytes[GGUF_KINDS] = {
	[GGUF_U8] = 1,  [GGUF_I8] = 1,  [GGUF_U16] = 2,  [GGUF_I16] = 2,
	[GGUF_U32] = 4, [GGUF_I32] = 4, [GGUF_F32] = 4,  [GGUF_BOOL] = 1,
	[GGUF_U64] = 8, [GGUF_I64] = 8, [GGUF_F64] = 8,
};

struct cursor {
	struct gguf *file;
	size_t at;
	struct error *error;
};

/* The next `count` bytes; NULL with the error set when the file ends before. */
static const unsigned char *take(struct cursor *cursor, uint64_t count, const char *field)
{
	const size_t left = cursor->file->map.size - cursor->at;
	const unsigned char *bytes = cursor->file->map.data + cursor->at;

	if (count > left) {
		error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, field,
			 "needs %llu bytes but only %zu are left; the file is cut or lies",
			 (unsigned long long)count, left);
		return NULL;
	}
	cursor->at += (size_t)count;
	return bytes;
}

static uint64_t little_endian(const unsigned char *bytes, size_t width)
{
	uint64_t value = 0;

	for (size_t i = width; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static int take_number(struct cursor *cursor, size_t width, const char *field, uint64_t *value)
{
	const unsigned char *bytes = take(cursor, width, field);

	if (!bytes)
		return ERR_INVALID;
	*value = little_endian(bytes, width);
	return 0;
}

/* A name of 1 to `most` bytes without NUL, copied. */
static int take_name(struct cursor *cursor, uint64_t most, const char *what, const char **name)
{
	const char *path = cursor->file->path;
	const unsigned char *bytes;
	uint64_t length = 0;
	char *copy;

	if (take_number(cursor, 8, what, &length))
		return ERR_INVALID;
	if (length == 0 || length > most)
		return error_at(cursor->error, ERR_INVALID, path, 0, what,
				"a name of %llu bytes; 1 to %llu are allowed",
				(unsigned long long)length, (unsigned long long)most);
	bytes = take(cursor, length, what);
	if (!bytes)
		return ERR_INVALID;
	if (memchr(bytes, 0, (size_t)length))
		return error_at(cursor->error, ERR_INVALID, path, 0, what,
				"a name holds a zero byte");
	copy = arena_alloc(&cursor->file->memory, (size_t)length + 1);
	if (!copy)
		return error_set(cursor->error, ERR_NO_MEMORY, "out of memory for the names of %s",
				 path);
	memcpy(copy, bytes, (size_t)length);
	copy[length] = '\0';
	*name = copy;
	return 0;
}

static int take_kind(struct cursor *cursor, const char *key, enum gguf_kind *kind)
{
	uint64_t number = 0;

	if (take_number(cursor, 4, key, &number))
		return ERR_INVALID;
	if (number >= GGUF_KINDS)
		return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, key,
				"has a value of type %llu; types are 0 to %d",
				(unsigned long long)number, GGUF_KINDS - 1);
	*kind = (enum gguf_kind)number;
	return 0;
}

/* Steps over `count` values of a kind that is not an array. */
static int skip_values(struct cursor *cursor, const char *key, enum gguf_kind kind, uint64_t count)
{
	const size_t left = cursor->file->map.size - cursor->at;
	const size_t least = kind == GGUF_STRING ? 8 : kind_bytes[kind];
	const unsigned char *bytes;

	if (count > left / least)
		return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, key,
				"claims %llu elements but only %zu bytes are left; the file is "
				"cut or lies", (unsigned long long)count, left);
	for (uint64_t i = 0; kind == GGUF_STRING && i < count; i++) {
		uint64_t length = 0;

		if (take_number(cursor, 8, key, &length) || !take(cursor, length, key))
			return ERR_INVALID;
	}
	if (kind == GGUF_STRING)
		return 0;
	bytes = take(cursor, count * least, key);
	for (uint64_t i = 0; kind == GGUF_BOOL && i < count; i++)
		if (bytes[i] > 1)
			return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, key,
					"holds %d where only 0 (false) and 1 (true) are allowed",
					bytes[i]);
	return 0;
}

static int take_value(struct cursor *cursor, struct gguf_value *value)
{
	int code = take_name(cursor, KEY_MAX, "metadata key", &value->key);

	if (!code)
		code = take_kind(cursor, value->key, &value->kind);
	if (code)
		return code;
	value->element = value->kind;
	value->count = 1;
	if (value->kind == GGUF_ARRAY) {
		code = take_kind(cursor, value->key, &value->element);
		if (!code)
			code = take_number(cursor, 8, value->key, &value->count);
		if (code)
			return code;
		if (value->element == GGUF_ARRAY)
			return error_at(cursor->error, ERR_UNSUPPORTED, cursor->file->path, 0,
					value->key, "is an array of arrays, which no model needs");
	}
	value->bytes = cursor->file->map.data + cursor->at;
	return skip_values(cursor, value->key, value->element, value->count);
}

static int compare_values(const void *left, const void *right)
{
	return strcmp(((const struct gguf_value *)left)->key,
		      ((const struct gguf_value *)right)->key);
}

static int compare_tensors(const void *left, const void *right)
{
	return strcmp(((const struct gguf_tensor *)left)->name,
		      ((const struct gguf_tensor *)right)->name);
}

static int count_check(struct cursor *cursor, const char *what, uint64_t count, size_t least)
{
	const size_t left = cursor->file->map.size - cursor->at;

	if (count <= left / least)
		return 0;
	return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, what,
			"claims %llu but only %zu bytes are left; the file is cut or lies",
			(unsigned long long)count, left);
}

static int values_read(struct cursor *cursor, uint64_t count)
{
	struct gguf *file = cursor->file;
	int code = count_check(cursor, "metadata_kv_count", count, VALUE_LEAST);

	if (code)
		return code;
	file->values = arena_calloc(&file->memory, (size_t)count + 1, sizeof(*file->values));
	if (!file->values)
		return error_set(cursor->error, ERR_NO_MEMORY, "out of memory for the keys of %s",
				 file->path);
	for (; file->value_count < count && !code; file->value_count++)
		code = take_value(cursor, &file->values[file->value_count]);
	if (code)
		return code;
	qsort(file->values, file->value_count, sizeof(*file->values), compare_values);
	for (size_t i = 1; i < file->value_count; i++)
		if (compare_values(&file->values[i - 1], &file->values[i]) == 0)
			return error_at(cursor->error, ERR_INVALID, file->path, 0,
					file->values[i].key, "is given twice");
	return 0;
}

static int take_extents(struct cursor *cursor, struct gguf_tensor *tensor)
{
	uint64_t dims = 0;

	if (take_number(cursor, 4, tensor->name, &dims))
		return ERR_INVALID;
	if (dims < 1 || dims > GGUF_MAX_DIMS)
		return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, tensor->name,
				"has %llu dimensions; 1 to %d are allowed",
				(unsigned long long)dims, GGUF_MAX_DIMS);
	tensor->dims = (int)dims;
	tensor->count = 1;
	for (int i = 0; i < tensor->dims; i++) {
		uint64_t extent = 0;

		if (take_number(cursor, 8, tensor->name, &extent))
			return ERR_INVALID;
		if (extent < 1 || extent > INT64_MAX ||
		    __builtin_mul_overflow(tensor->count, (int64_t)extent, &tensor->count))
			return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0,
					tensor->name,
					"has an extent of %llu: none may be 0, and the elements "
					"must be countable", (unsigned long long)extent);
		tensor->shape[i] = (int64_t)extent;
	}
	return 0;
}

/* Type, size and offset; the offset is kept in `data` as if the file began at address 0. */
static int take_place(struct cursor *cursor, struct gguf_tensor *tensor, uint64_t *offset)
{
	const struct block_format *format;
	const char *path = cursor->file->path;
	uint64_t type = 0;

	if (take_number(cursor, 4, tensor->name, &type) ||
	    take_number(cursor, 8, tensor->name, offset))
		return ERR_INVALID;
	format = block_format((uint32_t)type);
	if (!format)
		return error_at(cursor->error, ERR_UNSUPPORTED, path, 0, tensor->name,
				"has the unknown type %llu; convert the model to F32, F16, BF16, "
				"Q8_0 or Q4_0", (unsigned long long)type);
	if (tensor->shape[0] % format->numbers)
		return error_at(cursor->error, ERR_INVALID, path, 0, tensor->name,
				"has rows of %lld numbers, not whole %s blocks of %lld",
				(long long)tensor->shape[0], format->name,
				(long long)format->numbers);
	tensor->type = (enum block_type)type;
	if (__builtin_mul_overflow((size_t)(tensor->count / format->numbers), format->bytes,
				   &tensor->size_bytes))
		return error_at(cursor->error, ERR_INVALID, path, 0, tensor->name,
				"has more bytes than can be counted");
	return 0;
}

/* What of a tensor is known before the place of the data is. */
struct placed {
	struct gguf_tensor *tensor;
	uint64_t offset; /* from the first byte of data */
};

static int compare_places(const void *left, const void *right)
{
	const struct placed *a = left, *b = right;

	return a->offset < b->offset ? -1 : a->offset > b->offset;
}

static int alignment_read(struct cursor *cursor, uint64_t *alignment)
{
	int64_t value = ALIGNMENT_DEFAULT;
	bool found;
	const int code = gguf_integer(cursor->file, ALIGNMENT_KEY, &value, &found, cursor->error);

	if (code)
		return code;
	if (value < 8 || value > ALIGNMENT_MAX || value % 8)
		return error_at(cursor->error, ERR_INVALID, cursor->file->path, 0, ALIGNMENT_KEY,
				"%lld is not a multiple of 8 from 8 to %d", (long long)value,
				ALIGNMENT_MAX);
	*alignment = (uint64_t)value;
	return 0;
}

/* The tensors must follow one another, each aligned, within the file. */
static int tiling_check(struct cursor *cursor, struct placed *placed)
{
	struct gguf *file = cursor->file;
	uint64_t alignment = ALIGNMENT_DEFAULT, next = 0;
	size_t first, room;
	int code = alignment_read(cursor, &alignment);

	if (code)
		return code;
	first = (cursor->at + alignment - 1) / alignment * alignment;
	room = first < file->map.size ? file->map.size - first : 0;
	qsort(placed, file->tensor_count, sizeof(*placed), compare_places);
	for (size_t i = 0; i < file->tensor_count; i++) {
		struct gguf_tensor *tensor = placed[i].tensor;
		const uint64_t offset = placed[i].offset;

		if (offset != next)
			return error_at(cursor->error, ERR_INVALID, file->path, 0, tensor->name,
					"data at offset %llu, which %s: %llu was expected",
					(unsigned long long)offset,
					offset % alignment ? "is not aligned"
					: offset < next ? "overlaps another tensor"
							: "leaves a hole",
					(unsigned long long)next);
		if (offset > room || tensor->size_bytes > room - offset)
			return error_at(cursor->error, ERR_INVALID, file->path, 0, tensor->name,
					"needs %zu bytes at offset %llu but the file has %zu bytes "
					"of data; it is cut or lies", tensor->size_bytes,
					(unsigned long long)offset, room);
		tensor->data = file->map.data + first + offset;
		next = (offset + tensor->size_bytes + alignment - 1) / alignment * alignment;
	}
	return 0;
}

static int descriptions_read(struct cursor *cursor, struct placed *placed, uint64_t count)
{
	struct gguf *file = cursor->file;
	int code = 0;

	for (; file->tensor_count < count && !code; file->tensor_count++) {
		struct gguf_tensor *tensor = &file->tensors[file->tensor_count];

		placed[file->tensor_count].tensor = tensor;
		code = take_name(cursor, NAME_MAX_LENGTH, "tensor name", &tensor->name);
		if (!code)
			code = take_extents(cursor, tensor);
		if (!code)
			code = take_place(cursor, tensor, &placed[file->tensor_count].offset);
	}
	return code;
}

static int tensors_read(struct cursor *cursor, uint64_t count)
{
	struct gguf *file = cursor->file;
	struct placed *placed;
	int code = count_check(cursor, "tensor_count", count, TENSOR_LEAST);

	if (code)
		return code;
	file->tensors = arena_calloc(&file->memory, (size_t)count + 1, sizeof(*file->tensors));
	placed = calloc((size_t)count + 1, sizeof(*placed));
	if (!file->tensors || !placed)
		code = error_set(cursor->error, ERR_NO_MEMORY, "out of memory for the tensors of "
				 "%s", file->path);
	if (!code)
		code = descriptions_read(cursor, placed, count);
	if (!code)
		code = tiling_check(cursor, placed);
	free(placed);
	if (code)
		return code;
	qsort(file->tensors, file->tensor_count, sizeof(*file->tensors), compare_tensors);
	for (size_t i = 1; i < file->tensor_count; i++)
		if (compare_tensors(&file->tensors[i - 1], &file->tensors[i]) == 0)
			return error_at(cursor->error, ERR_INVALID, file->path, 0,
					file->tensors[i].name, "is given twice");
	return 0;
}

static int version_read(struct cursor *cursor)
{
	const char *path = cursor->file->path;
	uint64_t version = 0;

	if (cursor->file->map.size < 4 || memcmp(take(cursor, 4, NULL), "GGUF", 4) != 0)
		return error_at(cursor->error, ERR_INVALID, path, 0, NULL,
				"does not begin with GGUF; not a GGUF file");
	if (take_number(cursor, 4, "version", &version))
		return ERR_INVALID;
	if (version && (version & 0xffff) == 0)
		return error_at(cursor->error, ERR_UNSUPPORTED, path, 0, "version",
				"the file is big-endian; convert it to little-endian");
	if (version != 2 && version != 3)
		return error_at(cursor->error, ERR_UNSUPPORTED, path, 0, "version",
				"%llu is not supported; convert the file to version 3 (2 is read "
				"too)", (unsigned long long)version);
	cursor->file->version = (uint32_t)version;
	return 0;
}

static int file_read(struct cursor *cursor)
{
	uint64_t tensors = 0, values = 0;
	int code = version_read(cursor);

	if (!code)
		code = take_number(cursor, 8, "tensor_count", &tensors);
	if (!code)
		code = take_number(cursor, 8, "metadata_kv_count", &values);
	if (!code)
		code = values_read(cursor, values);
	return code ? code : tensors_read(cursor, tensors);
}

int gguf_open(struct gguf *file, const char *path, struct error *error)
{
	struct cursor cursor = {.file = file, .error = error};
	int code;

	memset(file, 0, sizeof(*file));
	arena_init(&file->memory);
	if (strlen(path) >= sizeof(file->path))
		return error_set(error, ERR_RANGE, "path of %zu bytes is too long", strlen(path));
	strcpy(file->path, path);
	code = file_map_open(&file->map, path, error);
	if (!code)
		code = file_read(&cursor);
	if (code)
		gguf_close(file);
	return code;
}

void gguf_close(struct gguf *file)
{
	arena_free(&file->memory);
	file_map_close(&file->map);
	file->values = NULL;
	file->tensors = NULL;
	file->value_count = file->tensor_count = 0;
}

const struct gguf_tensor *gguf_find(const struct gguf *file, const char *name)
{
	const struct gguf_tensor key = {.name = name};

	return bsearch(&key, file->tensors, file->tensor_count, sizeof(key), compare_tensors);
}

const struct gguf_value *gguf_value(const struct gguf *file, const char *key)
{
	const struct gguf_value wanted = {.key = key};

	return bsearch(&wanted, file->values, file->value_count, sizeof(wanted), compare_values);
}

/* The one element that stands for the value, or NULL: none, or an array of different ones. */
static const unsigned char *single(const struct gguf_value *value)
{
	const size_t width = kind_bytes[value->element];

	for (uint64_t i = 1; i < value->count; i++)
		if (memcmp(value->bytes, value->bytes + i * width, width) != 0)
			return NULL;
	return value->count ? value->bytes : NULL;
}

static int kind_error(const struct gguf *file, const char *key, const char *wanted,
		      struct error *error)
{
	return error_at(error, ERR_INVALID, file->path, 0, key, "is not %s", wanted);
}

int gguf_integer(const struct gguf *file, const char *key, int64_t *number, bool *found,
		 struct error *error)
{
	const struct gguf_value *value = gguf_value(file, key);
	const enum gguf_kind kind = value ? value->element : GGUF_KINDS;
	const unsigned char *bytes;
	uint64_t bits;

	*found = value != NULL;
	if (!value)
		return 0;
	if (kind == GGUF_STRING || kind == GGUF_F32 || kind == GGUF_F64 || kind == GGUF_BOOL)
		return kind_error(file, key, "a whole number", error);
	bytes = single(value);
	if (!bytes)
		return kind_error(file, key, "one whole number (layers that differ are not "
				  "supported)", error);
	bits = little_endian(bytes, kind_bytes[kind]);
	if (kind == GGUF_I8)
		*number = (int8_t)bits;
	else if (kind == GGUF_I16)
		*number = (int16_t)bits;
	else if (kind == GGUF_I32)
		*number = (int32_t)bits;
	else
		*number = (int64_t)bits;
	if (kind == GGUF_U64 && bits > INT64_MAX)
		return error_at(error, ERR_RANGE, file->path, 0, key, "%llu is too large",
				(unsigned long long)bits);
	return 0;
}

int gguf_real(const struct gguf *file, const char *key, double *number, bool *found,
	      struct error *error)
{
	const struct gguf_value *value = gguf_value(file, key);
	int64_t whole = 0;
	float narrow;
	int code;

	*found = value != NULL;
	if (!value)
		return 0;
	if (value->kind == GGUF_F32) {
		memcpy(&narrow, value->bytes, sizeof(narrow));
		*number = (double)narrow;
	} else if (value->kind == GGUF_F64) {
		memcpy(number, value->bytes, sizeof(*number));
	} else {
		code = gguf_integer(file, key, &whole, found, error);
		if (code)
			return kind_error(file, key, "a number", error);
		*number = (double)whole;
	}
	return isfinite(*number) ? 0 : kind_error(file, key, "a finite number", error);
}

const unsigned char *gguf_next_string(const unsigned char *bytes, const char **text, size_t *length)
{
	*length = (size_t)little_endian(bytes, 8);
	*text = (const char *)bytes + 8;
	return bytes + 8 + *length;
}

int gguf_text(struct gguf *file, const char *key, const char **text, bool *found,
	      struct error *error)
{
	const struct gguf_value *value = gguf_value(file, key);
	const char *bytes;
	size_t length;
	char *copy;

	*found = value != NULL;
	if (!value)
		return 0;
	if (value->kind != GGUF_STRING)
		return kind_error(file, key, "text", error);
	gguf_next_string(value->bytes, &bytes, &length);
	if (length > KEY_MAX || memchr(bytes, 0, length))
		return kind_error(file, key, "short text without zero bytes", error);
	copy = arena_alloc(&file->memory, length + 1);
	if (!copy)
		return error_set(error, ERR_NO_MEMORY, "out of memory for %s", file->path);
	memcpy(copy, bytes, length);
	copy[length] = '\0';
	*text = copy;
	return 0;
}
