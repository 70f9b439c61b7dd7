/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools as JSON Lines: a meta object, then one object per row.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "experience/pool_formats.h"

char *pool_meta_to_json(const struct pool *pool)
{
	json_t *features = json_array(), *units = json_array();
	json_t *source = json_loads(pool->meta.source, 0, NULL), *meta;
	char *text;

	for (size_t i = 0; i < pool->features; i++) {
		json_array_append_new(features, json_string(pool->columns[i].name));
		json_array_append_new(units, json_string(pool->columns[i].unit));
	}
	meta = json_pack("{s:{s:i,s:o,s:o,s:s,s:f,s:s,s:o}}", "meta", "version", 1, "features",
			 features, "units", units, "reward", pool->meta.reward, "gamma",
			 pool->meta.gamma, "state", pool->meta.state, "source",
			 source ? source : json_array());
	text = json_dumps(meta, JSON_COMPACT | JSON_REAL_PRECISION(17));
	json_decref(meta);
	return text;
}

/* A short text of the meta object into `out`; absent keeps what stands there. */
static int take_text(char *out, size_t size, const json_t *meta, const char *key, const char *path,
		     long line, struct error *error)
{
	const json_t *value = json_object_get(meta, key);

	if (value == NULL)
		return 0;
	if (!json_is_string(value) || json_string_length(value) >= size)
		return error_at(error, ERR_INVALID, path, line, key,
				"needs a text of at most %zu characters", size - 1);
	strcpy(out, json_string_value(value));
	return 0;
}

/* Units belong to columns by position; features too where the format did not name them yet. */
static int take_columns(struct pool *pool, const json_t *meta, const char *path, long line,
			struct error *error)
{
	const json_t *features = json_object_get(meta, "features");
	const json_t *units = json_object_get(meta, "units");
	const bool named = pool->features > 0;

	if (!json_is_array(features) || json_array_size(features) == 0 ||
	    (named && json_array_size(features) != pool->features))
		return error_at(error, ERR_INVALID, path, line, "features",
				"needs the list of the features' names");
	for (size_t i = 0; i < json_array_size(features); i++) {
		const char *name = json_string_value(json_array_get(features, i));
		const char *unit = json_string_value(json_array_get(units, i));
		int code = 0;

		if (name == NULL || (named && strcmp(name, pool->columns[i].name) != 0))
			return error_at(error, ERR_INVALID, path, line, "features",
					"item %zu does not name the column", i + 1);
		if (!named)
			code = pool_add_column(pool, name, path, line, error);
		if (code)
			return code;
		if (unit && strlen(unit) < sizeof(pool->columns[i].unit))
			strcpy(pool->columns[i].unit, unit);
	}
	return 0;
}

static int take_meta(struct pool *pool, const json_t *meta, const char *path, long line,
		     struct error *error)
{
	const json_t *version = json_object_get(meta, "version");
	const json_t *gamma = json_object_get(meta, "gamma");
	const json_t *source = json_object_get(meta, "source");
	int code;

	if (!json_is_integer(version) || json_integer_value(version) != 1)
		return error_at(error, ERR_UNSUPPORTED, path, line, "version", "must be 1");
	code = take_columns(pool, meta, path, line, error);
	if (code == 0)
		code = take_text(pool->meta.reward, sizeof(pool->meta.reward), meta, "reward", path,
				 line, error);
	if (code == 0)
		code = take_text(pool->meta.state, sizeof(pool->meta.state), meta, "state", path,
				 line, error);
	if (code)
		return code;
	if (gamma && (!json_is_number(gamma) || !(json_number_value(gamma) >= 0) ||
		      json_number_value(gamma) > 1))
		return error_at(error, ERR_INVALID, path, line, "gamma",
				"needs a number from 0 to 1");
	if (gamma)
		pool->meta.gamma = json_number_value(gamma);
	if (json_is_array(source)) {
		char *text = json_dumps(source, JSON_COMPACT);

		if (text == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory");
		free(pool->meta.source);
		pool->meta.source = text;
	}
	return 0;
}

static json_t *load_line(const char *text, size_t size, const char *path, long line,
			 struct error *error)
{
	json_error_t problem;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);

	if (root == NULL)
		error_at(error, ERR_INVALID, path, line, NULL, "not JSON: %s", problem.text);
	return root;
}

int pool_meta_from_json(struct pool *pool, const char *text, const char *path, long line,
			struct error *error)
{
	json_t *root = load_line(text, strlen(text), path, line, error);
	const json_t *meta = json_object_get(root, "meta");
	int code = ERR_INVALID;

	if (root == NULL)
		return code;
	if (meta)
		code = take_meta(pool, meta, path, line, error);
	else
		error_at(error, code, path, line, "meta",
			 "the first line of a pool is its meta object");
	json_decref(root);
	return code;
}

/* A finite number under `key`. */
static int take_number(const json_t *row, const char *key, double *value, const char *path,
		       long line, struct error *error)
{
	const json_t *number = json_object_get(row, key);

	*value = json_number_value(number);
	if (!json_is_number(number) || !isfinite(*value))
		return error_at(error, ERR_INVALID, path, line, key, "needs a finite number");
	return 0;
}

static int take_state(const struct pool *pool, const json_t *row, double *state, const char *path,
		      long line, struct error *error)
{
	const json_t *list = json_object_get(row, "state");

	if (!json_is_array(list) || json_array_size(list) != pool->features)
		return error_at(error, ERR_INVALID, path, line, "state",
				"needs a list of %zu numbers, one a feature", pool->features);
	for (size_t i = 0; i < pool->features; i++) {
		const json_t *number = json_array_get(list, i);
		const char *problem;

		state[i] = json_number_value(number);
		problem = json_is_number(number) ? pool_value_problem(&pool->columns[i], state[i])
						 : "is not a finite number";
		if (problem)
			return error_at(error, ERR_INVALID, path, line, pool->columns[i].name,
					"%s", problem);
	}
	return 0;
}

static int take_row(struct pool *pool, const json_t *row, const char *path, long line,
		    struct error *error)
{
	double state[POOL_MAX_FEATURES], action, reward, done;
	int code = take_state(pool, row, state, path, line, error);

	if (code == 0)
		code = take_number(row, "action", &action, path, line, error);
	if (code == 0)
		code = take_number(row, "reward", &reward, path, line, error);
	if (code == 0)
		code = take_number(row, "done", &done, path, line, error);
	if (code)
		return code;
	if (action != 0 && action != 1 && action != 2)
		return error_at(error, ERR_INVALID, path, line, "action",
				"is %g; it is 0 (enqueue), 1 (drop) or 2 (mark)", action);
	if (done != 0 && done != 1)
		return error_at(error, ERR_INVALID, path, line, "done", "is %g; it is 0 or 1",
				done);
	if (pool_append(pool, state, (int32_t)action, reward, done == 1))
		return error_set(error, ERR_NO_MEMORY, "out of memory reading %s", path);
	return 0;
}

int pool_parse_jsonl(struct pool *pool, char *text, size_t size, const char *path,
		     struct error *error)
{
	char *end = text + size;
	int code = 0;

	if (size == 0)
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"the file is empty; a pool begins with its meta object");
	for (long line = 1; code == 0 && text < end; line++) {
		char *newline = memchr(text, '\n', (size_t)(end - text));
		const size_t length = (size_t)((newline ? newline : end) - text);
		json_t *row;

		text[length] = '\0';
		if (line == 1) {
			code = pool_meta_from_json(pool, text, path, line, error);
		} else if (length > 0) {
			row = load_line(text, length, path, line, error);
			code = row ? take_row(pool, row, path, line, error) : ERR_INVALID;
			json_decref(row);
		}
		text += length + 1;
	}
	return code;
}

int pool_read_jsonl(struct pool *pool, const char *path, struct error *error)
{
	char *text;
	size_t size;
	int code = file_read_all(path, &text, &size, error);

	if (code)
		return code;
	code = pool_parse_jsonl(pool, text, size, path, error);
	free(text);
	return code;
}

int pool_write_jsonl(const struct pool *pool, FILE *out, struct error *error)
{
	char *meta = pool_meta_to_json(pool), number[32];

	if (meta == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	fprintf(out, "%s\n", meta);
	free(meta);
	for (size_t row = 0; row < pool->rows; row++) {
		fputs("{\"state\":[", out);
		for (size_t i = 0; i < pool->features; i++) {
			pool_number(number, pool->state[row * pool->features + i]);
			fprintf(out, "%s%s", i ? "," : "", number);
		}
		pool_number(number, pool->reward[row]);
		fprintf(out, "],\"action\":%d,\"reward\":%s,\"done\":%d}\n",
			(int)pool->action[row], number, pool->done[row]);
	}
	return 0;
}
