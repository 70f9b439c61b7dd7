/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CSV (RFC 4180) without line breaks in cells.
 */
#include "report/table.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CELLS 64
#define ABSENT SIZE_MAX

/* A quoted cell begins at `at`; its text moves to the front.  Returns what stands behind it. */
static char *unquote(char *at)
{
	char *to = at, *from = at + 1;

	while (*from && !(*from == '"' && from[1] != '"')) {
		from += *from == '"';
		*to++ = *from++;
	}
	from += *from == '"';
	*to = '\0';
	return from;
}

size_t table_cut(char *line, char **cells, size_t room)
{
	size_t count = 0;

	line[strcspn(line, "\r\n")] = '\0';
	for (char *at = line; count < room;) {
		char *end;

		cells[count++] = at;
		end = *at == '"' ? unquote(at) : at;
		end += strcspn(end, ",");
		if (*end == '\0')
			break;
		*end = '\0';
		at = end + 1;
	}
	return count;
}

struct reader {
	FILE *stream;
	const char *path;
	long line;
	char *text;
	size_t text_size;
	size_t cells;                 /* of the header */
	size_t where[MAX_CELLS];      /* by cell: which column asked for, or ABSENT */
	size_t rows, room;
};

static int read_header(struct reader *reader, const struct table_column *columns, size_t count,
		       struct error *error)
{
	char *cells[MAX_CELLS];
	size_t found = 0;

	reader->line = 1;
	if (getline(&reader->text, &reader->text_size, reader->stream) < 0)
		return error_at(error, ERR_INVALID, reader->path, 0, NULL,
				"is empty; it needs a header");
	reader->cells = table_cut(reader->text, cells, MAX_CELLS);
	for (size_t c = 0; c < reader->cells; c++) {
		reader->where[c] = ABSENT;
		for (size_t i = 0; i < count; i++)
			if (strcmp(cells[c], columns[i].name) == 0)
				reader->where[c] = i;
	}
	for (size_t i = 0; i < count; i++, found = 0) {
		for (size_t c = 0; c < reader->cells; c++)
			found += reader->where[c] == i;
		if (found != 1)
			return error_at(error, ERR_INVALID, reader->path, 1, columns[i].name,
					"stands %s in the header; it is needed once",
					found ? "twice" : "not");
	}
	return 0;
}

static int read_cell(const struct reader *reader, const struct table_column *column,
		     const char *text, double *value, struct error *error)
{
	char *end;

	if (column->words) {
		for (size_t w = 0; column->words[w]; w++) {
			if (strcmp(column->words[w], text) == 0) {
				*value = (double)w;
				return 0;
			}
		}
		return error_at(error, ERR_INVALID, reader->path, reader->line, column->name,
				"'%.40s' is not one that we know", text);
	}
	*value = text[0] ? strtod(text, &end) : NAN;
	if (text[0] && *end)
		return error_at(error, ERR_INVALID, reader->path, reader->line, column->name,
				"'%.40s' is not a number", text);
	return 0;
}

static int make_room(struct reader *reader, struct table_column *columns, size_t count)
{
	if (reader->rows < reader->room)
		return 0;
	reader->room = reader->room ? 2 * reader->room : 1024;
	for (size_t i = 0; i < count; i++) {
		double *cells = realloc(columns[i].cells, reader->room * sizeof(*cells));

		if (cells == NULL)
			return ERR_NO_MEMORY;
		columns[i].cells = cells;
	}
	return 0;
}

static int read_row(struct reader *reader, struct table_column *columns, size_t count,
		    struct error *error)
{
	char *cells[MAX_CELLS];
	const size_t found = table_cut(reader->text, cells, MAX_CELLS);
	int code = 0;

	if (found != reader->cells)
		return error_at(error, ERR_INVALID, reader->path, reader->line, NULL,
				"has %zu cells, the header %zu", found, reader->cells);
	if (make_room(reader, columns, count))
		return error_at(error, ERR_NO_MEMORY, reader->path, 0, NULL,
				"too large for this machine's memory");
	for (size_t c = 0; code == 0 && c < found; c++) {
		struct table_column *column;

		if (reader->where[c] == ABSENT)
			continue;
		column = &columns[reader->where[c]];
		code = read_cell(reader, column, cells[c], &column->cells[reader->rows], error);
	}
	reader->rows++;
	return code;
}

static int read_all(struct reader *reader, struct table_column *columns, size_t count,
		    struct error *error)
{
	int code = read_header(reader, columns, count, error);

	while (code == 0 && getline(&reader->text, &reader->text_size, reader->stream) >= 0) {
		reader->line++;
		if (strchr(reader->text, '\n') == NULL)
			return error_at(error, ERR_INVALID, reader->path, reader->line, NULL,
					"the last line is cut: what wrote the file did not end; "
					"make it again");
		code = read_row(reader, columns, count, error);
	}
	if (code == 0 && ferror(reader->stream))
		code = error_errno(error, reader->path, "reading");
	return code;
}

int table_read(const char *path, struct table_column *columns, size_t count, size_t *rows,
	       struct error *error)
{
	struct reader reader = {.path = path, .stream = fopen(path, "re")};
	int code;

	for (size_t i = 0; i < count; i++)
		columns[i].cells = NULL;
	if (reader.stream == NULL)
		return error_errno(error, path, "opening");
	code = read_all(&reader, columns, count, error);
	fclose(reader.stream);
	free(reader.text);
	*rows = reader.rows;
	if (code)
		table_free(columns, count);
	return code;
}

void table_free(struct table_column *columns, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(columns[i].cells);
		columns[i].cells = NULL;
	}
}
