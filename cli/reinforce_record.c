/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows go out before the state: after a kill between the two there is a row
 * that the state does not know, which resuming drops.
 */
#include "cli/reinforce_record.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/student_folder.h"
#include "report/figure.h"

#define CHECKPOINT "checkpoint.safetensors"
#define PROGRESS "progress.csv"
#define PATH_BYTES 4200
#define COLUMNS (sizeof(struct reinforce_row) / sizeof(double))

static const char header[] =
#define REINFORCE_COLUMN(name, doc) "," #name
	REINFORCE_ROW_TABLE(REINFORCE_COLUMN)
#undef REINFORCE_COLUMN
	;

static int path_of(const struct reinforce_record *record, const char *name, char path[PATH_BYTES],
		   struct error *error)
{
	return file_join(path, PATH_BYTES, record->folder, name, error);
}

int reinforce_record_open(struct reinforce_record *record, bool resume, struct error *error)
{
	char path[PATH_BYTES];
	int code = path_of(record, CHECKPOINT, path, error);

	if (code == 0 && file_exists(path) && !resume)
		return error_at(error, ERR_INVALID, record->folder, 0, "--output",
				"holds a run: go on with --resume, or name a new folder");
	if (code == 0 && resume && !file_exists(path))
		return error_at(error, ERR_INVALID, record->folder, 0, "--resume",
				"holds no run to go on with");
	return code ? code : file_make_folders(record->folder, error);
}

void reinforce_record_free(struct reinforce_record *record)
{
	free(record->rows);
	record->rows = NULL;
	record->count = 0;
}

static int append(struct reinforce_record *record, const struct reinforce_row *row,
		  struct error *error)
{
	struct reinforce_row *more =
		realloc(record->rows, (record->count + 1) * sizeof(*record->rows));

	if (more == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	record->rows = more;
	more[record->count++] = *row;
	return 0;
}

/* A line of numbers, empty where there is none; false: it is none of ours. */
static bool parse_row(char *line, struct reinforce_row *row)
{
	double values[COLUMNS];

	for (size_t i = 0; i < COLUMNS; i++) {
		char *cell = strsep(&line, ","), *end;

		if (cell == NULL)
			return false;
		values[i] = strtod(cell, &end);
		if (end == cell)
			values[i] = NAN;
		if (*end)
			return false;
	}
	memcpy(row, values, sizeof(values));
	return line == NULL;
}

static int read_rows(struct reinforce_record *record, uint64_t generations, struct error *error)
{
	char path[PATH_BYTES], *text, *rest, *line;
	size_t size;
	long number = 1;
	int code = path_of(record, PROGRESS, path, error);

	if (code == 0)
		code = file_read_all(path, &text, &size, error);
	if (code)
		return code;
	rest = text;
	line = strsep(&rest, "\n");
	if (strcmp(line, header + 1) != 0)
		code = error_at(error, ERR_INVALID, path, 1, NULL, "has other columns");
	while (code == 0 && (line = strsep(&rest, "\n")) && *line) {
		struct reinforce_row row;

		number++;
		if (!parse_row(line, &row))
			code = error_at(error, ERR_INVALID, path, number, NULL, "needs %zu numbers",
					COLUMNS);
		else if (row.generation <= (double)generations)
			code = append(record, &row, error);
	}
	free(text);
	return code;
}

static void put_rows(FILE *out, const struct reinforce_record *record)
{
	fprintf(out, "%s\n", header + 1);
	for (size_t i = 0; i < record->count; i++) {
		double values[COLUMNS];

		memcpy(values, &record->rows[i], sizeof(values));
		for (size_t c = 0; c < COLUMNS; c++) {
			if (isfinite(values[c]))
				fprintf(out, "%.9g", values[c]);
			fputc(c + 1 < COLUMNS ? ',' : '\n', out);
		}
	}
}

static int write_rows(const struct reinforce_record *record, struct error *error)
{
	struct file_replace file;
	char path[PATH_BYTES];
	int code = path_of(record, PROGRESS, path, error);

	if (code == 0)
		code = file_replace_open(&file, path, error);
	if (code)
		return code;
	put_rows(file.stream, record);
	code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

int reinforce_record_resume(struct reinforce_record *record, struct reinforce *reinforce,
			    struct error *error)
{
	char path[PATH_BYTES];
	int code = path_of(record, CHECKPOINT, path, error);

	if (code == 0)
		code = reinforce_load(reinforce, path, record->fingerprint, error);
	if (code == 0)
		code = read_rows(record, reinforce->evolution.generation, error);
	return code ? code : write_rows(record, error);
}

static json_t *trained_json(const struct reinforce_record *record,
			    const struct reinforce *reinforce)
{
	json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "by", "aqmllm reinforce", "suite",
				 record->suite, "reward", record->reward, "generation",
				 (json_int_t)reinforce->best_generation);

	if (json && isfinite(reinforce->best_reward))
		json_object_set_new(json, "held_back_reward", json_real(reinforce->best_reward));
	return json;
}

static int write_student(const struct reinforce_record *record, const struct reinforce *reinforce,
			 struct error *error)
{
	struct aqm_student_model *model = malloc(sizeof(*model));
	int code = model ? reinforce_student(reinforce, model, error)
			 : error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0)
		code = student_folder_write(record->folder, model, trained_json(record, reinforce),
					    error);
	free(model);
	return code;
}

int reinforce_record_add(struct reinforce_record *record, struct reinforce *reinforce,
			 const struct reinforce_row *row, struct error *error)
{
	char path[PATH_BYTES];
	int code = append(record, row, error);

	if (code == 0)
		code = write_rows(record, error);
	if (code == 0)
		code = write_student(record, reinforce, error);
	if (code == 0)
		code = path_of(record, CHECKPOINT, path, error);
	return code ? code : reinforce_save(reinforce, path, record->fingerprint, error);
}

static void add_curve(struct figure *figure, const struct reinforce_record *record,
		      const char *name, size_t column, double *room)
{
	double *x = room, *y = room + record->count;
	size_t count = 0;

	for (size_t i = 0; i < record->count; i++) {
		double values[COLUMNS];

		memcpy(values, &record->rows[i], sizeof(values));
		if (!isfinite(values[column]))
			continue;
		x[count] = record->rows[i].generation;
		y[count++] = values[column];
	}
	figure->series[figure->series_count++] =
		(struct figure_series){.name = name, .x = x, .y = y, .count = count};
}

int reinforce_record_picture(const struct reinforce_record *record, struct error *error)
{
	struct figure figure = {
		.kind = FIGURE_LINES,
		.title = "Reinforcement: reward over the reference law",
		.x_label = "generation",
		.y_label = "reward",
		.lines = {{"the reference", 0}},
		.line_count = 1,
	};
	char path[PATH_BYTES];
	double *room = calloc(4 * record->count + 1, sizeof(*room));
	int code = room ? path_of(record, "figures", path, error)
			: error_set(error, ERR_NO_MEMORY, "out of memory");

	if (code == 0)
		code = file_make_folders(path, error);
	if (code == 0) {
		add_curve(&figure, record, "candidates, mean",
			  offsetof(struct reinforce_row, reward_mean) / sizeof(double), room);
		add_curve(&figure, record, "student, networks held back",
			  offsetof(struct reinforce_row, held_back) / sizeof(double),
			  room + 2 * record->count);
		code = figure_write(&figure, path, "curve", error);
	}
	free(room);
	return code == ERR_UNSUPPORTED ? 0 : code;
}
