/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The record is written before the run begins, when no other run's checkpoint is left, so that a
 * checkpoint beside it is always of the run that it tells of.
 */
#include "cli/training_stage.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/train_record.h"
#include "cli/training_curve.h"
#include "policy/reference.h"

struct record {
	char path[4200], checkpoint[4200], metrics[4200];
	json_t *run;    /* owned: the command and its pool */
	json_t *before; /* owned: what the file held, of the same run; NULL: nothing */
};

/* What makes a run the same: the words that were said, and the pool's bytes. */
static json_t *run_json(const struct stages *stages, uint64_t checksum)
{
	json_t *words = json_array();
	char hex[20];

	for (size_t i = 0; i < stages->words; i++)
		json_array_append_new(words, json_string(stages->word[i]));
	snprintf(hex, sizeof(hex), "%016" PRIx64, checksum);
	return json_pack("{s:o, s:s}", "train", words, "pool", hex);
}

static int record_open(struct record *record, const struct stages *stages, const char *pool,
		       const char *folder, struct error *error)
{
	uint64_t checksum;
	int code = reference_file_checksum(&checksum, pool, error);

	*record = (struct record){.run = NULL};
	if (code == 0)
		code = file_join(record->checkpoint, sizeof(record->checkpoint), folder,
				 TRAINER_CHECKPOINT, error);
	if (code == 0)
		code = file_join(record->metrics, sizeof(record->metrics), folder,
				 TRAIN_METRICS_FILE, error);
	if (code)
		return code;
	snprintf(record->path, sizeof(record->path), "%.4190s.json", folder);
	record->run = run_json(stages, checksum);
	if (record->run == NULL)
		return error_at(error, ERR_INVALID, pool, 0, NULL, "names must be UTF-8");
	record->before = json_load_file(record->path, 0, NULL);
	if (!json_equal(json_object_get(record->before, "run"), record->run)) {
		json_decref(record->before);
		record->before = NULL;
	}
	return 0;
}

static void record_close(struct record *record)
{
	json_decref(record->run);
	json_decref(record->before);
}

/* `stages` holds the figures of a run that has finished; NULL: it begins. */
static int record_write(const struct record *record, const struct stages *stages,
			struct error *error)
{
	json_t *root = stages ? json_pack("{s:O, s:f, s:I}", "run", record->run, "seconds",
					  stages->seconds, "peak_bytes",
					  (json_int_t)stages->peak_bytes)
			      : json_pack("{s:O}", "run", record->run);
	char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
	const int code = text ? file_write_all(record->path, text, strlen(text), error)
			      : error_set(error, ERR_NO_MEMORY, "out of memory");

	free(text);
	json_decref(root);
	return code;
}

static int begin(struct stages *stages, const struct record *record, const char *title,
		 struct error *error)
{
	int code;

	unlink(record->checkpoint);
	code = record_write(record, NULL, error);
	return code ? code : stages_run(stages, title, error);
}

/* Processes before this one took time and memory, too: what epochs tell of that. */
static int resume(struct stages *stages, const char *title, const char *folder, struct error *error)
{
	struct training_curve curve;
	int code;

	stages->words = 0;
	stages_say(stages, "train", "--resume", "-o", folder);
	code = stages_run(stages, title, error);
	if (code == 0)
		code = training_curve_read(&curve, folder, error);
	if (code)
		return code;
	stages->seconds = 0;
	for (size_t i = 0; i < curve.count; i++) {
		const double peak = 1e6 * curve.epochs[i].peak_mb;

		stages->seconds += curve.epochs[i].seconds;
		if (peak > (double)stages->peak_bytes)
			stages->peak_bytes = (uint64_t)peak;
	}
	training_curve_free(&curve);
	return 0;
}

int training_stage_run(struct stages *stages, const char *title, const char *pool,
		       const char *folder, struct error *error)
{
	struct record record;
	const json_t *seconds;
	int code = record_open(&record, stages, pool, folder, error);

	seconds = json_object_get(record.before, "seconds");
	if (code == 0 && seconds && file_exists(record.metrics)) {
		stages_take_over(stages, title, json_number_value(seconds),
				 (uint64_t)json_integer_value(
					 json_object_get(record.before, "peak_bytes")));
	} else if (code == 0) {
		code = record.before && file_exists(record.checkpoint)
			       ? resume(stages, title, folder, error)
			       : begin(stages, &record, title, error);
		if (code == 0)
			code = record_write(&record, stages, error);
	}
	record_close(&record);
	return code;
}
