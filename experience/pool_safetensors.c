/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools as safetensors: one tensor a column, whole numbers as I64, others as
 * F64; the meta object is the file's metadata.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"
#include "experience/pool_formats.h"

#define RESERVED 3
static const char *const reserved_names[RESERVED] = {"action", "reward", "done"};

/* A column as I64 when every value is whole, else F64; `values` is (rows) apart by `stride`. */
static int make_item(struct safetensors_item *item, const char *name, const double *values,
		     size_t rows, size_t stride, bool integer, struct error *error)
{
	void *data = malloc(rows * sizeof(double) + 1);

	if (data == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < rows; i++) {
		if (integer)
			((int64_t *)data)[i] = (int64_t)values[i * stride];
		else
			((double *)data)[i] = values[i * stride];
	}
	*item = (struct safetensors_item){
		.name = name,
		.dtype = integer ? SAFETENSORS_I64 : SAFETENSORS_F64,
		.dims = 1,
		.shape = {(int64_t)rows},
		.data = data,
	};
	return 0;
}

static int make_reserved(const struct pool *pool, struct safetensors_item *items,
			 struct error *error)
{
	double *values = malloc(pool->rows * sizeof(*values) + 1);
	int code = values ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");

	for (int i = 0; code == 0 && i < RESERVED; i++) {
		for (size_t row = 0; row < pool->rows; row++)
			values[row] = i == 0   ? pool->action[row]
				      : i == 1 ? pool->reward[row]
					       : pool->done[row];
		code = make_item(&items[i], reserved_names[i], values, pool->rows, 1, i != 1,
				 error);
	}
	free(values);
	return code;
}

int pool_write_safetensors(const struct pool *pool, const char *path, struct error *error)
{
	struct safetensors_item items[POOL_MAX_FEATURES + RESERVED] = {0};
	char *meta = pool_meta_to_json(pool);
	int code = meta ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory");

	for (size_t i = 0; code == 0 && i < pool->features; i++)
		code = make_item(&items[i], pool->columns[i].name, pool->state + i, pool->rows,
				 pool->features, pool->columns[i].is_integer, error);
	if (code == 0)
		code = make_reserved(pool, items + pool->features, error);
	if (code == 0)
		code = safetensors_write(path, items, pool->features + RESERVED,
					 (const char *const[]){"meta", meta, NULL}, error);
	for (size_t i = 0; i < pool->features + RESERVED; i++)
		free((void *)items[i].data);
	free(meta);
	return code;
}

/* Column by name, checked to be a vector of numbers of the right length. */
static const struct safetensors_entry *find_column(const struct safetensors *file,
						   const char *name, int64_t rows,
						   struct error *error)
{
	const struct safetensors_entry *entry = safetensors_find(file, name);

	if (entry == NULL)
		error_at(error, ERR_INVALID, file->path, 0, name, "the pool has no such tensor");
	else if (entry->dims != 1 || (rows >= 0 && entry->count != rows) ||
		 (entry->dtype != SAFETENSORS_I64 && entry->dtype != SAFETENSORS_F64))
		error_at(error, ERR_INVALID, file->path, 0, name,
			 "must be a vector of I64 or F64, as long as the others");
	else
		return entry;
	return NULL;
}

static double value_at(const struct safetensors_entry *entry, size_t row)
{
	const unsigned char *place = (const unsigned char *)entry->data + row * 8;
	int64_t whole;
	double real;

	if (entry->dtype == SAFETENSORS_F64) {
		memcpy(&real, place, sizeof(real));
		return real;
	}
	memcpy(&whole, place, sizeof(whole));
	return (double)whole;
}

static int bad_value(const struct safetensors *file, const char *name, size_t row,
		     const char *why, struct error *error)
{
	return error_at(error, ERR_INVALID, file->path, 0, name, "row %zu: %s", row + 1, why);
}

static int read_rows(struct pool *pool, const struct safetensors *file,
		     const struct safetensors_entry *const *entries, size_t rows,
		     struct error *error)
{
	const struct safetensors_entry *const *last = entries + pool->features;

	for (size_t row = 0; row < rows; row++) {
		const double action = value_at(last[0], row), reward = value_at(last[1], row);
		const double done = value_at(last[2], row);
		double state[POOL_MAX_FEATURES];

		for (size_t i = 0; i < pool->features; i++) {
			const struct pool_column *column = &pool->columns[i];
			const char *problem;

			state[i] = value_at(entries[i], row);
			problem = pool_value_problem(column, state[i]);
			if (problem)
				return bad_value(file, column->name, row, problem, error);
		}
		if (action != 0 && action != 1 && action != 2)
			return bad_value(file, "action", row,
					 "is not 0 (enqueue), 1 (drop) or 2 (mark)", error);
		if (done != 0 && done != 1)
			return bad_value(file, "done", row, "is not 0 or 1", error);
		if (!isfinite(reward))
			return bad_value(file, "reward", row, "is not a finite number", error);
		if (pool_append(pool, state, (int32_t)action, reward, done == 1))
			return error_set(error, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

static int read_columns(struct pool *pool, const struct safetensors *file, struct error *error)
{
	const struct safetensors_entry *entries[POOL_MAX_FEATURES + RESERVED];
	int64_t rows = -1;

	for (size_t i = 0; i < pool->features + RESERVED; i++) {
		const char *name = i < pool->features ? pool->columns[i].name
						      : reserved_names[i - pool->features];

		entries[i] = find_column(file, name, rows, error);
		if (entries[i] == NULL)
			return ERR_INVALID;
		rows = entries[i]->count;
	}
	return read_rows(pool, file, entries, (size_t)rows, error);
}

/* Without a meta object every other tensor is a feature, by name. */
static int name_columns(struct pool *pool, const struct safetensors *file, struct error *error)
{
	const char *meta = safetensors_metadata(file, "meta");

	if (meta)
		return pool_meta_from_json(pool, meta, file->path, 0, error);
	for (size_t i = 0; i < file->count; i++) {
		const char *name = file->entries[i].name;
		int code;

		if (strcmp(name, "action") == 0 || strcmp(name, "reward") == 0 ||
		    strcmp(name, "done") == 0)
			continue;
		code = pool_add_column(pool, name, file->path, 0, error);
		if (code)
			return code;
	}
	if (pool->features == 0)
		return error_at(error, ERR_INVALID, file->path, 0, NULL, "holds no feature");
	return 0;
}

int pool_read_safetensors(struct pool *pool, const char *path, struct error *error)
{
	struct safetensors file;
	int code = safetensors_open(&file, path, error);

	if (code)
		return code;
	code = name_columns(pool, &file, error);
	if (code == 0)
		code = read_columns(pool, &file, error);
	safetensors_close(&file);
	return code;
}
