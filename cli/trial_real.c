/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/trial_real.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

/* In place of a key: a real run is the function of nothing. */
static const unsigned char key[DIGEST_BYTES] = "aqmllm route";

int trial_real_write(const struct trial_outcome *outcome, const char *path, struct error *error)
{
	char *bytes;
	size_t size;
	int code = trial_outcome_write(outcome, key, &bytes, &size);

	if (code)
		return error_set(error, code, "out of memory for a run");
	code = file_write_all(path, bytes, size, error);
	free(bytes);
	return code;
}

static int read_run(struct trial_outcome *outcome, const char *path, struct error *error)
{
	char *bytes;
	size_t size;
	int code;

	if (!file_exists(path))
		return error_at(error, ERR_NOT_FOUND, path, 0, "--real",
				"has no such run; make it with aqmllm route --run");
	code = file_read_all(path, &bytes, &size, error);
	if (code)
		return code;
	code = trial_outcome_read(outcome, key, bytes, size);
	free(bytes);
	return code ? error_at(error, code, path, 0, "--real",
			       "is no run of aqmllm route --run, or of another version of it; "
			       "make it again")
		    : 0;
}

int trial_real_read(struct trial *real, const struct trial *simulated, const char *folder,
		    struct error *error)
{
	const size_t runs = trial_runs(simulated);
	int code = 0;

	*real = *simulated;
	real->outcomes = calloc(runs + 1, sizeof(*real->outcomes));
	if (real->outcomes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for real runs");
	for (size_t i = 0; code == 0 && i < runs; i++) {
		const struct trial_job job = trial_job_at(simulated, i);
		const char *arm = job.arm->name, *decision = strstr(arm, " @");
		const int length = (int)(decision ? (size_t)(decision - arm) : strlen(arm));
		char path[4096];

		snprintf(path, sizeof(path), "%.3000s/%.200s/%.*s/%" PRIu64 ".run", folder,
			 job.scenario->name, length, arm, job.seed);
		code = read_run(&real->outcomes[i], path, error);
	}
	return code;
}

void trial_real_free(struct trial *real)
{
	trial_forget(real);
}
