/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The safetensors container, read with suspicion and written atomically.
 *
 * Layout: u64 little-endian header length N, N bytes of JSON, raw data.  The
 * JSON is an object: `__metadata__` (text to text, optional) and one member a
 * tensor, {"dtype": "F32", "shape": [..], "data_offsets": [begin, end]}, the
 * offsets counted from the first byte of data.
 *
 * Rules on opening, each with its own message:
 *   - the header fits in the file and in HEADER_MAX_BYTES, is UTF-8, nests no
 *     deeper than the format needs, and repeats no name;
 *   - a shape has at most SAFETENSORS_MAX_DIMS whole numbers whose product
 *     does not overflow, and agrees with the length of its bytes;
 *   - sorted by offset, the tensors tile the data: nothing overlaps, nothing
 *     is left over, nothing lies outside the file.
 *
 * It does not guard against a file that another process cuts while it is
 * mapped, and it knows no dtype beyond those of enum safetensors_dtype.
 */
#include "base/safetensors.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"

#define HEADER_MAX_BYTES (UINT64_C(16) << 20)
#define HEADER_MAX_DEPTH 3 /* file, tensor, shape */
#define METADATA_KEY "__metadata__"

static const struct {
	const char *name;
	size_t bytes;
} dtypes[] = {
	[SAFETENSORS_F32] = {"F32", 4}, [SAFETENSORS_F16] = {"F16", 2},
	[SAFETENSORS_BF16] = {"BF16", 2}, [SAFETENSORS_F64] = {"F64", 8},
	[SAFETENSORS_I64] = {"I64", 8}, [SAFETENSORS_I32] = {"I32", 4},
	[SAFETENSORS_I16] = {"I16", 2}, [SAFETENSORS_I8] = {"I8", 1},
	[SAFETENSORS_U8] = {"U8", 1},   [SAFETENSORS_BOOL] = {"BOOL", 1},
};

#define DTYPE_COUNT (sizeof(dtypes) / sizeof(dtypes[0]))

size_t safetensors_dtype_bytes(enum safetensors_dtype dtype)
{
	return dtypes[dtype].bytes;
}

const char *safetensors_dtype_name(enum safetensors_dtype dtype)
{
	return dtypes[dtype].name;
}

static int dtype_parse(const char *name)
{
	for (size_t i = 0; i < DTYPE_COUNT; i++)
		if (strcmp(dtypes[i].name, name) == 0)
			return (int)i;
	return -1;
}

/* Deepest nesting of brackets outside strings; cheap, and run before the recursive parser. */
static int header_depth(const char *text, size_t size)
{
	int depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < size; i++) {
		const char c = text[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && (c == '}' || c == ']'))
			depth--;
	}
	return deepest;
}

static int header_parse(struct safetensors *file, struct error *error)
{
	const unsigned char *bytes = file->map.data;
	uint64_t length = 0;
	json_error_t problem;
	const char *text;

	if (file->map.size < 8)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"only %zu bytes long; not a safetensors file", file->map.size);
	for (int i = 7; i >= 0; i--)
		length = length << 8 | bytes[i];
	if (length > file->map.size - 8)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"header claims %llu bytes but only %zu follow; the file is cut or "
				"not safetensors", (unsigned long long)length, file->map.size - 8);
	if (length > HEADER_MAX_BYTES)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"header of %llu bytes is larger than the %llu allowed",
				(unsigned long long)length, (unsigned long long)HEADER_MAX_BYTES);
	text = (const char *)bytes + 8;
	if (header_depth(text, length) > HEADER_MAX_DEPTH)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"header nests deeper than the format allows");
	file->header = json_loadb(text, length, JSON_REJECT_DUPLICATES, &problem);
	if (!file->header)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"header is not valid JSON: %s", problem.text);
	if (!json_is_object((json_t *)file->header))
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"header is not a JSON object");
	file->data_bytes = file->map.size - 8 - length;
	return 0;
}

static int metadata_check(const struct safetensors *file, json_t *metadata, struct error *error)
{
	const char *key;
	json_t *value;

	if (!json_is_object(metadata))
		return error_at(error, ERR_INVALID, file->path, 0, METADATA_KEY,
				"is not a JSON object");
	json_object_foreach(metadata, key, value) {
		if (!json_is_string(value))
			return error_at(error, ERR_INVALID, file->path, 0, METADATA_KEY,
					"value of %s is not text", key);
	}
	return 0;
}

static int shape_parse(const struct safetensors *file, struct safetensors_entry *entry,
		       const json_t *shape, struct error *error)
{
	if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_MAX_DIMS)
		return error_at(error, ERR_INVALID, file->path, 0, entry->name,
				"shape is not a list of at most %d numbers", SAFETENSORS_MAX_DIMS);
	entry->dims = (int)json_array_size(shape);
	entry->count = 1;
	for (int i = 0; i < entry->dims; i++) {
		const json_t *extent = json_array_get(shape, (size_t)i);

		if (!json_is_integer(extent) || json_integer_value(extent) < 0)
			return error_at(error, ERR_INVALID, file->path, 0, entry->name,
					"shape holds something other than whole numbers >= 0");
		entry->shape[i] = json_integer_value(extent);
		if (__builtin_mul_overflow(entry->count, entry->shape[i], &entry->count))
			return error_at(error, ERR_INVALID, file->path, 0, entry->name,
					"shape has more elements than can be counted");
	}
	return 0;
}

static int offsets_parse(const struct safetensors *file, struct safetensors_entry *entry,
			 const json_t *offsets, struct error *error)
{
	const json_t *first = json_array_get(offsets, 0), *last = json_array_get(offsets, 1);
	const size_t element = dtypes[entry->dtype].bytes;
	int64_t begin, end, wanted;

	if (json_array_size(offsets) != 2 || !json_is_integer(first) || !json_is_integer(last))
		return error_at(error, ERR_INVALID, file->path, 0, entry->name,
				"data_offsets is not a pair of whole numbers");
	begin = json_integer_value(first);
	end = json_integer_value(last);
	if (begin < 0 || end < begin || (uint64_t)end > file->data_bytes)
		return error_at(error, ERR_INVALID, file->path, 0, entry->name,
				"data_offsets %lld to %lld lie outside the %zu bytes of data",
				(long long)begin, (long long)end, file->data_bytes);
	if (__builtin_mul_overflow(entry->count, (int64_t)element, &wanted) ||
	    wanted != end - begin)
		return error_at(error, ERR_INVALID, file->path, 0, entry->name,
				"shape and dtype need %lld elements of %zu bytes but data_offsets "
				"span %lld bytes", (long long)entry->count, element,
				(long long)(end - begin));
	entry->data = file->map.data + (file->map.size - file->data_bytes) + begin;
	entry->size_bytes = (size_t)(end - begin);
	return 0;
}

static int entry_parse(const struct safetensors *file, struct safetensors_entry *entry,
		       const char *name, const json_t *value, struct error *error)
{
	const json_t *dtype = json_object_get(value, "dtype");
	int code;

	entry->name = name;
	if (!name[0] || !json_is_object(value) || json_object_size(value) != 3)
		return error_at(error, ERR_INVALID, file->path, 0, name,
				"a tensor needs a name and exactly dtype, shape and data_offsets");
	code = json_is_string(dtype) ? dtype_parse(json_string_value(dtype)) : -1;
	if (code < 0)
		return error_at(error, ERR_UNSUPPORTED, file->path, 0, name,
				"dtype %s is not one of F32, F16, BF16, F64, I64, I32, I16, I8, "
				"U8, BOOL", json_is_string(dtype) ? json_string_value(dtype)
								  : "(missing)");
	entry->dtype = (enum safetensors_dtype)code;
	code = shape_parse(file, entry, json_object_get(value, "shape"), error);
	if (code)
		return code;
	return offsets_parse(file, entry, json_object_get(value, "data_offsets"), error);
}

static int order_by_place(const void *left, const void *right)
{
	const struct safetensors_entry *a = left, *b = right;

	if (a->data != b->data)
		return (const char *)a->data < (const char *)b->data ? -1 : 1;
	return a->size_bytes < b->size_bytes ? -1 : a->size_bytes > b->size_bytes;
}

static int order_by_name(const void *left, const void *right)
{
	const struct safetensors_entry *a = left, *b = right;

	return strcmp(a->name, b->name);
}

/* The tensors must tile the data section; leaves the entries sorted by name. */
static int tiling_check(struct safetensors *file, struct error *error)
{
	const unsigned char *end = file->map.data + file->map.size;
	const unsigned char *next = end - file->data_bytes;

	qsort(file->entries, file->count, sizeof(*file->entries), order_by_place);
	for (size_t i = 0; i < file->count; i++) {
		const struct safetensors_entry *entry = &file->entries[i];

		if ((const unsigned char *)entry->data != next)
			return error_at(error, ERR_INVALID, file->path, 0, entry->name,
					"data_offsets %s another tensor's bytes",
					(const unsigned char *)entry->data < next ?
					"overlap" : "leave a hole after");
		next += entry->size_bytes;
	}
	if (next != end)
		return error_at(error, ERR_INVALID, file->path, 0, NULL,
				"%zu bytes at the end belong to no tensor", (size_t)(end - next));
	qsort(file->entries, file->count, sizeof(*file->entries), order_by_name);
	return 0;
}

static int entries_parse(struct safetensors *file, struct error *error)
{
	json_t *header = file->header, *value;
	const char *name;
	int code = 0;

	file->entries = calloc(json_object_size(header) + 1, sizeof(*file->entries));
	if (!file->entries)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the header of %s",
				 file->path);
	json_object_foreach(header, name, value) {
		if (strcmp(name, METADATA_KEY) == 0)
			code = metadata_check(file, value, error);
		else
			code = entry_parse(file, &file->entries[file->count++], name, value, error);
		if (code)
			return code;
	}
	return tiling_check(file, error);
}

int safetensors_open(struct safetensors *file, const char *path, struct error *error)
{
	int code;

	memset(file, 0, sizeof(*file));
	if (strlen(path) >= sizeof(file->path))
		return error_set(error, ERR_RANGE, "path of %zu bytes is too long", strlen(path));
	strcpy(file->path, path);
	code = file_map_open(&file->map, path, error);
	if (code)
		return code;
	code = header_parse(file, error);
	if (!code)
		code = entries_parse(file, error);
	if (code)
		safetensors_close(file);
	return code;
}

void safetensors_close(struct safetensors *file)
{
	free(file->entries);
	json_decref((json_t *)file->header);
	file_map_close(&file->map);
	file->entries = NULL;
	file->header = NULL;
	file->count = 0;
}

const struct safetensors_entry *safetensors_find(const struct safetensors *file, const char *name)
{
	const struct safetensors_entry key = {.name = name};

	return bsearch(&key, file->entries, file->count, sizeof(key), order_by_name);
}

const char *safetensors_metadata(const struct safetensors *file, const char *key)
{
	return json_string_value(
		json_object_get(json_object_get((json_t *)file->header, METADATA_KEY), key));
}

int safetensors_to_f32(const struct safetensors_entry *entry, float *out, struct error *error)
{
	switch (entry->dtype) {
	case SAFETENSORS_F32:
		if (entry->size_bytes)
			memcpy(out, entry->data, entry->size_bytes);
		return 0;
	case SAFETENSORS_F16:
		f16_all_to_f32(out, entry->data, entry->count);
		return 0;
	case SAFETENSORS_BF16:
		bf16_all_to_f32(out, entry->data, entry->count);
		return 0;
	case SAFETENSORS_F64:
		for (int64_t i = 0; i < entry->count; i++) {
			double value;

			memcpy(&value, (const char *)entry->data + 8 * i, sizeof(value));
			out[i] = (float)value;
		}
		return 0;
	default:
		return error_at(error, ERR_UNSUPPORTED, NULL, 0, entry->name,
				"holds %s, not floating-point numbers",
				dtypes[entry->dtype].name);
	}
}

static json_t *metadata_build(const char *const *metadata)
{
	json_t *object = json_object();

	for (; object && metadata[0]; metadata += 2)
		if (json_object_set_new(object, metadata[0], json_string(metadata[1]))) {
			json_decref(object);
			object = NULL;
		}
	return object;
}

static int item_bytes(const struct safetensors_item *item, size_t *bytes, struct error *error)
{
	size_t total = dtypes[item->dtype].bytes;

	if (item->dims < 0 || item->dims > SAFETENSORS_MAX_DIMS)
		return error_set(error, ERR_RANGE, "tensor %s has %d dimensions", item->name,
				 item->dims);
	for (int i = 0; i < item->dims; i++)
		if (item->shape[i] < 0 ||
		    __builtin_mul_overflow(total, (size_t)item->shape[i], &total) ||
		    total > INT64_MAX)
			return error_set(error, ERR_RANGE, "tensor %s is too large", item->name);
	*bytes = total;
	return 0;
}

static int item_describe(json_t *header, const struct safetensors_item *item, size_t *offset,
			 struct error *error)
{
	json_t *shape = json_array(), *tensor;
	size_t bytes = 0;
	int code = item_bytes(item, &bytes, error);

	if (!code && json_object_get(header, item->name))
		code = error_set(error, ERR_INVALID, "tensor %s is written twice", item->name);
	if (code) {
		json_decref(shape);
		return code;
	}
	for (int i = 0; i < item->dims; i++)
		json_array_append_new(shape, json_integer(item->shape[i]));
	tensor = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtypes[item->dtype].name, "shape",
			   shape, "data_offsets", (json_int_t)*offset,
			   (json_int_t)(*offset + bytes));
	if (!tensor || json_object_set_new(header, item->name, tensor))
		return error_set(error, ERR_INVALID, "tensor name %s is not UTF-8", item->name);
	*offset += bytes;
	return 0;
}

static int header_build(char **text, const struct safetensors_item *items, size_t count,
			const char *const *metadata, struct error *error)
{
	json_t *header = json_object();
	size_t offset = 0;
	int code = 0;

	if (metadata && json_object_set_new(header, METADATA_KEY, metadata_build(metadata)))
		code = error_set(error, ERR_INVALID, "metadata of a tensor file is not UTF-8");
	for (size_t i = 0; i < count && !code; i++)
		code = item_describe(header, &items[i], &offset, error);
	*text = code ? NULL : json_dumps(header, JSON_COMPACT | JSON_PRESERVE_ORDER);
	json_decref(header);
	if (!code && !*text)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for a tensor header");
	return code;
}

static int container_print(FILE *stream, const char *header, const struct safetensors_item *items,
			   size_t count)
{
	const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
	unsigned char prefix[8];
	size_t bytes = 0;

	for (int i = 0; i < 8; i++)
		prefix[i] = (unsigned char)((uint64_t)padded >> 8 * i);
	fwrite(prefix, 1, sizeof(prefix), stream);
	fprintf(stream, "%-*s", (int)padded, header);
	for (size_t i = 0; i < count; i++)
		if (!item_bytes(&items[i], &bytes, NULL) && bytes)
			fwrite(items[i].data, 1, bytes, stream);
	return ferror(stream);
}

int safetensors_write(const char *path, const struct safetensors_item *items, size_t count,
		      const char *const *metadata, struct error *error)
{
	struct file_replace replace;
	char *header = NULL;
	int code = header_build(&header, items, count, metadata, error);

	if (code)
		return code;
	code = file_replace_open(&replace, path, error);
	if (!code) {
		if (container_print(replace.stream, header, items, count))
			code = error_errno(error, path, "writing");
		else
			code = file_replace_commit(&replace, error);
		if (code)
			file_replace_abort(&replace);
	}
	free(header);
	return code;
}
