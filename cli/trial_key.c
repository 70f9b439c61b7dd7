/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program's own bytes are part of every key, so that no change of a law or
 * of the simulator can pass for the run of an older program.
 *
 * A policy is its folder's files, or its one file; the backbone that policy.json names is known
 * by the checksum that stands there.
 */
#include "cli/trial.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static int add_policy_file(struct digest *digest, const char *folder, const char *name,
			   struct error *error)
{
	char path[4096];
	int code = file_join(path, sizeof(path), folder, name, error);

	if (code || file_is_folder(path))
		return code;
	digest_add(digest, name, strlen(name) + 1);
	return digest_add_file(digest, path, error);
}

static int add_policy(struct digest *digest, const char *folder, struct error *error)
{
	struct dirent **entries;
	int code = 0, count;

	if (!file_is_folder(folder))
		return digest_add_file(digest, folder, error);
	count = scandir(folder, &entries, NULL, alphasort);
	if (count < 0)
		return error_errno(error, folder, "cannot list");
	for (int i = 0; i < count; i++) {
		if (code == 0)
			code = add_policy_file(digest, folder, entries[i]->d_name, error);
		free(entries[i]);
	}
	free(entries);
	return code;
}

/* Digests of the arms, each continued from the program's.  Devices round differently. */
static int digest_arms(struct digest *arms, const struct trial *trial, struct error *error)
{
	struct digest program;
	int code;

	digest_init(&program);
	code = digest_add_file(&program, "/proc/self/exe", error);
	for (size_t a = 0; code == 0 && a < trial->arm_count; a++) {
		const struct trial_arm *arm = &trial->arms[a];
		char text[640];
		const int length =
			snprintf(text, sizeof(text),
				 "law %s plain %d set %s interval %" PRIu64
				 " latency %a choice %d unguarded %d bin %a precision %s "
				 "context %s device %s\n",
				 arm->law ? arm->law : "own", arm->plain,
				 arm->settings ? arm->settings : "-", arm->interval,
				 arm->latency_ms, (int)arm->choice, arm->unguarded, trial->bin_s,
				 arm->manner.precision ? arm->manner.precision : "-",
				 arm->manner.context ? arm->manner.context : "-",
				 arm->device ? arm->device : "cpu");

		arms[a] = program;
		digest_add(&arms[a], text, (size_t)length);
		if (arm->policy && !arm->student && !policy_has_directory(arm->policy))
			digest_add(&arms[a], arm->policy, strlen(arm->policy) + 1);
		else if (arm->policy)
			code = add_policy(&arms[a], arm->policy, error);
	}
	return code;
}

int trial_keys(struct trial *trial, struct error *error)
{
	struct digest arms[TRIAL_MAX_ARMS];
	int code;

	trial->keys = calloc(trial_runs(trial) + 1, sizeof(*trial->keys));
	if (trial->keys == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	code = digest_arms(arms, trial, error);
	for (size_t i = 0; code == 0 && i < trial_runs(trial); i++) {
		const struct trial_job job = trial_job_at(trial, i);
		struct digest digest = arms[job.arm - trial->arms];

		digest_add(&digest, job.scenario->content, sizeof(job.scenario->content));
		digest_add(&digest, &job.seed, sizeof(job.seed));
		digest_end(&digest, trial->keys[i].bytes);
	}
	return code;
}
