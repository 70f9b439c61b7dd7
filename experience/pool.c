/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools in memory, and the choice of a format by suffix.
 */
#include "experience/pool.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "experience/pool_formats.h"

void pool_init(struct pool *pool)
{
	memset(pool, 0, sizeof(*pool));
	strcpy(pool->meta.reward, "recorded");
	strcpy(pool->meta.state, "recorded");
	pool->meta.gamma = 0.95;
	pool->meta.source = strdup("[]");
}

void pool_free(struct pool *pool)
{
	free(pool->state);
	free(pool->action);
	free(pool->reward);
	free(pool->done);
	free(pool->meta.source);
	memset(pool, 0, sizeof(*pool));
}

/* Doubles one array; the old one stays valid when that fails. */
static bool grow_array(void **array, size_t bytes)
{
	void *grown = realloc(*array, bytes);

	if (grown)
		*array = grown;
	return grown != NULL;
}

static int grow(struct pool *pool)
{
	const size_t capacity = pool->capacity ? 2 * pool->capacity : 1024;

	if (!grow_array((void **)&pool->state, capacity * pool->features * sizeof(*pool->state)) ||
	    !grow_array((void **)&pool->action, capacity * sizeof(*pool->action)) ||
	    !grow_array((void **)&pool->reward, capacity * sizeof(*pool->reward)) ||
	    !grow_array((void **)&pool->done, capacity * sizeof(*pool->done)))
		return ERR_NO_MEMORY;
	pool->capacity = capacity;
	return 0;
}

int pool_append(struct pool *pool, const double *state, int32_t action, double reward, bool done)
{
	if (pool->rows == pool->capacity && grow(pool))
		return ERR_NO_MEMORY;
	memcpy(pool->state + pool->rows * pool->features, state,
	       pool->features * sizeof(*pool->state));
	pool->action[pool->rows] = action;
	pool->reward[pool->rows] = reward;
	pool->done[pool->rows] = done;
	pool->rows++;
	return 0;
}

int pool_feature(const struct pool *pool, const char *name)
{
	for (size_t i = 0; i < pool->features; i++)
		if (strcmp(pool->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

size_t pool_split_row(const struct pool *pool, double held_out_fraction)
{
	return pool->rows - (size_t)llround((double)pool->rows * held_out_fraction);
}

int pool_add_column(struct pool *pool, const char *name, const char *path, long line,
		    struct error *error)
{
	struct pool_column *column = &pool->columns[pool->features];

	if (pool->features == POOL_MAX_FEATURES)
		return error_at(error, ERR_RANGE, path, line, name,
				"a pool has at most %d features", POOL_MAX_FEATURES);
	if (name[0] == '\0' || strlen(name) >= POOL_NAME_BYTES)
		return error_at(error, ERR_INVALID, path, line, name,
				"a column's name has 1 to %d characters", POOL_NAME_BYTES - 1);
	if (strcmp(name, "action") == 0 || strcmp(name, "reward") == 0 ||
	    strcmp(name, "done") == 0 || pool_feature(pool, name) >= 0)
		return error_at(error, ERR_INVALID, path, line, name,
				"the column is there twice; every name may stand once");
	memset(column, 0, sizeof(*column));
	strcpy(column->name, name);
	column->is_probability = strcmp(name, POOL_LAW_COLUMN) == 0;
	pool->features++;
	return 0;
}

const char *pool_value_problem(const struct pool_column *column, double value)
{
	if (!isfinite(value))
		return "is not a finite number";
	if (column->is_probability && !(value >= 0 && value <= 1))
		return "is not a probability, which is from 0 to 1";
	return NULL;
}

void pool_find_integers(struct pool *pool)
{
	for (size_t column = 0; column < pool->features; column++) {
		bool whole = true;

		for (size_t row = 0; row < pool->rows && whole; row++) {
			const double value = pool->state[row * pool->features + column];

			/* A negative zero would lose its sign as an integer. */
			whole = value == floor(value) && fabs(value) < 9007199254740992.0 &&
				!(value == 0 && signbit(value));
		}
		pool->columns[column].is_integer = whole;
	}
}

void pool_number(char *text, double value)
{
	if (value == floor(value) && fabs(value) < 1e15 && !(value == 0 && signbit(value))) {
		snprintf(text, 32, "%.0f", value);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, 32, "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			return;
	}
}

static int unknown_suffix(const char *path, struct error *error)
{
	return error_at(error, ERR_INVALID, path, 0, NULL,
			"a pool's name ends in .jsonl, .safetensors or .csv");
}

int pool_read(struct pool *pool, const char *path, struct error *error)
{
	int code;

	pool_free(pool);
	pool_init(pool);
	if (pool->meta.source == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory");
	else if (file_has_suffix(path, ".csv"))
		code = pool_read_csv(pool, path, error);
	else if (file_has_suffix(path, ".jsonl"))
		code = pool_read_jsonl(pool, path, error);
	else if (file_has_suffix(path, ".safetensors"))
		code = pool_read_safetensors(pool, path, error);
	else
		code = unknown_suffix(path, error);
	if (code == 0)
		pool_find_integers(pool);
	else
		pool_free(pool);
	return code;
}

int pool_write(const struct pool *pool, const char *path, struct error *error)
{
	const bool csv = file_has_suffix(path, ".csv");
	struct file_replace replace;
	int code;

	if (file_has_suffix(path, ".safetensors"))
		return pool_write_safetensors(pool, path, error);
	if (!csv && !file_has_suffix(path, ".jsonl"))
		return unknown_suffix(path, error);
	code = file_replace_open(&replace, path, error);
	if (code)
		return code;
	code = csv ? pool_write_csv(pool, replace.stream)
		   : pool_write_jsonl(pool, replace.stream, error);
	/* A pool is there only when all of it is; what was not written fails the commit. */
	if (code == 0 && csv && fflush(replace.stream) == 0)
		code = pool_write_csv_meta(pool, path, error);
	if (code) {
		file_replace_abort(&replace);
		return code;
	}
	return file_replace_commit(&replace, error);
}
