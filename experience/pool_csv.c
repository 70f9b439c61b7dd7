/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pools as CSV.
 *
 * The first line names the columns; `action`, `reward` and `done` are reserved
 * and may stand anywhere, every other column is a feature.  What CSV has no
 * place for (units, reward, provenance) lies beside it as POOL.csv.meta.json,
 * so that conversion loses nothing and the table stays one that any program
 * reads; a CSV without that file is as good.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "experience/pool_formats.h"

enum reserved { RESERVED_ACTION = -1, RESERVED_REWARD = -2, RESERVED_DONE = -3 };

/* Meaning of every field of a line: a feature's index or one of the reserved. */
struct header {
	int meaning[POOL_MAX_FEATURES + 3];
	int fields;
};

/* Cuts the next line out of *text; NULL at the end. */
static char *next_line(char **text)
{
	char *line = *text, *end;

	if (*line == '\0')
		return NULL;
	end = line + strcspn(line, "\n");
	*text = *end ? end + 1 : end;
	*end = '\0';
	if (end > line && end[-1] == '\r')
		end[-1] = '\0';
	return line;
}

/* Cuts the next comma-separated field; a final NULL. */
static char *next_field(char **line)
{
	char *field = *line, *comma;

	if (field == NULL)
		return NULL;
	comma = strchr(field, ',');
	*line = comma ? comma + 1 : NULL;
	if (comma)
		*comma = '\0';
	return field;
}

static int reserved_of(const char *name)
{
	if (strcmp(name, "action") == 0)
		return RESERVED_ACTION;
	if (strcmp(name, "reward") == 0)
		return RESERVED_REWARD;
	return strcmp(name, "done") == 0 ? RESERVED_DONE : 0;
}

static int parse_header(struct pool *pool, struct header *header, char *line, const char *path,
			struct error *error)
{
	unsigned seen = 0;
	char *name;

	while ((name = next_field(&line)) != NULL) {
		const int reserved = reserved_of(name);
		int code = 0;

		if (header->fields == POOL_MAX_FEATURES + 3)
			return error_at(error, ERR_RANGE, path, 1, name,
					"a pool has at most %d features", POOL_MAX_FEATURES);
		if (reserved && seen & 1U << -reserved)
			return error_at(error, ERR_INVALID, path, 1, name,
					"the column is there twice");
		seen |= reserved ? 1U << -reserved : 0;
		header->meaning[header->fields++] = reserved ? reserved : (int)pool->features;
		if (!reserved)
			code = pool_add_column(pool, name, path, 1, error);
		if (code)
			return code;
	}
	if (seen != 14)
		return error_at(error, ERR_INVALID, path, 1, "header",
				"needs the columns action, reward and done beside the features");
	if (pool->features == 0)
		return error_at(error, ERR_INVALID, path, 1, "header", "names no feature");
	return 0;
}

/* The state of one line being read. */
struct row {
	double state[POOL_MAX_FEATURES];
	double reserved[4]; /* by -enum reserved */
};

static const char *column_name(const struct pool *pool, int meaning)
{
	static const char *const reserved[] = {"", "action", "reward", "done"};

	return meaning < 0 ? reserved[-meaning] : pool->columns[meaning].name;
}

static int parse_row(const struct pool *pool, const struct header *header, char *line,
		     struct row *row, const char *path, long number, struct error *error)
{
	for (int i = 0; i < header->fields; i++) {
		const int meaning = header->meaning[i];
		const char *name = column_name(pool, meaning);
		char *field = next_field(&line), *end;
		const char *problem = NULL;
		double value;

		if (field == NULL)
			return error_at(error, ERR_INVALID, path, number, name,
					"is missing: the line has %d fields, the header %d", i,
					header->fields);
		value = strtod(field, &end);
		if (end == field || *end || !isfinite(value))
			problem = "is not a finite number";
		else if (meaning >= 0)
			problem = pool_value_problem(&pool->columns[meaning], value);
		if (problem)
			return error_at(error, ERR_INVALID, path, number, name, "`%.40s` %s", field,
					problem);
		if (meaning < 0)
			row->reserved[-meaning] = value;
		else
			row->state[meaning] = value;
	}
	if (line)
		return error_at(error, ERR_INVALID, path, number, NULL,
				"has more fields than the header's %d", header->fields);
	return 0;
}

static int append_row(struct pool *pool, const struct row *row, const char *path, long number,
		      struct error *error)
{
	const double action = row->reserved[-RESERVED_ACTION];
	const double done = row->reserved[-RESERVED_DONE];

	if (action != 0 && action != 1 && action != 2)
		return error_at(error, ERR_INVALID, path, number, "action",
				"is %g; it is 0 (enqueue), 1 (drop) or 2 (mark)", action);
	if (done != 0 && done != 1)
		return error_at(error, ERR_INVALID, path, number, "done", "is %g; it is 0 or 1",
				done);
	if (pool_append(pool, row->state, (int32_t)action, row->reserved[-RESERVED_REWARD],
			done == 1))
		return error_set(error, ERR_NO_MEMORY, "out of memory reading %s", path);
	return 0;
}

int pool_parse_csv(struct pool *pool, char *text, size_t size, const char *path,
		   struct error *error)
{
	struct header header = {.fields = 0};
	char *line;
	int code;

	if (strlen(text) != size)
		return error_at(error, ERR_INVALID, path, 0, NULL, "not text: it holds a NUL byte");
	line = next_line(&text);
	if (line == NULL)
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"the file is empty; a pool begins with a header line");
	code = parse_header(pool, &header, line, path, error);
	for (long number = 2; code == 0 && (line = next_line(&text)) != NULL; number++) {
		struct row row;

		if (line[0] == '\0')
			continue;
		code = parse_row(pool, &header, line, &row, path, number, error);
		if (code == 0)
			code = append_row(pool, &row, path, number, error);
	}
	return code;
}

static int path_beside(char *beside, size_t size, const char *path, struct error *error)
{
	if ((size_t)snprintf(beside, size, "%s.meta.json", path) >= size)
		return error_at(error, ERR_RANGE, path, 0, NULL, "the path is too long");
	return 0;
}

static int read_beside(struct pool *pool, const char *path, struct error *error)
{
	char beside[4096], *text;
	size_t size;
	int code = path_beside(beside, sizeof(beside), path, error);

	if (code || !file_exists(beside))
		return code;
	code = file_read_all(beside, &text, &size, error);
	if (code)
		return code;
	code = pool_meta_from_json(pool, text, beside, 1, error);
	free(text);
	return code;
}

int pool_write_csv_meta(const struct pool *pool, const char *path, struct error *error)
{
	char beside[4096], *meta;
	int code = path_beside(beside, sizeof(beside), path, error);

	if (code)
		return code;
	meta = pool_meta_to_json(pool);
	if (meta == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = file_write_all(beside, meta, strlen(meta), error);
	free(meta);
	return code;
}

int pool_read_csv(struct pool *pool, const char *path, struct error *error)
{
	char *text;
	size_t size;
	int code = file_read_all(path, &text, &size, error);

	if (code)
		return code;
	code = pool_parse_csv(pool, text, size, path, error);
	free(text);
	return code ? code : read_beside(pool, path, error);
}

int pool_write_csv(const struct pool *pool, FILE *out)
{
	char number[32];

	for (size_t i = 0; i < pool->features; i++)
		fprintf(out, "%s,", pool->columns[i].name);
	fputs("action,reward,done\n", out);
	for (size_t row = 0; row < pool->rows; row++) {
		for (size_t i = 0; i < pool->features; i++) {
			pool_number(number, pool->state[row * pool->features + i]);
			fputs(number, out);
			fputc(',', out);
		}
		pool_number(number, pool->reward[row]);
		fprintf(out, "%d,%s,%d\n", (int)pool->action[row], number, pool->done[row]);
	}
	return 0;
}
