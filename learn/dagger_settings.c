/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student that supervises, with the settings that it should have asked
 * for: where the teacher's moves would settle (learn/settings_table.h), in the mean
 * over the questions since the update before.
 *
 * Without a teacher it is the row that was best in the network, in hindsight: what a
 * teacher of settings has learned from.
 */
#include <stdlib.h>
#include <string.h>

#include "learn/dagger_parts.h"
#include "learn/hindsight.h"
#include "learn/settings_rollout.h"

#define WIDTH AQM_STUDENT_SETTING_COUNT
#define SCORE_SEEDS 2 /* runs of each row in each network, as `aqmllm supervise` has it */

/* labels (table->rows, haul->asked_count, POOL_ACTIONS): the teacher's moves in each row. */
static int ask_in_rows(const struct teacher *teacher, const struct settings_haul *haul,
		       const struct settings_table *table, float *labels, struct error *error)
{
	int status = 0;

	for (int r = 0; r < table->rows && !status; r++)
		status = teacher_label(teacher, &haul->asked[r],
				       labels + r * haul->asked_count * POOL_ACTIONS, error);
	return status;
}

/* Where the moves of question `ask` settle. */
static void settle(const struct settings_haul *haul, const struct settings_table *table,
		   const float *labels, int64_t ask, float *output)
{
	float moves[POLICY_SETTINGS_ROWS][POOL_ACTIONS];

	for (int r = 0; r < table->rows; r++)
		memcpy(moves[r], labels + (r * haul->asked_count + ask) * POOL_ACTIONS,
		       sizeof(moves[r]));
	settings_table_settle(table, moves, output);
}

/* `labels`, or of a row that is best for certain: NULL. */
static void aim(const struct settings_haul *haul, const struct settings_table *table,
		const float *labels, int best, float *target)
{
	int64_t ask = 0;

	for (int64_t i = 0; i < haul->steps; i++, target += WIDTH) {
		const int64_t asks = haul->asks[i] - ask;
		float settled[WIDTH];

		memset(target, 0, WIDTH * sizeof(*target));
		if (asks == 0)
			target[0] = VISITS_UNASKED;
		for (; ask < haul->asks[i]; ask++) {
			if (labels)
				settle(haul, table, labels, ask, settled);
			for (int o = 0; o < WIDTH; o++)
				target[o] += (labels ? settled[o] : table->output[best][o]) /
					     (float)asks;
		}
	}
}

static int label(const struct dagger *dagger, const struct dagger_job *job,
		 const struct settings_haul *haul, const struct settings_table *table,
		 float *target, struct error *error)
{
	const size_t cells = (size_t)table->rows * (size_t)haul->asked_count * POOL_ACTIONS;
	float *labels;
	int status;

	if (!job->teacher) {
		aim(haul, table, NULL, dagger->best[job->network], target);
		return 0;
	}
	labels = malloc((cells + 1) * sizeof(*labels));
	status = labels ? ask_in_rows(job->teacher, haul, table, labels, error)
			: error_set(error, ERR_NO_MEMORY, "out of memory for labels");
	if (!status)
		aim(haul, table, labels, 0, target);
	free(labels);
	return status;
}

static int take(const struct dagger *dagger, const struct dagger_job *job,
		const struct settings_haul *haul, const struct settings_table *table,
		struct dagger_haul *out, struct error *error)
{
	int status = dagger_haul_new(out, haul->steps, WIDTH, error);

	if (!status)
		status = label(dagger, job, haul, table, out->target, error);
	if (!status && haul->steps) {
		memcpy(out->seen, haul->seen,
		       (size_t)haul->steps * AQM_STUDENT_FEATURE_COUNT * sizeof(*out->seen));
		memcpy(out->law, haul->p, (size_t)haul->steps * sizeof(*out->law));
	}
	return status;
}

int dagger_visit_settings(struct dagger *dagger, const struct dagger_job *job,
			  struct dagger_haul *out, struct error *error)
{
	const struct scenario *scenario = &dagger->options->scenarios[job->network];
	struct settings_haul haul = {0};
	struct settings_table table;
	int status =
		settings_table_of(&table, &dagger->options->settings, scenario, error);

	if (status)
		return status;
	status = settings_rollout(&haul, scenario, &dagger->model, &table, job->teacher, job->plan,
				  job->seed, dagger_stopped, dagger, error);
	if (!status)
		status = take(dagger, job, &haul, &table, out, error);
	settings_haul_free(&haul);
	return status;
}

int dagger_find_best(struct dagger *dagger, struct error *error)
{
	const struct dagger_options *options = dagger->options;
	struct hindsight_options how = {.settings = options->settings, .seeds = SCORE_SEEDS,
					.seed = options->seed, .threads = options->threads};
	struct hindsight_network *networks = calloc(options->count, sizeof(*networks));
	int status = objective_parse(&how.objective, "hindsight", error);

	dagger->best = calloc(options->count, sizeof(*dagger->best));
	if (!networks || !dagger->best)
		status = error_set(error, ERR_NO_MEMORY, "out of memory for networks");
	if (!status)
		status = hindsight_score(&how, options->scenarios, options->count, networks,
					 dagger_stopped, dagger, error);
	for (size_t i = 0; i < options->count && !status; i++)
		dagger->best[i] = networks[i].best;
	free(networks);
	return status;
}
