/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/reinforce_pool.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/progress.h"
#include "cli/student_folder.h"
#include "experience/collect.h"
#include "experience/record_fields.h"
#include "learn/offline.h"
#include "learn/sources.h"

#define PATH_BYTES 4200
#define FEW_ROWS 0.1 /* below this share in effect the user is told */

/* One run of the command. */
struct session {
	const struct command_common *common;
	const struct reinforce_pool *said;
	char *texts[OPTION_LIST_MAX]; /* of --pool, cut at commas; owned */
	const char *paths[SOURCES_MAX];
	size_t path_count; /* perhaps more than fit */
	struct sources sources;
	struct aqm_student_model model;
	struct offline_report report;
	double started_s;
	double stage_s;
	const char *stage;
};

static bool show(void *context, const char *stage, uint64_t done, uint64_t total)
{
	struct session *session = context;
	char text[200];

	if (session->stage != stage)
		session->stage_s = clock_s();
	session->stage = stage;
	if (done == total || done % 16 == 0)
		command_progress(session->common,
				 progress_text(text, sizeof(text), stage, done, total,
					       clock_s() - session->stage_s, NULL),
				 false);
	return command_interrupted();
}

static void add_path(struct session *session, const char *path)
{
	if (session->path_count < SOURCES_MAX)
		session->paths[session->path_count] = path;
	session->path_count++;
}

/* The files; of more than a policy is trained on the number alone, for the error. */
static int read_paths(struct session *session, const char **more, size_t count,
		      struct error *error)
{
	const struct option_list *pools = &session->said->pools;

	for (size_t i = 0; i < pools->count; i++) {
		char *rest = session->texts[i] = strdup(pools->items[i]), *path;

		if (rest == NULL)
			return error_set(error, ERR_NO_MEMORY, "out of memory");
		while ((path = strsep(&rest, ",")))
			add_path(session, path);
	}
	for (size_t i = 0; i < count; i++)
		add_path(session, more[i]);
	return 0;
}

/* Whether --reward, in the place of what the pools have, is a reward that they tell. */
static int check_reward(const struct pool *pool, int reward, const char *name,
			struct error *error)
{
	static const char *const needed[] = {"current_queue_delay", "packet_length"};
	const size_t count = reward == COLLECT_qdelay ? 1 : 2;

	if (reward < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--reward",
				"of a pool, %s is not one of paper, released, qdelay", name);
	for (size_t i = 0; i < count; i++)
		if (pool_feature(pool, needed[i]) < 0)
			return error_at(error, ERR_INVALID, NULL, 0, "--reward",
					"%s needs %s, which the pools have not", name, needed[i]);
	return 0;
}

/* A row has to be one that a router logs before its columns become integers. */
static int check_row(const struct session *session, size_t row, struct error *error)
{
	const struct pool *pool = &session->sources.pool;
	const int column = pool_states_odd(pool, row);
	size_t own, index;

	if (column < 0)
		return 0;
	index = sources_origin(&session->sources, row, &own);
	return error_at(error, ERR_RANGE, session->paths[index], 0, pool->columns[column].name,
			"row %zu has %g, which no router logs", own + 1,
			pool->state[row * pool->features + (size_t)column]);
}

static int read_rows(struct session *session, struct error *error)
{
	const char *name = session->said->reward;
	const int reward = name ? collect_reward_find(name) : -1;
	struct pool *pool = &session->sources.pool;
	int code = name ? check_reward(pool, reward, name, error) : 0;

	for (size_t row = 0; row < pool->rows && code == 0; row++) {
		struct aqm_record record;

		code = check_row(session, row, error);
		if (code || name == NULL)
			continue;
		record_of_row(&record, pool, row);
		pool->reward[row] = collect_reward_of((enum collect_reward)reward, &record);
	}
	return code;
}

/* The student's shape: what it sees has to be in the pools. */
static int read_shape(struct session *session, struct error *error)
{
	const struct reinforce_pool *said = session->said;
	uint8_t told[POOL_STATES_FEATURES];
	const int count = pool_states_features(&session->sources.pool, told);
	const uint8_t *chosen = said->feature_count ? said->features : told;
	char names[200] = "";
	size_t used = 0;

	for (int i = 0; i < count; i++)
		used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
					 i ? ", " : "", student_feature(told[i])->name);
	if (count == 0)
		return error_set(error, ERR_INVALID, "the pools have nothing that a student sees");
	for (int i = 0; i < said->feature_count; i++)
		if (!memchr(told, chosen[i], (size_t)count))
			return error_at(error, ERR_INVALID, NULL, 0, "--features",
					"%s is not in the pools; these are: %s",
					student_feature(chosen[i])->name, names);
	return student_model_shape(&session->model, AQM_STUDENT_verdict, said->shape, chosen,
				   said->feature_count ? said->feature_count : count, error);
}

static int refuse_finished(const char *folder, struct error *error)
{
	static const char *const ours[] = {"student.aqms", "checkpoint.safetensors"};
	char path[PATH_BYTES];

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const int code = file_join(path, sizeof(path), folder, ours[i], error);

		if (code)
			return code;
		if (file_exists(path))
			return error_at(error, ERR_INVALID, folder, 0, "--output",
					"holds a run; name a new folder");
	}
	return 0;
}

static int read_input(struct session *session, const char **more, size_t count,
		      struct error *error)
{
	const struct reinforce_pool *said = session->said;
	const unsigned mixed = SOURCES_MIXED_GAMMA | (said->reward ? SOURCES_MIXED_REWARD : 0);
	int code = refuse_finished(said->output, error);

	if (code == 0)
		code = read_paths(session, more, count, error);
	if (code == 0)
		code = sources_read_mixed(&session->sources, session->paths, session->path_count,
					  said->held_out, mixed, error);
	if (code == 0)
		code = read_rows(session, error);
	return code ? code : read_shape(session, error);
}

static int learn(struct session *session, struct error *error)
{
	const struct reinforce_pool *said = session->said;
	const struct offline_options options = {
		.gamma = said->gamma,
		.lambda = said->lambda,
		.beta = said->beta,
		.most = said->most,
		.updates = said->updates,
		.critic_updates = said->critic_updates,
		.critic_width = (int)said->critic_width,
		.batch = (int64_t)said->batch,
		.rate = said->rate,
		.seed = said->seed,
	};
	const struct offline_observer observer = {session, show};
	const int code = offline_run(&options, &session->sources.pool, session->sources.cut,
				     &observer, &session->model, &session->report, error);

	command_progress(session->common, "", false);
	return code;
}

static json_t *figures_json(const struct offline_report *report)
{
	json_t *json = json_object();

#define SET(name) json_object_set_new(json, #name, json_real(report->name));
	OFFLINE_REPORT_TABLE(SET)
#undef SET
	return json;
}

static const char *reward_name(const struct session *session)
{
	return session->said->reward ? session->said->reward : session->sources.pool.meta.reward;
}

static json_t *trained_json(const struct session *session)
{
	const struct reinforce_pool *said = session->said;
	json_t *pools = json_array();

	for (size_t i = 0; i < session->path_count; i++)
		json_array_append_new(pools, json_string(session->paths[i]));
	return json_pack("{s:s, s:s, s:o, s:s, s:f, s:f, s:f, s:f, s:I, s:o}", "by",
			 "aqmllm reinforce", "method", "advantage-weighted regression", "pools",
			 pools, "reward", reward_name(session), "gamma", said->gamma, "lambda",
			 said->lambda, "beta", said->beta, "weight_max", said->most, "seed",
			 (json_int_t)said->seed, "figures", figures_json(&session->report));
}

static void print_figures(const struct session *session)
{
	const struct offline_report *report = &session->report;
	const struct reinforce_pool *said = session->said;

	printf("%.0f rows to learn from, %.0f held back; of those:\n", report->rows,
	       report->held_out_rows);
	printf("  return      %.6g in the mean, deviation %.6g, as recorded (reward %s, gamma "
	       "%g)\n",
	       report->return_mean, report->return_deviation, reward_name(session), said->gamma);
	printf("  critic      explains %.1f %% of its variance\n", 100 * report->explained);
	printf("  weights     have %.1f %% of the rows in effect, %.1f %% at the bound of %g\n",
	       100 * report->effective, 100 * report->bounded, said->most);
	printf("  signals     to %.2f %% of packets as logged, %.2f %% weighted, %.2f %% by the "
	       "student\n",
	       100 * report->logged_signals, 100 * report->weighted_signals,
	       100 * report->student_signals);
	printf("  agreement   with %.2f %% of what was done (the most frequent action: %.2f %%), "
	       "%.1f %% in the mean over actions\n",
	       100 * report->agreement, 100 * report->majority, 100 * report->balanced);
	if (report->effective < FEW_ROWS)
		printf("Few rows decide: a larger --beta than %g has more of them in effect.\n",
		       said->beta);
}

static void tell(const struct session *session)
{
	const double seconds = clock_s() - session->started_s;
	const char *folder = session->said->output;

	if (session->common->json) {
		json_t *json = figures_json(&session->report);
		char path[PATH_BYTES];

		snprintf(path, sizeof(path), "%s/student.aqms", folder);
		json_object_set_new(json, "seconds", json_real(seconds));
		json_object_set_new(json, "student", json_string(path));
		json_dumpf(json, stdout, JSON_REAL_PRECISION(9));
		putchar('\n');
		json_decref(json);
	} else if (!session->common->quiet) {
		print_figures(session);
		printf("%.1f s; in closed loop:\n  aqmllm evaluate SUITE --policy %s/student.aqms "
		       "--against dualpi2 --seeds 5\n%s/student.aqms\n",
		       seconds, folder, folder);
	}
}

static int run_session(struct session *session, const char **more, size_t count,
		       struct error *error)
{
	const char *folder = session->said->output;
	const size_t there = file_existing_part(folder);
	int code = read_input(session, more, count, error);

	if (code == 0)
		code = file_make_folders(folder, error);
	if (code == 0)
		code = learn(session, error);
	if (code == 0)
		code = student_folder_write(folder, &session->model, trained_json(session), error);
	if (code)
		file_remove_empty_folders(folder, there);
	else
		tell(session);
	return code;
}

int reinforce_pool(const struct command_common *common, const struct reinforce_pool *said,
		   const char **more, size_t count, struct error *error)
{
	struct session *session = calloc(1, sizeof(*session));
	int code;

	if (session == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	session->common = common;
	session->said = said;
	session->started_s = clock_s();
	code = run_session(session, more, count, error);
	sources_free(&session->sources);
	for (size_t i = 0; i < said->pools.count; i++)
		free(session->texts[i]);
	free(session);
	return command_goes_on(code, error, "the same command begins again");
}
