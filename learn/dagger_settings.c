/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student that supervises, with the settings that it should have asked
 * for: where the teacher's moves lead from the rows that it was asked in
 * (learn/settings_table.h), in the mean over the questions since the update before.
 *
 * Without a teacher the moves are those towards the row that was best in the
 * network, in hindsight: what a teacher of settings has learned from.
 */
#include <stdlib.h>
#include <string.h>

#include "learn/dagger_parts.h"
#include "learn/hindsight.h"
#include "learn/settings_rollout.h"

#define WIDTH AQM_STUDENT_SETTING_COUNT
#define SCORE_SEEDS 2 /* runs of each row in each network, as `aqmllm supervise` has it */

/* Moves towards a row, for certain. */
static void move_for_certain(const struct settings_haul *haul, int best, float *moves)
{
	memset(moves, 0, (size_t)haul->asked_rows * POOL_ACTIONS * sizeof(*moves));
	for (int64_t i = 0; i < haul->asked_rows; i++)
		moves[i * POOL_ACTIONS + policy_move_towards(haul->row[i], best)] = 1;
}

static void label(const struct settings_haul *haul, const struct settings_table *table,
		  const float *moves, float *target)
{
	int64_t ask = 0;

	for (int64_t i = 0; i < haul->steps; i++, target += WIDTH) {
		const int64_t asks = haul->asks[i] - ask;

		memset(target, 0, WIDTH * sizeof(*target));
		if (asks == 0)
			target[0] = VISITS_UNASKED;
		for (; ask < haul->asks[i]; ask++)
			settings_table_teach(table, haul->row[ask], moves + ask * POOL_ACTIONS,
					     1 / (float)asks, target);
	}
}

static int take(const struct dagger *dagger, const struct dagger_job *job,
		const struct settings_haul *haul, const struct settings_table *table,
		struct dagger_haul *out, struct error *error)
{
	float *moves =
		malloc(((size_t)haul->asked_rows + 1) * POOL_ACTIONS * sizeof(*moves));
	int status = moves ? dagger_haul_new(out, haul->steps, WIDTH, error)
			   : error_set(error, ERR_NO_MEMORY, "out of memory for labels");

	if (!status && job->teacher)
		status = teacher_label(job->teacher, &haul->asked, moves, error);
	else if (!status)
		move_for_certain(haul, dagger->best[job->network], moves);
	if (!status)
		label(haul, table, moves, out->target);
	if (!status && haul->steps) {
		memcpy(out->seen, haul->seen,
		       (size_t)haul->steps * AQM_STUDENT_FEATURE_COUNT * sizeof(*out->seen));
		memcpy(out->law, haul->p, (size_t)haul->steps * sizeof(*out->law));
	}
	free(moves);
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
