/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The scenarios of a suite, from a file, a folder, or the library.
 */
#include <dirent.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cli/library.h"
#include "cli/trial.h"
#include "sim/suite.h"

#define MAX_NETWORKS 10000

/* Room for one more scenario, which the caller fills and counts. */
static struct scenario *next_scenario(struct trial *trial, struct error *error)
{
	struct scenario *more =
		realloc(trial->scenarios, (trial->scenario_count + 1) * sizeof(*trial->scenarios));

	if (more == NULL) {
		error_set(error, ERR_NO_MEMORY, "out of memory for scenarios");
		return NULL;
	}
	trial->scenarios = more;
	return &more[trial->scenario_count];
}

static int append_scenario(struct trial *trial, const char *path, struct error *error)
{
	struct scenario *scenario = next_scenario(trial, error);
	int code = scenario ? scenario_read(scenario, path, error) : ERR_NO_MEMORY;

	if (code)
		return code;
	for (size_t i = 0; i < trial->scenario_count; i++)
		if (strcmp(trial->scenarios[i].name, scenario->name) == 0)
			code = error_at(error, ERR_INVALID, path, 0, "name",
					"%s is the name of another scenario of this suite",
					scenario->name);
	trial->scenario_count++;
	return code;
}

static int read_folder(struct trial *trial, const char *folder, struct error *error)
{
	struct dirent **entries;
	const int count = scandir(folder, &entries, library_is_scenario, alphasort);
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

/* NAME, NAME:N or NAME:N:SEED of a sampled suite; NULL when it is none. */
static const struct suite *find_sampled(const char *text, uint64_t *count, uint64_t *seed)
{
	char name[32];
	int used = 0;
	const struct suite *suite;

	*count = 0;
	*seed = 1;
	if (sscanf(text, "%31[a-z]%n", name, &used) != 1)
		return NULL;
	suite = suite_find(name);
	if (suite)
		*count = suite->networks;
	if (suite == NULL || text[used] == '\0')
		return suite;
	text += used;
	if (sscanf(text, ":%" SCNu64 "%n", count, &used) != 1)
		return NULL;
	text += used;
	if (*text && (sscanf(text, ":%" SCNu64 "%n", seed, &used) != 1 || text[used]))
		return NULL;
	return suite;
}

static int sample(struct trial *trial, const struct suite *suite, uint64_t count, uint64_t seed,
		  struct error *error)
{
	struct suite chosen = *suite;

	if (trial->sampling.duration_s > 0) {
		chosen.duration_s = trial->sampling.duration_s;
		chosen.warmup_s = trial->sampling.warmup_s;
	}
	if (trial->sampling.most_mbps > 0)
		chosen.most_mbps = fmin(chosen.most_mbps, trial->sampling.most_mbps);
	if (count == 0 || count > MAX_NETWORKS)
		return error_at(error, ERR_RANGE, NULL, 0, suite->name,
				"give 1 to %d networks: %s:N or %s:N:SEED", MAX_NETWORKS,
				suite->name, suite->name);
	trial->sampled = true;
	for (uint64_t i = 0; i < count; i++) {
		struct scenario *scenario = next_scenario(trial, error);

		if (scenario == NULL)
			return ERR_NO_MEMORY;
		suite_sample(&chosen, seed, i, scenario);
		trial->scenario_count++;
	}
	return 0;
}

int trial_read_suite(struct trial *trial, const char *suite, struct error *error)
{
	char path[4096];
	struct stat status;
	uint64_t count, seed;
	const struct suite *sampled = find_sampled(suite, &count, &seed);

	if (stat(suite, &status) == 0)
		snprintf(path, sizeof(path), "%s", suite);
	else if (sampled)
		return sample(trial, sampled, count, seed, error);
	else if (library_find(path, sizeof(path), suite, error) != 0)
		return ERR_NOT_FOUND;
	return file_is_folder(path) ? read_folder(trial, path, error)
				    : append_scenario(trial, path, error);
}
