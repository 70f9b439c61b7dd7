/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of a trial, one job each.
 *
 * A policy remembers, so every run opens its own; for the networks that fit a
 * router this takes a few milliseconds.
 */
#include "cli/trial.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parallel.h"
#include "cli/data_files.h"

/* A trial while it runs. */
struct runner {
	struct trial *trial;
	pthread_mutex_t lock; /* of what follows */
	size_t done;
	bool stopped;
	struct error *error;
	size_t failed_index;  /* lowest so far */
};

static size_t run_count(const struct trial *trial)
{
	return trial->scenario_count * trial->arm_count * trial->seeds;
}

const struct trial_run *trial_run_of(const struct trial *trial, size_t scenario, size_t arm,
				     size_t seed)
{
	return &trial->runs[(scenario * trial->arm_count + arm) * trial->seeds + seed];
}

/* Which error is told does not depend on timing: that of the first run in order. */
static void keep_error(struct runner *runner, size_t index, const struct error *error)
{
	pthread_mutex_lock(&runner->lock);
	if (index < runner->failed_index) {
		runner->failed_index = index;
		if (runner->error)
			*runner->error = *error;
	}
	pthread_mutex_unlock(&runner->lock);
}

/* True: stop. */
static bool count_run(struct runner *runner)
{
	struct trial *trial = runner->trial;

	pthread_mutex_lock(&runner->lock);
	runner->done++;
	if (trial->progress && trial->progress(trial->context, runner->done, run_count(trial)))
		runner->stopped = true;
	pthread_mutex_unlock(&runner->lock);
	return runner->stopped;
}

static bool is_stopped(void *context, double done)
{
	struct runner *runner = context;
	bool stopped;

	(void)done;
	pthread_mutex_lock(&runner->lock);
	stopped = runner->stopped;
	pthread_mutex_unlock(&runner->lock);
	return stopped;
}

static int run_arm(struct runner *runner, const struct trial_arm *arm, struct closed_loop *loop,
		   struct trial_run *run, struct error *error)
{
	void *params = NULL;
	int code = sim_law_named(loop->scenario, arm->law, &loop->law, &params, error);

	loop->params = params;
	loop->interval = arm->interval;
	loop->latency_ms = arm->latency_ms;
	loop->choice = arm->choice;
	loop->unguarded = arm->unguarded;
	loop->context = runner;
	loop->progress = is_stopped;
	if (code == 0 && arm->policy)
		code = policy_open(&loop->policy, arm->policy, error);
	if (code == 0)
		code = closed_loop_run(loop, &run->result, &run->counts, error);
	if (code == 0 && loop->policy)
		loop->policy->ops->cost(loop->policy, &run->cost);
	policy_destroy(loop->policy);
	free(params);
	return code;
}

static int run_job(void *context, size_t index)
{
	struct runner *runner = context;
	struct trial *trial = runner->trial;
	const size_t pair = index / trial->seeds;
	struct closed_loop loop = {
		.scenario = &trial->scenarios[pair / trial->arm_count],
		.seed = trial->first_seed + index % trial->seeds,
		.bin_s = trial->bin_s,
	};
	struct error error = {0};
	int code;

	if (is_stopped(runner, 0))
		return ERR_INTERRUPTED;
	code = run_arm(runner, &trial->arms[pair % trial->arm_count], &loop, &trial->runs[index],
		       &error);
	if (code) {
		keep_error(runner, index, &error);
		return code;
	}
	return count_run(runner) ? ERR_INTERRUPTED : 0;
}

int trial_run_all(struct trial *trial, unsigned threads, struct error *error)
{
	struct runner runner = {
		.trial = trial,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.error = error,
		.failed_index = SIZE_MAX,
	};
	int code;

	trial->runs = calloc(run_count(trial) + 1, sizeof(*trial->runs));
	if (trial->runs == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	code = parallel_for(run_count(trial), threads, run_job, &runner);
	if (runner.stopped)
		return error_set(error, ERR_INTERRUPTED, "interrupted");
	return code;
}

static int append_scenario(struct trial *trial, const char *path, struct error *error)
{
	struct scenario *more = realloc(trial->scenarios,
					(trial->scenario_count + 1) * sizeof(*trial->scenarios));
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

void trial_free(struct trial *trial)
{
	const size_t runs = trial->runs ? run_count(trial) : 0;

	for (size_t i = 0; i < runs; i++)
		sim_result_free(&trial->runs[i].result);
	for (size_t i = 0; i < trial->scenario_count; i++)
		scenario_free(&trial->scenarios[i]);
	free(trial->runs);
	free(trial->scenarios);
}
