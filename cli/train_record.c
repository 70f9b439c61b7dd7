/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * train.json and metrics.csv.
 *
 * The options travel through their own table: each is written under its name
 * with the value that its variable holds, and read back into the variable.  So
 * an option that is added to `train` is part of the record, of the fingerprint
 * and of --resume without another line.
 */
#include "cli/train_record.h"

#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/train_database.h"
#include "policy/reference.h"

#define RNG_USES 1000

/* Options that say where and how, not what. */
static bool is_recorded(const struct option *option)
{
	static const char *const left_out[] = {"output", "resume", "checkpoint"};

	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (strcmp(option->name, left_out[i]) == 0)
			return false;
	return option->kind != OPTION_LIST;
}

static json_t *option_json(const struct option *option)
{
	switch (option->kind) {
	case OPTION_FLAG:
		return json_boolean(*(const bool *)option->value);
	case OPTION_TEXT:
	case OPTION_MAYBE:
		return json_string(*(const char *const *)option->value);
	case OPTION_U64:
		return json_integer((json_int_t) * (const uint64_t *)option->value);
	case OPTION_DOUBLE:
		return json_real(*(const double *)option->value);
	case OPTION_LIST:
		break;
	}
	return NULL;
}

/* False when `value` is not of the option's kind or range. */
static bool option_assign(const struct option *option, const json_t *value)
{
	const double number = json_number_value(value);
	const bool bounded = option->min != 0 || option->max != 0;

	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)option->value = json_is_true(value);
		return json_is_boolean(value);
	case OPTION_TEXT:
	case OPTION_MAYBE:
		if (json_is_string(value))
			*(const char **)option->value = json_string_value(value);
		return json_is_string(value);
	case OPTION_U64:
		*(uint64_t *)option->value = (uint64_t)json_integer_value(value);
		return json_is_integer(value) &&
		       (!bounded || (number >= option->min && number <= option->max));
	case OPTION_DOUBLE:
		*(double *)option->value = number;
		return json_is_number(value) &&
		       (!bounded || (number >= option->min && number <= option->max));
	case OPTION_LIST:
		break;
	}
	return false;
}

/* [{"path": ..., "checksum": ...}, ...] */
static int pools_json(const struct train_record *record, json_t **out, struct error *error)
{
	*out = json_array();
	for (size_t i = 0; i < record->pool_count; i++) {
		uint64_t checksum;
		char hex[20];
		const int status = reference_file_checksum(&checksum, record->pools[i], error);

		if (status)
			return status;
		snprintf(hex, sizeof(hex), "%016" PRIx64, checksum);
		json_array_append_new(
			*out, json_pack("{s:s, s:s}", "path", record->pools[i], "checksum", hex));
	}
	return 0;
}

static int make_fingerprint(struct train_record *record, const struct option *options,
			    struct error *error)
{
	json_t *list = json_object(), *pools, *root;
	int status = pools_json(record, &pools, error);

	for (const struct option *option = options; option->name; option++)
		if (is_recorded(option))
			json_object_set_new(list, option->name, option_json(option));
	root = json_pack("{s:i, s:o, s:o}", "version", 2, "pools", pools, "options", list);
	record->fingerprint =
		root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(17)) : NULL;
	json_decref(root);
	if (!status && !record->fingerprint)
		status = error_at(error, ERR_INVALID, record->pools[0], 0, NULL,
				  "names of files and options must be UTF-8");
	return status;
}

static int add_pool(struct train_record *record, const char *pool, struct error *error)
{
	char path[PATH_MAX];
	char *copy;

	if (record->pool_count == SOURCES_MAX)
		return error_set(error, ERR_RANGE, "a policy is trained on at most %d pools",
				 SOURCES_MAX);
	if (!realpath(pool, path))
		return error_errno(error, pool, "open");
	copy = strdup(path);
	if (!copy)
		return error_set(error, ERR_NO_MEMORY, "name of a pool");
	record->pools[record->pool_count++] = copy;
	return 0;
}

int train_record_new(struct train_record *record, const char *directory,
		     const struct option *options, const char *const *pools, size_t count,
		     struct error *error)
{
	int status = 0;

	memset(record, 0, sizeof(*record));
	record->directory = directory;
	for (size_t i = 0; !status && i < count; i++)
		status = add_pool(record, pools[i], error);
	return status ? status : make_fingerprint(record, options, error);
}

static int assign_options(const struct train_record *record, const struct option *options,
			  const char *path, struct error *error)
{
	const json_t *list = json_object_get(record->root, "options");

	for (const struct option *option = options; option->name; option++)
		if (is_recorded(option) &&
		    !option_assign(option, json_object_get(list, option->name)))
			return error_at(error, ERR_INVALID, path, 0, option->name,
					"missing or not a value this option takes");
	return 0;
}

/* The pools of the record; `pools` (count of them), when named again, must be these. */
static int read_pools(struct train_record *record, const char *path, const char *const *pools,
		      size_t count, struct error *error)
{
	const json_t *list = json_object_get(record->root, "pools");
	const size_t recorded = json_array_size(list);
	char given[PATH_MAX];
	int status = 0;

	if (recorded == 0)
		return error_at(error, ERR_INVALID, path, 0, "pools", "missing");
	for (size_t i = 0; !status && i < recorded; i++) {
		const char *name =
			json_string_value(json_object_get(json_array_get(list, i), "path"));

		if (!name)
			return error_at(error, ERR_INVALID, path, 0, "path", "missing");
		if (i < count && (!realpath(pools[i], given) || strcmp(given, name) != 0))
			return error_at(error, ERR_INVALID, pools[i], 0, NULL,
					"the run to be resumed trains on %s", name);
		status = add_pool(record, name, error);
	}
	if (!status && count && count != recorded)
		status = error_at(error, ERR_INVALID, path, 0, "pools",
				  "the run to be resumed trains on %zu pools, not %zu", recorded,
				  count);
	return status;
}

int train_record_read(struct train_record *record, const char *directory,
		      const struct option *options, const char *const *pools, size_t count,
		      struct error *error)
{
	char path[PATH_MAX], *text;
	json_error_t fault;
	size_t size;
	int status = file_join(path, sizeof(path), directory, TRAIN_RECORD_FILE, error);

	memset(record, 0, sizeof(*record));
	record->directory = directory;
	if (!status)
		status = file_read_all(path, &text, &size, error);
	if (status)
		return status;
	record->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &fault);
	free(text);
	if (!record->root)
		return error_at(error, ERR_INVALID, path, fault.line, NULL, "not JSON: %s",
				fault.text);
	status = read_pools(record, path, pools, count, error);
	if (!status)
		status = assign_options(record, options, path, error);
	return status ? status : make_fingerprint(record, options, error);
}

void train_record_free(struct train_record *record)
{
	for (size_t i = 0; i < record->pool_count; i++)
		free(record->pools[i]);
	free(record->fingerprint);
	json_decref(record->root);
	memset(record, 0, sizeof(*record));
}

int train_record_begin(const struct train_record *record, struct error *error)
{
	static const char *const stale[] = {TRAINER_CHECKPOINT, TRAIN_METRICS_FILE,
					    TRAIN_DATABASE_FILE};
	char path[PATH_MAX];
	int status = file_make_folders(record->directory, error);

	for (size_t i = 0; !status && i < sizeof(stale) / sizeof(stale[0]); i++) {
		status = file_join(path, sizeof(path), record->directory, stale[i], error);
		if (!status)
			unlink(path);
	}
	if (!status)
		status = file_join(path, sizeof(path), record->directory, TRAIN_RECORD_FILE, error);
	return status ? status
		      : file_write_all(path, record->fingerprint, strlen(record->fingerprint),
				       error);
}

bool train_record_has_checkpoint(const struct train_record *record)
{
	char path[PATH_MAX];

	return file_join(path, sizeof(path), record->directory, TRAINER_CHECKPOINT, NULL) == 0 &&
	       file_exists(path);
}

static void write_epoch(FILE *stream, const struct trainer_epoch *epoch)
{
	const double *values = &epoch->epoch;
	const size_t columns = sizeof(*epoch) / sizeof(double);

	for (size_t i = 0; i < columns; i++) {
		if (!isnan(values[i]))
			fprintf(stream, "%.9g", values[i]);
		fputc(i + 1 < columns ? ',' : '\n', stream);
	}
}

int train_record_metrics(const struct train_record *record, const struct trainer_epoch *history,
			 size_t count, struct error *error)
{
	static const char header[] =
#define HEADER_NAME(name) "," #name
		TRAINER_EPOCH_TABLE(HEADER_NAME)
#undef HEADER_NAME
			"\n";
	struct file_replace file;
	char path[PATH_MAX];
	int status = file_join(path, sizeof(path), record->directory, TRAIN_METRICS_FILE, error);

	if (!status)
		status = file_replace_open(&file, path, error);
	if (status)
		return status;
	fputs(header + 1, file.stream);
	for (size_t i = 0; i < count; i++)
		write_epoch(file.stream, &history[i]);
	status = file_replace_commit(&file, error);
	if (status)
		file_replace_abort(&file);
	if (!status)
		status = file_join(path, sizeof(path), record->directory, TRAIN_DATABASE_FILE,
				   error);
	return status ? status : train_database_write(path, history, count, error);
}

int train_record_print(const struct train_record *record, const struct trainer_epoch *kept,
		       size_t epochs, int64_t parameters, int64_t trainable, struct error *error)
{
	static const char *const names[] = {
#define COLUMN_NAME(name) #name,
		TRAINER_EPOCH_TABLE(COLUMN_NAME)
#undef COLUMN_NAME
	};
	const double *values = &kept->epoch;
	json_t *figures = json_object();
	json_t *root;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		json_object_set_new(figures, names[i],
				    isnan(values[i]) ? json_null() : json_real(values[i]));
	root = json_pack("{s:s, s:I, s:o, s:I, s:I}", "directory", record->directory, "epochs",
			 (json_int_t)epochs, "kept", figures, "parameters", (json_int_t)parameters,
			 "trainable", (json_int_t)trainable);
	if (!root)
		return error_set(error, ERR_INVALID, "the folder's name is not UTF-8");
	json_dumpf(root, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(root);
	return 0;
}

int train_record_reference(struct policy_backbone *backbone, const char *reference,
			   struct error *error)
{
	char path[PATH_MAX];

	if (strcmp(reference, REFERENCE_BUILTIN) == 0)
		snprintf(path, sizeof(path), "%s", reference);
	else if (!realpath(reference, path))
		return error_errno(error, reference, "open");
	snprintf(backbone->reference, sizeof(backbone->reference), "%.4095s", path);
	return 0;
}

struct rng train_record_rng(uint64_t seed, uint64_t use)
{
	struct rng root;

	rng_seed(&root, seed);
	return rng_split(&root, RNG_USES + use);
}
