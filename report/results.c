/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows in the order in which they were added, and an order of their names for
 * lookups: a sweep of many networks has a million rows.
 */
#include "report/results.h"

#include <inttypes.h>
#include <math.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "report/table.h"

void results_init(struct results *results)
{
	*results = (struct results){0};
}

static void free_names(struct result_name *name)
{
	while (name) {
		struct result_name *next = name->next;

		free(name);
		name = next;
	}
}

void results_free(struct results *results)
{
	free(results->rows);
	free(results->order);
	free_names(results->scenarios);
	free_names(results->aqms);
	free_names(results->metrics);
	results_init(results);
}

/* The text among the names, which it joins when it is new; NULL without memory. */
static const char *known_name(struct result_name **names, const char *text)
{
	struct result_name *name = *names;

	while (name && strcmp(name->text, text) != 0)
		name = name->next;
	if (name)
		return name->text;
	name = malloc(sizeof(*name) + strlen(text) + 1);
	if (name == NULL)
		return NULL;
	strcpy(name->text, text);
	name->next = *names;
	*names = name;
	return name->text;
}

int results_add(struct results *results, const char *scenario, uint64_t seed, const char *aqm,
		const char *metric, double value)
{
	const struct result_row row = {
		.scenario = known_name(&results->scenarios, scenario),
		.aqm = known_name(&results->aqms, aqm),
		.metric = known_name(&results->metrics, metric),
		.seed = seed,
		.value = value,
	};

	if (!row.scenario || !row.aqm || !row.metric)
		return ERR_NO_MEMORY;
	if (results->count == results->capacity) {
		const size_t capacity = results->capacity ? 2 * results->capacity : 256;
		struct result_row *rows = realloc(results->rows, capacity * sizeof(*rows));

		if (rows == NULL)
			return ERR_NO_MEMORY;
		results->rows = rows;
		results->capacity = capacity;
	}
	results->rows[results->count++] = row;
	return 0;
}

/* By scenario, aqm and metric. */
static int compare_names(const struct result_row *a, const struct result_row *b)
{
	int order = strcmp(a->scenario, b->scenario);

	if (order == 0)
		order = strcmp(a->aqm, b->aqm);
	return order ? order : strcmp(a->metric, b->metric);
}

static int compare_rows(const void *a, const void *b, void *rows)
{
	const struct result_row *left = (struct result_row *)rows + *(const size_t *)a;
	const struct result_row *right = (struct result_row *)rows + *(const size_t *)b;
	const int order = compare_names(left, right);

	return order ? order : (left->seed > right->seed) - (left->seed < right->seed);
}

int results_index(struct results *results)
{
	size_t *order = realloc(results->order, (results->count + 1) * sizeof(*order));

	if (order == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < results->count; i++)
		order[i] = i;
	qsort_r(order, results->count, sizeof(*order), compare_rows, results->rows);
	results->order = order;
	results->ordered = results->count;
	return 0;
}

/* Rows of one (scenario, aqm, metric), in order of their seeds. */
struct range {
	const struct results *results;
	size_t first, end;
};

static const struct result_row *row_at(const struct results *results, size_t place)
{
	return &results->rows[results->order[place]];
}

/* The first place whose names are not before `names` (`after`: that are past them). */
static size_t find_place(const struct results *results, const struct result_row *names, bool after)
{
	size_t low = 0, high = results->ordered;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = compare_names(row_at(results, middle), names);

		if (order < 0 || (after && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct range find_range(const struct results *results, const char *scenario, const char *aqm,
			       const char *metric)
{
	const struct result_row names = {.scenario = scenario, .aqm = aqm, .metric = metric};

	return (struct range){results, find_place(results, &names, false),
			      find_place(results, &names, true)};
}

/* The range's value for a seed; NaN when it has none. */
static double value_of(struct range range, uint64_t seed)
{
	while (range.first < range.end) {
		const size_t middle = range.first + (range.end - range.first) / 2;
		const struct result_row *row = row_at(range.results, middle);

		if (row->seed == seed)
			return row->value;
		if (row->seed < seed)
			range.first = middle + 1;
		else
			range.end = middle;
	}
	return NAN;
}

/* Of the finite values, less those of `baseline` where it is not NULL. */
static struct interval interval_of(struct range range, const struct range *baseline)
{
	const size_t count = range.end - range.first;
	double *values = malloc((count + 1) * sizeof(*values));
	struct interval interval;

	for (size_t i = 0; values && i < count; i++) {
		const struct result_row *row = row_at(range.results, range.first + i);

		values[i] = row->value - (baseline ? value_of(*baseline, row->seed) : 0);
	}
	interval = statistics_finite_interval(values, values ? count : 0);
	free(values);
	return interval;
}

struct interval results_interval(const struct results *results, const char *scenario,
				 const char *aqm, const char *metric)
{
	return interval_of(find_range(results, scenario, aqm, metric), NULL);
}

struct interval results_paired(const struct results *results, const char *scenario, const char *aqm,
			       const char *baseline, const char *metric)
{
	const struct range other = find_range(results, scenario, baseline, metric);

	return interval_of(find_range(results, scenario, aqm, metric), &other);
}

int results_write_csv(const struct results *results, const char *path, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	fputs("scenario,seed,aqm,metric,value\n", file.stream);
	for (size_t i = 0; i < results->count; i++) {
		const struct result_row *row = &results->rows[i];

		fprintf(file.stream, "%s,%" PRIu64 ",%s,%s,", row->scenario, row->seed, row->aqm,
			row->metric);
		if (isfinite(row->value))
			fprintf(file.stream, "%.12g", row->value);
		fputc('\n', file.stream);
	}
	return file_replace_commit(&file, error);
}

static int read_row(struct results *results, const char *path, long line, char *text,
		    struct error *error)
{
	char *cells[6], *seed_end, *value_end;
	uint64_t seed;
	double value;

	if (table_cut(text, cells, 6) != 5)
		return error_at(error, ERR_INVALID, path, line, NULL,
				"needs five cells: scenario,seed,aqm,metric,value");
	seed = strtoull(cells[1], &seed_end, 10);
	value = cells[4][0] ? strtod(cells[4], &value_end) : NAN;
	if (cells[1][0] == '\0' || *seed_end)
		return error_at(error, ERR_INVALID, path, line, "seed",
				"'%.40s' is not a whole number", cells[1]);
	if (cells[4][0] && *value_end)
		return error_at(error, ERR_INVALID, path, line, "value",
				"'%.40s' is not a number", cells[4]);
	if (results_add(results, cells[0], seed, cells[2], cells[3], value))
		return error_at(error, ERR_NO_MEMORY, path, 0, NULL,
				"too large for this machine's memory");
	return 0;
}

int results_read_csv(struct results *results, const char *path, struct error *error)
{
	FILE *stream = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	long line = 1;
	int code = 0;

	if (stream == NULL)
		return error_errno(error, path, "opening");
	if (getline(&text, &size, stream) < 0 ||
	    strncmp(text, "scenario,seed,aqm,metric,value", 30) != 0)
		code = error_at(error, ERR_INVALID, path, 1, NULL,
				"is not a results.csv: its header is "
				"scenario,seed,aqm,metric,value");
	while (code == 0 && getline(&text, &size, stream) >= 0)
		code = read_row(results, path, ++line, text, error);
	if (code == 0 && ferror(stream))
		code = error_errno(error, path, "reading");
	free(text);
	fclose(stream);
	return code;
}

static int insert_rows(sqlite3 *database, const struct results *results)
{
	sqlite3_stmt *insert = NULL;
	int code = sqlite3_exec(database,
				"BEGIN; CREATE TABLE results (scenario TEXT NOT NULL, seed INTEGER "
				"NOT NULL, aqm TEXT NOT NULL, metric TEXT NOT NULL, value REAL);",
				NULL, NULL, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(database, "INSERT INTO results VALUES (?, ?, ?, ?, ?)",
					  -1, &insert, NULL);
	for (size_t i = 0; code == SQLITE_OK && i < results->count; i++) {
		const struct result_row *row = &results->rows[i];

		sqlite3_reset(insert);
		sqlite3_bind_text(insert, 1, row->scenario, -1, SQLITE_STATIC);
		sqlite3_bind_int64(insert, 2, (sqlite3_int64)row->seed);
		sqlite3_bind_text(insert, 3, row->aqm, -1, SQLITE_STATIC);
		sqlite3_bind_text(insert, 4, row->metric, -1, SQLITE_STATIC);
		if (isfinite(row->value))
			sqlite3_bind_double(insert, 5, row->value);
		else
			sqlite3_bind_null(insert, 5);
		code = sqlite3_step(insert) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
	}
	sqlite3_finalize(insert);
	return code == SQLITE_OK ? sqlite3_exec(database, "COMMIT;", NULL, NULL, NULL) : code;
}

int results_write_database(const struct results *results, const char *path, struct error *error)
{
	char temporary[4200];
	sqlite3 *database = NULL;
	int code = 0;

	snprintf(temporary, sizeof(temporary), "%s.tmp-%ld", path, (long)getpid());
	unlink(temporary);
	if (sqlite3_open(temporary, &database) != SQLITE_OK ||
	    insert_rows(database, results) != SQLITE_OK)
		code = error_at(error, ERR_IO, path, 0, NULL, "cannot write the database: %s",
				database ? sqlite3_errmsg(database) : "out of memory");
	sqlite3_close(database);
	if (code == 0 && rename(temporary, path))
		code = error_errno(error, path, "cannot replace");
	if (code)
		unlink(temporary);
	return code;
}
