/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scenarios/ as it is on disk; nothing is registered anywhere.
 */
#include "cli/library.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/data_files.h"
#include "policy/reference.h"
#include "sim/suite.h"

int library_is_scenario(const struct dirent *entry)
{
	return file_has_suffix(entry->d_name, ".yaml") || file_has_suffix(entry->d_name, ".yml");
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

int library_each(int (*take)(void *context, const char *path, const char *name, bool folder),
		 void *context, struct error *error)
{
	char root[4096], path[4096 + 256];
	struct dirent **entries;
	int code = data_file_find(root, sizeof(root), "scenarios", ".", "", error), count;

	if (code)
		return code;
	count = scandir(root, &entries, is_shown, alphasort);
	if (count < 0)
		return error_errno(error, root, "cannot list");
	for (int i = 0; i < count; i++) {
		char *name = entries[i]->d_name, *suffix = strrchr(name, '.');
		bool folder;

		snprintf(path, sizeof(path), "%s/%s", root, name);
		folder = file_is_folder(path);
		if (!folder && suffix)
			*suffix = '\0';
		if (code == 0 && (folder || (suffix && strcmp(suffix + 1, "yaml") == 0)))
			code = take(context, path, name, folder);
		free(entries[i]);
	}
	free(entries);
	return code;
}

struct names {
	char text[384];
	size_t used;
};

static int add_name(void *context, const char *path, const char *name, bool folder)
{
	struct names *names = context;

	(void)path;
	(void)folder;
	if (names->used < sizeof(names->text))
		names->used += (size_t)snprintf(names->text + names->used,
						sizeof(names->text) - names->used, "%s%s",
						names->used ? ", " : "", name);
	return 0;
}

static int unknown(const char *name, struct error *error)
{
	struct names names = {0}, sampled = {0};

	for (const struct suite *suite = suites; suite->name; suite++) {
		const size_t length = strlen(suite->name);

		if (strncmp(name, suite->name, length) == 0 &&
		    (name[length] == '\0' || name[length] == ':'))
			return error_at(error, ERR_INVALID, name, 0, NULL,
					"is no scenario but a sampled suite: aqmllm evaluate "
					"takes it as %s:NUMBER:SEED, aqmllm scenarios --suite %s "
					"-o DIR writes its files",
					suite->name, suite->name);
		add_name(&sampled, NULL, suite->name, false);
	}
	library_each(add_name, &names, NULL);
	return error_at(error, ERR_NOT_FOUND, name, 0, NULL,
			"no such file or folder, and no scenario of this name; there are %s; and "
			"sampled suites: %s",
			names.text, sampled.text);
}

int library_find(char *path, size_t size, const char *name, struct error *error)
{
	if (data_file_find(path, size, "scenarios", name, ".yaml", NULL) == 0 ||
	    data_file_find(path, size, "scenarios", name, "", NULL) == 0)
		return 0;
	return unknown(name, error);
}

/* The file of `name`: itself, or that in the library, whose path goes into `path`; NULL: none. */
static const char *file_of(char *path, size_t size, const char *name, struct error *error)
{
	if (*name == '\0' || file_exists(name))
		return name;
	if (library_find(path, size, name, error))
		return NULL;
	if (!file_is_folder(path))
		return path;
	error_at(error, ERR_INVALID, name, 0, NULL,
		 "is a folder of scenarios; name one of them: %s/NAME", name);
	return NULL;
}

int library_read(struct scenario *scenario, const char *name, struct error *error)
{
	char path[4096];
	const char *file = file_of(path, sizeof(path), name, error);

	return file ? scenario_read(scenario, file, error) : error->code;
}

int library_read_for(struct scenario *scenario, const char *name, double duration_s,
		     struct error *error)
{
	const int code = library_read(scenario, name, error);

	if (code)
		return code;
	scenario->duration_s = duration_s;
	if (scenario->warmup_s >= duration_s)
		scenario->warmup_s = duration_s / 4;
	return 0;
}

int library_checksum(uint64_t *checksum, const char *name, struct error *error)
{
	char path[4096];
	const char *file = file_of(path, sizeof(path), name, error);

	return file ? reference_file_checksum(checksum, file, error) : error->code;
}
