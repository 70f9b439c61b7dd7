/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table is the JSON array of its rows; the other forms are read off it.
 */
#include "cli/findings.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/html.h"

#define CELL_BYTES 96

struct findings {
	const struct command_common *common;
	struct html *html;
	json_t *root;
	char folder[4096], figures[4200];
	/* the table being filled */
	const char *name, *caption;
	const struct findings_column *columns;
	size_t column_count;
	json_t *rows, *pending; /* verdicts on it, told when it is shown */
	size_t kept; /* how much of `figures` was there before */
	bool no_gnuplot;
	int failed;
	struct error failure;
};

static bool is_told(const struct findings *findings)
{
	return !findings->common->json && !findings->common->quiet;
}

static void fail(struct findings *findings, int code, const struct error *error)
{
	if (findings->failed)
		return;
	findings->failed = code;
	findings->failure = *error;
}

int findings_open(struct findings **out, const struct command_common *common, const char *folder,
		  const char *title, const char *subtitle, struct error *error)
{
	struct findings *findings = calloc(1, sizeof(*findings));
	int code;

	*out = findings;
	if (findings == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a report");
	findings->common = common;
	snprintf(findings->folder, sizeof(findings->folder), "%s", folder);
	code = file_join(findings->figures, sizeof(findings->figures), folder, "figures", error);
	findings->kept = file_existing_part(findings->figures);
	if (code == 0)
		code = file_make_folders(findings->figures, error);
	findings->html = code ? NULL : html_open(title, subtitle);
	findings->root = json_object();
	if (code == 0 && (!findings->html || !findings->root))
		code = error_set(error, ERR_NO_MEMORY, "out of memory for a report");
	if (code == 0)
		json_object_set_new(findings->root, "verdicts", json_array());
	return code;
}

void findings_section(struct findings *findings, const char *heading)
{
	html_section(findings->html, heading);
	if (is_told(findings))
		printf("\n== %s\n", heading);
}

void findings_say(struct findings *findings, const char *format, ...)
{
	char text[2048];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	html_paragraph(findings->html, "%s", text);
}

static void tell_verdict(const struct findings *findings, const char *text)
{
	html_note(findings->html, "%s", text);
	if (is_told(findings))
		printf("  %s\n", text);
}

void findings_verdict(struct findings *findings, const char *format, ...)
{
	char text[2048];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	json_array_append_new(json_object_get(findings->root, "verdicts"), json_string(text));
	if (findings->rows)
		json_array_append_new(findings->pending, json_string(text));
	else
		tell_verdict(findings, text);
}

void findings_table(struct findings *findings, const char *name, const char *caption,
		    const struct findings_column *columns, size_t count)
{
	findings->name = name;
	findings->caption = caption;
	findings->columns = columns;
	findings->column_count = count;
	findings->rows = json_array();
	findings->pending = json_array();
}

void findings_row(struct findings *findings, const struct findings_cell *cells)
{
	json_t *row = json_object();

	for (size_t c = 0; c < findings->column_count; c++) {
		json_t *value = cells[c].text ? json_string(cells[c].text)
				: isfinite(cells[c].value) ? json_real(cells[c].value)
							   : json_null();

		json_object_set_new(row, findings->columns[c].key, value);
	}
	json_array_append_new(findings->rows, row);
}

/* For people with four digits; for files with all of them. */
static void cell_text(const json_t *row, const char *key, bool whole, char *text, size_t size)
{
	const json_t *value = json_object_get(row, key);

	if (json_is_string(value))
		snprintf(text, size, "%s", json_string_value(value));
	else if (json_is_number(value))
		snprintf(text, size, whole ? "%.9g" : "%.4g", json_number_value(value));
	else
		snprintf(text, size, "%s", whole ? "" : "-");
}

/* Characters, not bytes: continuations of UTF-8 take no room. */
static int width_of(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

static void print_cell(const char *text, int width, bool first)
{
	const int blanks = width - width_of(text);

	if (first)
		printf("  %s%*s", text, blanks, "");
	else
		printf("  %*s%s", blanks, "", text);
}

static void print_table(const struct findings *findings)
{
	int widths[FINDINGS_MAX_COLUMNS] = {0};
	char text[CELL_BYTES];
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < findings->column_count; c++) {
		widths[c] = width_of(findings->columns[c].label);
		json_array_foreach(findings->rows, i, row) {
			cell_text(row, findings->columns[c].key, false, text, sizeof(text));
			widths[c] = width_of(text) > widths[c] ? width_of(text) : widths[c];
		}
	}
	for (size_t c = 0; c < findings->column_count; c++)
		print_cell(findings->columns[c].label, widths[c], c == 0);
	putchar('\n');
	json_array_foreach(findings->rows, i, row) {
		for (size_t c = 0; c < findings->column_count; c++) {
			cell_text(row, findings->columns[c].key, false, text, sizeof(text));
			print_cell(text, widths[c], c == 0);
		}
		putchar('\n');
	}
}

static void page_table(struct findings *findings)
{
	const char *labels[FINDINGS_MAX_COLUMNS], *cells[FINDINGS_MAX_COLUMNS];
	char texts[FINDINGS_MAX_COLUMNS][CELL_BYTES];
	const json_t *row;
	size_t i;

	for (size_t c = 0; c < findings->column_count; c++)
		labels[c] = findings->columns[c].label;
	html_table_begin(findings->html, findings->caption, labels, findings->column_count);
	json_array_foreach(findings->rows, i, row) {
		for (size_t c = 0; c < findings->column_count; c++) {
			cell_text(row, findings->columns[c].key, false, texts[c], CELL_BYTES);
			cells[c] = texts[c];
		}
		html_table_row(findings->html, cells, findings->column_count);
	}
	html_table_end(findings->html);
}

static void csv_text(FILE *out, const char *text)
{
	const bool quoted = strpbrk(text, ",\"\n") != NULL;

	fputs(quoted ? "\"" : "", out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputs(quoted ? "\"" : "", out);
}

static int csv_table(const struct findings *findings, struct error *error)
{
	struct file_replace file;
	char path[4300], text[CELL_BYTES];
	const json_t *row;
	size_t i;
	int code;

	snprintf(path, sizeof(path), "%s/%s.csv", findings->folder, findings->name);
	code = file_replace_open(&file, path, error);
	if (code)
		return code;
	for (size_t c = 0; c < findings->column_count; c++)
		fprintf(file.stream, "%s%s", c ? "," : "", findings->columns[c].key);
	fputc('\n', file.stream);
	json_array_foreach(findings->rows, i, row) {
		for (size_t c = 0; c < findings->column_count; c++) {
			cell_text(row, findings->columns[c].key, true, text, sizeof(text));
			fputs(c ? "," : "", file.stream);
			csv_text(file.stream, text);
		}
		fputc('\n', file.stream);
	}
	return file_replace_commit(&file, error);
}

void findings_table_end(struct findings *findings)
{
	struct error error = {0};
	const int code = csv_table(findings, &error);
	const json_t *verdict;
	size_t i;

	if (code)
		fail(findings, code, &error);
	page_table(findings);
	if (is_told(findings))
		print_table(findings);
	json_object_set_new(findings->root, findings->name, findings->rows);
	findings->rows = NULL;
	json_array_foreach(findings->pending, i, verdict)
		tell_verdict(findings, json_string_value(verdict));
	json_decref(findings->pending);
	findings->pending = NULL;
}

void findings_value(struct findings *findings, const char *key, json_t *value)
{
	json_object_set_new(findings->root, key, value);
}

void findings_figure(struct findings *findings, const struct figure *figure, const char *name,
		     const char *caption)
{
	char svg[4400], link[256];
	struct error error = {0};
	const int code = figure_write(figure, findings->figures, name, &error);

	findings->no_gnuplot |= code == ERR_UNSUPPORTED;
	if (code && code != ERR_UNSUPPORTED)
		fail(findings, code, &error);
	snprintf(svg, sizeof(svg), "%s/%s.svg", findings->figures, name);
	snprintf(link, sizeof(link), "figures/%s.csv", name);
	html_figure(findings->html, svg, link, caption);
}

static int write_json(const struct findings *findings, const char *name, struct error *error)
{
	char *text = json_dumps(findings->root, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	char path[4300];
	int code;

	snprintf(path, sizeof(path), "%s/%s.json", findings->folder, name);
	code = text ? file_write_all(path, text, strlen(text), error)
		    : error_set(error, ERR_NO_MEMORY, "out of memory for a report");
	if (code == 0 && findings->common->json)
		puts(text);
	free(text);
	return code;
}

static int write_all(struct findings *findings, const char *name, struct error *error)
{
	char path[4300];
	int code = write_json(findings, name, error);

	snprintf(path, sizeof(path), "%s/report.html", findings->folder);
	if (code == 0) {
		code = html_close(findings->html, path, error);
		findings->html = NULL;
	}
	if (code == 0 && findings->no_gnuplot)
		fprintf(stderr,
			"aqmllm: warning: no pictures, there is no gnuplot; the numbers are in "
			"%s\n",
			findings->figures);
	if (code == 0 && is_told(findings))
		printf("\n%s\n", path);
	return code;
}

int findings_close(struct findings *findings, int code, const char *name, struct error *error)
{
	if (findings == NULL)
		return code;
	if (code == 0 && findings->failed) {
		*error = findings->failure;
		code = findings->failed;
	}
	if (code == 0)
		code = write_all(findings, name, error);
	if (code)
		file_remove_empty_folders(findings->figures, findings->kept);
	if (findings->html)
		html_close(findings->html, NULL, NULL);
	json_decref(findings->rows);
	json_decref(findings->pending);
	json_decref(findings->root);
	free(findings);
	return code;
}
