/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios of a suite, from a file, a folder, or the library.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/data_files.h"
#include "cli/trial.h"

static int append_scenario(struct trial *trial, const char *path, struct error *error)
{
	struct scenario *more =
		realloc(trial->scenarios, (trial->scenario_count + 1) * sizeof(*trial->scenarios));
	int code;

	if (more == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for scenarios");
	trial->scenarios = more;
	code = scenario_read(&more[trial->scenario_count], path, error);
	if (code)
		return code;
	for (size_t i = 0; i < trial->scenario_count; i++)
		if (strcmp(more[i].name, more[trial->scenario_count].name) == 0)
			code = error_at(error, ERR_INVALID, path, 0, "name",
					"%s is the name of another scenario of this suite",
					more[i].name);
	trial->scenario_count++;
	return code;
}

static int is_yaml(const struct dirent *entry)
{
	return file_has_suffix(entry->d_name, ".yaml") || file_has_suffix(entry->d_name, ".yml");
}

static int read_folder(struct trial *trial, const char *folder, struct error *error)
{
	struct dirent **entries;
	const int count = scandir(folder, &entries, is_yaml, alphasort);
	int code = count == 0 ? error_at(error, ERR_INVALID, folder, 0, NULL,
					 "no scenario (*.yaml) in this folder")
			      : 0;

	if (count < 0)
		return error_errno(error, folder, "cannot list");
	for (int i = 0; i < count; i++) {
		char path[4096];

		if (code == 0)
			code = file_join(path, sizeof(path), folder, entries[i]->d_name, error);
		if (code == 0)
			code = append_scenario(trial, path, error);
		free(entries[i]);
	}
	free(entries);
	return code;
}

int trial_read_suite(struct trial *trial, const char *suite, struct error *error)
{
	char path[4096];
	struct stat status;
	int code;

	if (stat(suite, &status) != 0) {
		code = data_file_find(path, sizeof(path), "scenarios", suite, ".yaml", error);
		return code ? code : append_scenario(trial, path, error);
	}
	if (S_ISDIR(status.st_mode))
		return read_folder(trial, suite, error);
	return append_scenario(trial, suite, error);
}
