/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns of numbers out of a CSV file with a header.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include <stddef.h>

#include "base/error.h"

struct table_column {
	const char *name;         /* as the header has it; others are passed over */
	const char *const *words; /* cells are one of these (ends with NULL): read as its index */
	double *cells;            /* (rows): an empty cell is NaN; owned */
};

/*
 * Reads `path`, whose lines all end with a newline, or it is cut.  Every column asked for must be
 * there; the error names line and column.  On
 * success the caller frees with table_free().
 */
int table_read(const char *path, struct table_column *columns, size_t count, size_t *rows,
	       struct error *error);
void table_free(struct table_column *columns, size_t count);

/*
 * Cuts a line at its commas, in place; cells may stand in double quotes.  Returns the number of
 * cells, at most `room`.
 */
size_t table_cut(char *line, char **cells, size_t room);

#endif
