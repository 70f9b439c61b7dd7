/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command found, told once and shown four ways: as text, as a page, as
 * CSV files and as one JSON object.
 *
 * Errors of memory and files are kept and reported by findings_close().
 */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include <jansson.h>
#include <stddef.h>

#include "cli/command.h"
#include "report/figure.h"

struct findings;

/* What a column is called: in JSON and CSV (with its unit), and to people. */
struct findings_column {
	const char *key, *label;
};

/* A cell holds `text`, or else a number; one that is not finite is null in JSON, empty in CSV. */
struct findings_cell {
	const char *text;
	double value;
};

#define FINDINGS_MAX_COLUMNS 16

/* Writes into `folder`, which is made.  Text goes to standard output unless --json or --quiet. */
int findings_open(struct findings **findings, const struct command_common *common,
		  const char *folder, const char *title, const char *subtitle,
		  struct error *error);

void findings_section(struct findings *findings, const char *heading);
void findings_say(struct findings *findings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A verdict: stands out on the page; JSON has all of them in "verdicts". */
void findings_verdict(struct findings *findings, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A table: `name` is its key in JSON and its file in CSV.  Columns are kept by reference until
 * findings_table_end(), which shows it.  At most FINDINGS_MAX_COLUMNS.
 */
void findings_table(struct findings *findings, const char *name, const char *caption,
		    const struct findings_column *columns, size_t count);
void findings_row(struct findings *findings, const struct findings_cell *cells);
void findings_table_end(struct findings *findings);

/* A value of its own in the JSON object; takes the reference. */
void findings_value(struct findings *findings, const char *key, json_t *value);

/* figures/NAME.svg and .csv, and in the page; without gnuplot the numbers alone. */
void findings_figure(struct findings *findings, const struct figure *figure, const char *name,
		     const char *caption);

/*
 * Writes report.html and `name`.json, and prints what is left to print; frees it.
 * `code` other than 0 gives everything up, leaves no empty folder, and is returned.
 */
int findings_close(struct findings *findings, int code, const char *name, struct error *error);

#endif
