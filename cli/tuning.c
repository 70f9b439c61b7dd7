/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which runs hindsight needs, and what it chooses.
 */
#include "cli/tuning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sampled network may have the same law with settings of its own. */
static int add_law(struct trial *trial, const char *text, const char *option, struct error *error)
{
	char *kept = trial_keep_text(trial, text);

	return kept ? trial_add_law(trial, kept, true, option, error)
		    : error_set(error, ERR_NO_MEMORY, "out of memory");
}

/* The reference and the law may be one. */
static int add_laws(struct tuning *tuning, const struct tuning_laws *laws, struct error *error)
{
	struct trial *trial = &tuning->trial;
	const bool same = strcmp(laws->reference, laws->law) == 0;
	char *rest = laws->beside ? trial_keep_text(trial, laws->beside) : NULL, *law;
	int code = laws->beside && !rest ? error_set(error, ERR_NO_MEMORY, "out of memory") : 0;

	if (code == 0)
		code = add_law(trial, laws->reference, "--reference", error);

	if (code == 0 && !same)
		code = add_law(trial, laws->law, "--law", error);
	tuning->law = same ? 0 : 1;
	tuning->beside = trial->arm_count;
	while (code == 0 && rest && (law = strsep(&rest, ",")))
		code = trial_add_law(trial, law, true, "--against", error);
	for (size_t i = 0; code == 0 && laws->students && i < laws->students->count; i++)
		code = trial_add_student(trial, laws->students->items,
					 laws->students->count, i, false, error);
	tuning->beside_count = trial->arm_count - tuning->beside;
	return code;
}

static int add_settings(struct tuning *tuning, struct error *error)
{
	struct trial *trial = &tuning->trial;
	const struct trial_arm law = trial->arms[tuning->law];
	int code = 0;

	tuning->points = calloc(tuning->settings + 1, sizeof(*tuning->points));
	if (tuning->points == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	tuning->first_setting = trial->arm_count;
	for (size_t i = 0; code == 0 && i < tuning->settings; i++) {
		struct trial_arm arm = law;
		char point[DESIGN_SETTINGS_BYTES];

		design_point(&tuning->design, i, point);
		snprintf(tuning->points[i], sizeof(tuning->points[i]), "%s%s%s",
			 law.settings ? law.settings : "", law.settings ? ":" : "", point);
		arm.settings = tuning->points[i];
		code = trial_arm_call(&arm, error, "%s #%zu", law.law, i);
		if (code == 0)
			code = trial_add_arm(trial, &arm, error);
	}
	return code;
}

int tuning_prepare(struct tuning *tuning, const struct tuning_laws *laws, struct error *error)
{
	struct trial *trial = &tuning->trial;
	const struct aqm_ops *law;
	int code = add_laws(tuning, laws, error);

	if (code)
		return code;
	law = aqm_find(trial->arms[tuning->law].law);
	code = laws->vary ? design_parse(&tuning->design, law, laws->vary, error)
			  : design_usual(&tuning->design, law, error);
	if (code == 0)
		code = add_settings(tuning, error);
	if (code)
		return code;
	trial->seeds = tuning->tuning_seeds + tuning->other_seeds;
	tuning->wanted = calloc(trial_runs(trial) + 1, sizeof(*tuning->wanted));
	tuning->best = calloc(trial->scenario_count + 1, sizeof(*tuning->best));
	trial->wanted = tuning->wanted;
	return tuning->wanted && tuning->best ? 0
					      : error_set(error, ERR_NO_MEMORY, "out of memory");
}

/* Seeds [from, to) of an arm in a scenario. */
static void want(struct tuning *tuning, size_t scenario, size_t arm, size_t from, size_t to)
{
	const struct trial *trial = &tuning->trial;

	for (size_t seed = from; seed < to; seed++)
		tuning->wanted[(scenario * trial->arm_count + arm) * trial->seeds + seed] = true;
}

void tuning_want_settings(struct tuning *tuning)
{
	const struct trial *trial = &tuning->trial;

	for (size_t s = 0; s < trial->scenario_count; s++) {
		for (size_t arm = 0; arm < tuning->first_setting; arm++)
			want(tuning, s, arm, 0, trial->seeds);
		for (size_t arm = tuning->first_setting; arm < trial->arm_count; arm++)
			want(tuning, s, arm, 0, tuning->tuning_seeds);
	}
}

void tuning_want_chosen(struct tuning *tuning)
{
	const struct trial *trial = &tuning->trial;

	for (size_t s = 0; s < trial->scenario_count; s++) {
		want(tuning, s, tuning->best[s], tuning->tuning_seeds, trial->seeds);
		want(tuning, s, tuning->one, tuning->tuning_seeds, trial->seeds);
	}
}

double tuning_reward(const struct tuning *tuning, size_t scenario, size_t arm, size_t seed)
{
	const struct trial *trial = &tuning->trial;

	return objective_reward(&tuning->objective,
				&trial_outcome_of(trial, scenario, arm, seed)->figures,
				&trial_outcome_of(trial, scenario, 0, seed)->figures);
}

static double mean_reward(const struct tuning *tuning, size_t scenario, size_t arm, size_t from,
			  size_t to)
{
	double sum = 0;

	for (size_t seed = from; seed < to; seed++)
		sum += tuning_reward(tuning, scenario, arm, seed);
	return sum / (double)(to - from);
}

double tuning_reward_tuned(const struct tuning *tuning, size_t scenario, size_t arm)
{
	return mean_reward(tuning, scenario, arm, 0, tuning->tuning_seeds);
}

double tuning_reward_compared(const struct tuning *tuning, size_t scenario, size_t arm)
{
	return mean_reward(tuning, scenario, arm, tuning->tuning_seeds, tuning->trial.seeds);
}

double tuning_figure(const struct tuning *tuning, size_t scenario, size_t arm,
		     enum objective_figure figure)
{
	const struct trial *trial = &tuning->trial;
	double sum = 0;

	for (size_t seed = tuning->tuning_seeds; seed < trial->seeds; seed++)
		sum += trial_outcome_of(trial, scenario, arm, seed)->figures.values[figure];
	return sum / (double)tuning->other_seeds;
}

/* The first of the best arms by `value`: the law as it is, or one of its settings. */
static size_t best_arm(const struct tuning *tuning, size_t scenario,
		       double (*value)(const struct tuning *tuning, size_t scenario, size_t arm))
{
	size_t best = tuning->law;
	double most = value(tuning, scenario, best);

	for (size_t arm = tuning->first_setting; arm < tuning->trial.arm_count; arm++) {
		const double other = value(tuning, scenario, arm);

		if (other > most) {
			most = other;
			best = arm;
		}
	}
	return best;
}

static double reward_of_all(const struct tuning *tuning, size_t scenario, size_t arm)
{
	double sum = 0;

	(void)scenario;
	for (size_t s = 0; s < tuning->trial.scenario_count; s++)
		sum += tuning_reward_tuned(tuning, s, arm);
	return sum;
}

void tuning_choose(struct tuning *tuning)
{
	for (size_t s = 0; s < tuning->trial.scenario_count; s++)
		tuning->best[s] = best_arm(tuning, s, tuning_reward_tuned);
	tuning->one = best_arm(tuning, 0, reward_of_all);
}

const char *tuning_settings_of(const struct tuning *tuning, size_t arm)
{
	const char *settings = tuning->trial.arms[arm].settings;

	return settings ? settings : "";
}

void tuning_free(struct tuning *tuning)
{
	trial_free(&tuning->trial);
	free(tuning->points);
	free(tuning->wanted);
	free(tuning->best);
}
