/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Experiments on one network, and the courses that their runs leave.
 *
 * A finished run is one file: key, number of samples, samples, and the digest
 * of all that.  The key is the trial's, which holds program, scenario, law,
 * policy and seed, with the queue that is looked at.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "cli/analysis.h"
#include "cli/student_law.h"

#define HEAD (DIGEST_BYTES + sizeof(uint64_t))
#define LEAST 100 /* samples of a course */
#define SUMS (sizeof(struct perturbation_sums) / sizeof(double)) /* all of them doubles */

static const char *const experiment_names[] = {
#define EXPERIMENT_NAME(name, doc) #name,
	ANALYSIS_EXPERIMENT_TABLE(EXPERIMENT_NAME)
#undef EXPERIMENT_NAME
};

/* What threads share. */
struct crew {
	struct analysis *analysis;
	char folder[4096];
	pthread_mutex_t lock; /* of what follows */
	size_t done, failed_index;
	int code;
	bool stopped;
	struct error failure;
};

/* One run on its way: bins become samples. */
struct taking {
	struct crew *crew;
	double *course;
	size_t count;
	double last;
};

static int load_step(struct scenario *scenario, double at_s, struct error *error)
{
	const uint64_t count = scenario->group_count;

	if (2 * count > SCENARIO_MAX_GROUPS)
		return error_at(error, ERR_RANGE, scenario->path, 0, "flows",
				"%d groups are too many to start each twice: at most %d",
				(int)count, SCENARIO_MAX_GROUPS / 2);
	for (uint64_t g = 0; g < count; g++) {
		struct scenario_group *group = &scenario->groups[scenario->group_count];

		if (scenario->groups[g].start_s >= at_s)
			continue;
		*group = scenario->groups[g];
		group->start_s = at_s;
		group->stop_s = 0;
		scenario->group_count++;
	}
	return 0;
}

static bool rate_varies(const struct scenario *scenario)
{
	return scenario->trace_ms || scenario->step_count || scenario->rate_kind;
}

static int change(const struct analysis *analysis, struct scenario *scenario,
		  enum analysis_experiment experiment, struct error *error)
{
	const struct analysis_options *options = &analysis->options;
	const double at_s = analysis->step_s;
	char text[256];
	int length =
		snprintf(text, sizeof(text), "%s at %a", experiment_names[experiment], at_s);
	struct digest digest;
	int code = 0;

	if (experiment == ANALYSIS_load_step)
		code = load_step(scenario, at_s, error);
	if (experiment == ANALYSIS_rate_step)
		scenario->steps[scenario->step_count++] =
			(struct rate_step){at_s, scenario->rate_mbps / 2};
	if (experiment == ANALYSIS_disturbed)
		length = snprintf(text, sizeof(text), "disturbed: %zu tones, %a to %a, depth %a",
				  options->tones, options->low_hz, options->high_hz,
				  options->depth);
	digest_init(&digest);
	digest_add(&digest, scenario->content, sizeof(scenario->content));
	digest_add(&digest, text, (size_t)length);
	digest_end(&digest, scenario->content);
	return code ? code : scenario_check(scenario, error);
}

/* A scenario of its own like `from`. */
static int copy_scenario(struct scenario *to, const struct scenario *from, struct error *error)
{
	*to = *from;
	to->trace_ms = NULL;
	if (from->trace_ms == NULL)
		return 0;
	to->trace_ms = malloc(from->trace_count * sizeof(*to->trace_ms));
	if (to->trace_ms == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a scenario");
	memcpy(to->trace_ms, from->trace_ms, from->trace_count * sizeof(*to->trace_ms));
	return 0;
}

int analysis_experiments(struct analysis *analysis, const char *name, unsigned wanted,
			 struct error *error)
{
	struct trial *trial = &analysis->trial;
	struct scenario *all;
	int code = trial_read_suite(trial, name, error);

	if (code == 0 && trial->scenario_count != 1)
		code = error_at(error, ERR_INVALID, NULL, 0, "--scenario",
				"%s is a suite of %zu; name one scenario", name,
				trial->scenario_count);
	if (code)
		return code;
	all = realloc(trial->scenarios, ANALYSIS_EXPERIMENTS * sizeof(*all));
	if (all == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a scenario");
	trial->scenarios = all;
	analysis->step_s = (all->warmup_s + all->duration_s) / 2;
	for (int e = 1; e < ANALYSIS_EXPERIMENTS && code == 0; e++) {
		struct scenario *next = &all[trial->scenario_count];

		if (!(wanted & 1u << e) || (e == ANALYSIS_rate_step && rate_varies(all)))
			continue;
		code = copy_scenario(next, all, error);
		if (code)
			return code;
		analysis->experiments[trial->scenario_count++] = (enum analysis_experiment)e;
		code = change(analysis, next, (enum analysis_experiment)e, error);
	}
	return code;
}

static bool take_bin(void *context, const struct sim_moment *moment)
{
	struct taking *taking = context;
	const struct analysis *analysis = taking->crew->analysis;
	const unsigned queue = analysis->options.queue;
	const double value = moment->bin->qdelay_ms[queue];

	if (!isnan(value))
		taking->last = value;
	else if (!(moment->bin->backlog_bytes[queue] > 0))
		taking->last = 0;
	if (taking->count < analysis->samples)
		taking->course[taking->count++] = taking->last;
	return false;
}

static bool was_stopped(void *context, double done)
{
	struct crew *crew = ((struct taking *)context)->crew;
	const struct trial *trial = &crew->analysis->trial;
	bool stopped;

	(void)done;
	pthread_mutex_lock(&crew->lock);
	if (trial->stop && trial->stop(trial->context))
		crew->stopped = true;
	stopped = crew->stopped;
	pthread_mutex_unlock(&crew->lock);
	return stopped;
}

static int run_loop(struct closed_loop *loop, const struct trial_arm *arm, struct error *error)
{
	struct sim_result *result = calloc(1, sizeof(*result));
	int code = result ? 0 : error_set(error, ERR_NO_MEMORY, "out of memory for a run");

	if (code == 0 && arm->policy && !arm->student)
		code = policy_open_as(&loop->policy, arm->policy, &arm->manner, error);
	if (code == 0)
		code = closed_loop_run(loop, result, NULL, error);
	if (code == 0)
		sim_result_free(result);
	policy_destroy(loop->policy);
	free(result);
	return code;
}

void analysis_disturbance(const struct analysis *analysis, uint64_t seed,
			  struct perturbation_plan *plan)
{
	const struct analysis_options *options = &analysis->options;

	*plan = (struct perturbation_plan){
		.begin_s = analysis->trial.scenarios[0].warmup_s,
		.end_s = analysis->trial.scenarios[0].duration_s,
		.queue = options->queue == SIM_ALL ? PERTURBATION_ANY_QUEUE : options->queue,
		.seed = seed,
	};
	perturbation_plan_make(plan, options->low_hz, options->high_hz, options->tones,
			       options->depth);
}

static bool is_disturbed(const struct analysis *analysis, const struct trial_job *job)
{
	return analysis->experiments[job->scenario - analysis->trial.scenarios] ==
	       ANALYSIS_disturbed;
}

static int run_one(struct crew *crew, const struct trial_job *job, double *course,
		   struct error *error)
{
	struct taking taking = {crew, course, 0, 0};
	struct perturbation_plan plan;
	struct perturbation_sums sums = {0};
	struct aqm_student_model model;
	struct closed_loop loop = {
		.scenario = job->scenario,
		.seed = job->seed,
		.bin_s = crew->analysis->options.sample_ms / 1e3,
		.interval = job->arm->interval,
		.latency_ms = job->arm->latency_ms,
		.choice = job->arm->choice,
		.unguarded = job->arm->unguarded,
		.context = &taking,
		.bin = take_bin,
		.progress = was_stopped,
	};
	void *params = NULL;
	int code = trial_law(job, &model, &loop.law, &params, error);

	loop.params = params;
	if (is_disturbed(crew->analysis, job)) {
		analysis_disturbance(crew->analysis, job->seed, &plan);
		loop.disturbance = &plan;
		loop.disturbed = &sums;
	}
	if (code == 0)
		code = run_loop(&loop, job->arm, error);
	memcpy(course + crew->analysis->samples, &sums, sizeof(sums));
	free(params);
	return code;
}

static void key_of(const struct analysis *analysis, size_t index,
		   unsigned char key[DIGEST_BYTES])
{
	const struct trial_key *run = &analysis->trial.keys[index];
	char text[32];
	const int length =
		snprintf(text, sizeof(text), "course of queue %u", analysis->options.queue);
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, run->bytes, sizeof(run->bytes));
	digest_add(&digest, text, (size_t)length);
	digest_end(&digest, key);
}

static void path_of(const struct crew *crew, const unsigned char *key, char *path, size_t size)
{
	char name[DIGEST_BYTES + 1];

	for (int i = 0; i < DIGEST_BYTES / 2; i++)
		snprintf(name + 2 * i, 3, "%02x", key[i]);
	snprintf(path, size, "%s/%s.course", crew->folder, name);
}

/* Key, count, samples; the digest of them comes last.  *size of it all; the caller frees. */
static unsigned char *bytes_of(const unsigned char *key, const double *course, uint64_t count,
			       size_t *size)
{
	const size_t samples = count * sizeof(*course);
	unsigned char *bytes = malloc(HEAD + samples + DIGEST_BYTES);
	struct digest digest;

	*size = HEAD + samples + DIGEST_BYTES;
	if (bytes == NULL)
		return NULL;
	memcpy(bytes, key, DIGEST_BYTES);
	memcpy(bytes + DIGEST_BYTES, &count, sizeof(count));
	memcpy(bytes + HEAD, course, samples);
	digest_init(&digest);
	digest_add(&digest, bytes, HEAD + samples);
	digest_end(&digest, bytes + HEAD + samples);
	return bytes;
}

/* True when the folder holds this run whole. */
static bool course_read(const struct crew *crew, const unsigned char *key, double *course)
{
	const size_t count = crew->analysis->samples + SUMS, samples = count * sizeof(*course);
	char path[4200], *bytes = NULL;
	unsigned char *again = NULL;
	size_t size, expected;
	bool good = false;

	path_of(crew, key, path, sizeof(path));
	if (file_read_all(path, &bytes, &size, NULL) != 0)
		return false;
	if (size == HEAD + samples + DIGEST_BYTES) {
		memcpy(course, bytes + HEAD, samples);
		again = bytes_of(key, course, count, &expected);
		good = again && memcmp(again, bytes, size) == 0;
	}
	free(again);
	free(bytes);
	return good;
}

static int course_write(const struct crew *crew, const unsigned char *key, const double *course,
			struct error *error)
{
	size_t size;
	unsigned char *bytes = bytes_of(key, course, crew->analysis->samples + SUMS, &size);
	char path[4200];
	int code;

	if (bytes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a run");
	path_of(crew, key, path, sizeof(path));
	code = file_write_all(path, bytes, size, error);
	free(bytes);
	return code;
}

static void count_run(struct crew *crew, size_t index, bool kept, int code,
		      const struct error *error)
{
	struct analysis *analysis = crew->analysis;
	struct trial *trial = &analysis->trial;

	pthread_mutex_lock(&crew->lock);
	crew->done += code == 0;
	trial->share = (double)crew->done / (double)trial_runs(trial);
	analysis->kept += kept;
	if (code == ERR_INTERRUPTED) {
		crew->stopped = true;
	} else if (code && index < crew->failed_index) {
		crew->failed_index = index;
		crew->code = code;
		crew->failure = *error;
	}
	if (code == 0 && trial->progress)
		trial->progress(trial->context, crew->done, trial_runs(trial));
	pthread_mutex_unlock(&crew->lock);
}

/* After a failure or a stop the runs that are left are passed over. */
static bool goes_on(struct crew *crew)
{
	bool on;

	pthread_mutex_lock(&crew->lock);
	on = crew->code == 0 && !crew->stopped;
	pthread_mutex_unlock(&crew->lock);
	return on;
}

static int work(void *context, size_t index)
{
	struct crew *crew = context;
	struct analysis *analysis = crew->analysis;
	const struct trial_job job = trial_job_at(&analysis->trial, index);
	unsigned char key[DIGEST_BYTES];
	struct error error = {0};
	int code = 0;
	bool kept;

	if (!goes_on(crew))
		return 0;
	key_of(analysis, index, key);
	kept = course_read(crew, key, analysis->courses[index]);
	if (!kept)
		code = run_one(crew, &job, analysis->courses[index], &error);
	if (!kept && code == 0)
		code = course_write(crew, key, analysis->courses[index], &error);
	count_run(crew, index, kept, code, &error);
	return 0;
}

static int make_courses(struct analysis *analysis, struct error *error)
{
	const struct trial *trial = &analysis->trial;
	const double sample_s = analysis->options.sample_ms / 1e3;
	const size_t runs = trial_runs(trial);

	analysis->samples = (size_t)(trial->scenarios[0].duration_s / sample_s + 1e-9);
	if ((trial->scenarios[0].duration_s - trial->scenarios[0].warmup_s) / sample_s < LEAST)
		return error_at(error, ERR_RANGE, NULL, 0, "--sample-ms",
				"%g ms leaves fewer than %d samples after warm-up",
				analysis->options.sample_ms, LEAST);
	analysis->courses = calloc(runs + 1, sizeof(*analysis->courses));
	for (size_t i = 0; analysis->courses && i < runs; i++) {
		analysis->courses[i] = calloc(analysis->samples + SUMS, sizeof(double));
		if (analysis->courses[i] == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
	}
	return analysis->courses ? 0
				 : error_set(error, ERR_NO_MEMORY, "out of memory for the runs");
}

/* The target of every arm's law, unless one is given; what has none has that of the first. */
static int find_targets(struct analysis *analysis, struct error *error)
{
	const struct trial *trial = &analysis->trial;
	int code = 0;

	for (size_t a = 0; code == 0 && a < trial->arm_count; a++) {
		const struct trial_job job = {trial->scenarios, &trial->arms[a], 0};
		struct aqm_student_model model;
		const struct aqm_ops *law;
		void *params = NULL;

		analysis->targets_ms[a] = analysis->options.target_ms;
		if (analysis->targets_ms[a] > 0)
			continue;
		code = trial_law(&job, &model, &law, &params, error);
		if (code == 0 &&
		    aqm_params_get(law, params, "target_ms", &analysis->targets_ms[a]) == 0)
			code = 0;
		else if (code == 0 && a > 0)
			analysis->targets_ms[a] = analysis->targets_ms[0];
		else if (code == 0)
			code = error_at(error, ERR_INVALID, NULL, 0, "--target-ms",
					"%s has no target of its own; give one", law->name);
		free(params);
	}
	return code;
}

int analysis_run(struct analysis *analysis, struct error *error)
{
	struct trial *trial = &analysis->trial;
	struct crew crew = {.analysis = analysis,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .failed_index = SIZE_MAX};
	int code;

	trial->bin_s = analysis->options.sample_ms / 1e3;
	code = find_targets(analysis, error);
	if (code == 0)
		code = trial_keys(trial, error);
	if (code == 0)
		code = file_join(crew.folder, sizeof(crew.folder), trial->folder, "runs", error);
	if (code == 0)
		code = file_make_folders(crew.folder, error);
	if (code == 0)
		code = make_courses(analysis, error);
	if (code)
		return code;
	code = parallel_for(trial_runs(trial), analysis->options.threads, work, &crew);
	if (code)
		return error_set(error, code, "out of memory for threads");
	if (crew.code)
		*error = crew.failure;
	else if (crew.stopped)
		return error_set(error, ERR_INTERRUPTED,
				 "interrupted after %zu of %zu runs",
				 crew.done, trial_runs(trial));
	return crew.code;
}

void analysis_free(struct analysis *analysis)
{
	const size_t runs = analysis->courses ? trial_runs(&analysis->trial) : 0;

	for (size_t i = 0; i < runs; i++)
		free(analysis->courses[i]);
	free(analysis->courses);
	trial_free(&analysis->trial);
}

const double *analysis_course(const struct analysis *analysis, size_t scenario, size_t arm,
			      size_t seed, double from_s, size_t *count)
{
	const struct trial *trial = &analysis->trial;
	const size_t run = (scenario * trial->arm_count + arm) * trial->seeds + seed;
	size_t from = (size_t)ceil(from_s * 1e3 / analysis->options.sample_ms - 1e-9);

	if (from > analysis->samples)
		from = analysis->samples;
	*count = analysis->samples - from;
	return analysis->courses[run] + from;
}

const struct perturbation_sums *analysis_sums(const struct analysis *analysis, size_t scenario,
					      size_t arm, size_t seed)
{
	const struct trial *trial = &analysis->trial;
	const size_t run = (scenario * trial->arm_count + arm) * trial->seeds + seed;

	return (const void *)(analysis->courses[run] + analysis->samples);
}
