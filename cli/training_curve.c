/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.csv has the columns of struct trainer_epoch in their order.  A file
 * of an earlier version lacks the last of them: they are not numbers then.
 * Any other header is refused.
 */
#include "cli/training_curve.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/train_record.h"
#include "learn/sources.h"

#define COLUMNS (sizeof(struct trainer_epoch) / sizeof(double))

static const char header[] =
#define CURVE_COLUMN(name) #name ","
	TRAINER_EPOCH_TABLE(CURVE_COLUMN)
#undef CURVE_COLUMN
	;

/* Columns that the header names: ours, or the first of them; 0 for another file. */
static size_t parse_header(const char *line)
{
	const size_t length = strlen(line);
	size_t columns = 1;

	if (length + 1 > sizeof(header) - 1 || strncmp(line, header, length) != 0 ||
	    header[length] != ',')
		return 0;
	for (const char *c = line; *c; c++)
		columns += *c == ',';
	return columns;
}

static int parse_row(struct trainer_epoch *epoch, size_t columns, char *line, const char *path,
		     long number, struct error *error)
{
	double values[COLUMNS];
	char *cell = line;

	for (size_t i = columns; i < COLUMNS; i++)
		values[i] = NAN;
	for (size_t i = 0; i < columns; i++) {
		char *end;

		values[i] = strtod(cell, &end);
		if (end == cell)
			values[i] = NAN;
		if (*end != (i + 1 < columns ? ',' : '\0'))
			return error_at(error, ERR_INVALID, path, number, NULL,
					"needs %zu numbers; train again to make it anew", columns);
		cell = end + 1;
	}
	memcpy(epoch, values, sizeof(values));
	return 0;
}

static int parse(struct training_curve *curve, char *text, const char *path, struct error *error)
{
	size_t columns = 0;
	long number = 0;
	char *rest = NULL;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		struct trainer_epoch *more;
		int code;

		if (number++ == 0) {
			columns = parse_header(line);
			if (columns == 0)
				return error_at(error, ERR_INVALID, path, 1, NULL,
						"not the columns of aqmllm train");
			continue;
		}
		more = realloc(curve->epochs, (curve->count + 1) * sizeof(*more));
		if (more == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory for epochs");
		curve->epochs = more;
		code = parse_row(&more[curve->count], columns, line, path, number, error);
		if (code)
			return code;
		curve->count++;
	}
	return 0;
}

int training_curve_sources(struct sources *sources, const char *folder, struct error *error)
{
	const char *paths[SOURCES_MAX];
	char path[4096];
	json_t *root, *pools;
	size_t count = 0, i;
	json_t *item;
	int code = file_join(path, sizeof(path), folder, TRAIN_RECORD_FILE, error);

	if (code)
		return code;
	root = json_load_file(path, 0, NULL);
	pools = json_object_get(root, "pools");
	json_array_foreach(pools, i, item)
	{
		const char *pool = json_string_value(json_object_get(item, "path"));

		if (pool && count < SOURCES_MAX)
			paths[count++] = pool;
	}
	code = count == 0 ? error_at(error, ERR_INVALID, path, 0, "pools", "missing")
			  : sources_read(sources, paths, count,
					 json_number_value(json_object_get(
						 json_object_get(root, "options"), "held-out")),
					 error);
	json_decref(root);
	return code;
}

void training_curve_score(struct training_curve *curve, const char *folder)
{
	struct sources sources = {.count = 0};
	struct error gone = {0};

	if (training_curve_sources(&sources, folder, &gone) == 0) {
		curve->has_baselines = sources.cut < sources.pool.rows;
		for (int b = 0; b < BASELINES && curve->has_baselines; b++) {
			struct metrics metrics;

			baseline_score((enum baseline)b, &sources.pool, sources.cut,
				       sources.pool.rows, NULL, &metrics);
			curve->baselines[b] = metrics_summarise(&metrics);
		}
	}
	sources_free(&sources);
}

int training_curve_read(struct training_curve *curve, const char *folder, struct error *error)
{
	char path[4096], *text;
	size_t size;
	int code = file_join(path, sizeof(path), folder, TRAIN_METRICS_FILE, error);

	memset(curve, 0, sizeof(*curve));
	if (code || !file_exists(path))
		return code;
	code = file_read_all(path, &text, &size, error);
	if (code)
		return code;
	code = parse(curve, text, path, error);
	free(text);
	if (code)
		training_curve_free(curve);
	return code;
}

void training_curve_free(struct training_curve *curve)
{
	free(curve->epochs);
	memset(curve, 0, sizeof(*curve));
}
