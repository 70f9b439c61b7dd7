/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The student's tap tells of updates.  Packets are heard of before it: the run's law
 * is the student's with another function for arrivals, which finds its recorder
 * through the tap.
 */
#include "learn/settings_rollout.h"

#include <stdlib.h>
#include <string.h>

#include "learn/student_float.h"
#include "learn/visits.h"

#define HOLD_TICKS 16 /* updates of p' that the walk stays, in the mean */

struct recorder {
	struct visit_run run;
	const struct teacher *teacher;
	const struct settings_table *table;
	struct settings_haul *haul;
	struct rng rng;
	int walks_on;	  /* the walk's row */
	int64_t answered; /* questions whose update is past */
};

static bool reserve_step(struct settings_haul *haul)
{
	const int64_t room = haul->room ? 2 * haul->room : 256;

	if (haul->steps < haul->room)
		return true;
	if (!visits_grow((void **)&haul->seen, room * AQM_STUDENT_FEATURE_COUNT,
			 sizeof(*haul->seen)) ||
	    !visits_grow((void **)&haul->p, room, sizeof(*haul->p)) ||
	    !visits_grow((void **)&haul->asks, room, sizeof(*haul->asks)))
		return false;
	haul->room = room;
	return true;
}

void settings_haul_free(struct settings_haul *haul)
{
	free(haul->seen);
	free(haul->p);
	free(haul->asks);
	for (int r = 0; r < POLICY_SETTINGS_ROWS; r++)
		pool_free(&haul->asked[r]);
	memset(haul, 0, sizeof(*haul));
}

/* The packet's record under every row; a teacher that stays where it is keeps. */
static bool show(struct recorder *recorder, const struct aqm_student_vars *vars,
		 const struct aqm_facts *facts)
{
	const struct settings_table *table = recorder->table;
	bool shown = true;

	for (int r = 0; recorder->teacher && r < table->rows; r++) {
		struct aqm_record record = {0};

		aqm_record_host_fields(facts, &record);
		aqm_dualpi2_record(&table->law[r], &vars->law, facts, &record);
		shown = shown && teacher_saw(recorder->teacher, &recorder->haul->asked[r], &record,
					     policy_move_towards(r, r)) == 0;
	}
	return shown;
}

static void arrived(struct recorder *recorder, const struct aqm_student_vars *vars,
		    const struct aqm_facts *facts)
{
	if (!visit_run_keeps(&recorder->run, facts->now_ns) || !visit_run_asks(&recorder->run))
		return;
	if (show(recorder, vars, facts))
		recorder->haul->asked_count++;
	else
		recorder->run.failed = true;
}

static void end_stretch(struct recorder *recorder)
{
	for (int r = 0; r < recorder->table->rows; r++) {
		struct pool *asked = &recorder->haul->asked[r];

		if (asked->rows)
			asked->done[asked->rows - 1] = 1;
	}
	recorder->answered = recorder->haul->asked_count;
	visit_run_next(&recorder->run);
}

static void walk(struct recorder *recorder, int16_t *outputs)
{
	const struct settings_table *table = recorder->table;

	if (rng_below(&recorder->rng, HOLD_TICKS) == 0) {
		const int to = recorder->walks_on + (int)rng_below(&recorder->rng, 3) - 1;

		recorder->walks_on = to < 0 ? 0 : to >= table->rows ? table->rows - 1 : to;
	}
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		outputs[i] = student_setting_of((double)table->output[recorder->walks_on][i]);
}

static void keep(struct recorder *recorder, const struct aqm_student_vars *vars)
{
	struct settings_haul *haul = recorder->haul;

	if (!reserve_step(haul)) {
		recorder->run.failed = true;
		return;
	}
	memcpy(haul->seen + haul->steps * AQM_STUDENT_FEATURE_COUNT, vars->sense.feature,
	       sizeof(vars->sense.feature));
	haul->p[haul->steps] = (float)((double)vars->law.p_q32 / 4294967296.0);
	haul->asks[haul->steps++] = haul->asked_count;
	recorder->answered = haul->asked_count;
	if (visit_run_kept(&recorder->run))
		end_stretch(recorder);
}

static void decided(void *context, const struct aqm_facts *facts, const int16_t *features,
		    int16_t *outputs)
{
	struct recorder *recorder = context;
	const bool asked = recorder->haul->asked_count > recorder->answered;

	if (visit_run_keeps(&recorder->run, facts->now_ns) &&
	    (asked || recorder->run.plan->between))
		keep(recorder, visit_vars_of(features));
	if (!recorder->run.plan->student_acts)
		walk(recorder, outputs);
}

static enum aqm_verdict on_enqueue(const void *params, void *vars, void *stats,
				   const struct aqm_facts *facts, uint32_t *cookie)
{
	const struct aqm_student_params *own = params;

	arrived(own->tap->context, vars, facts);
	return aqm_find("student")->on_enqueue(params, vars, stats, facts, cookie);
}

int settings_table_of(struct settings_table *table, const struct policy_settings *settings,
		      const struct scenario *scenario, struct error *error)
{
	const struct aqm_ops *student;
	void *params = NULL;
	int status = visit_student_law(scenario, NULL, NULL, &student, &params, error);

	if (!status)
		status = settings_table_make(table, settings, student, params, error);
	free(params);
	return status;
}

int settings_rollout(struct settings_haul *haul, const struct scenario *scenario,
		     const struct aqm_student_model *model, const struct settings_table *table,
		     const struct teacher *teacher, const struct visit_plan *plan, uint64_t seed,
		     bool (*stop)(void *context), void *context, struct error *error)
{
	struct recorder recorder = {
		.teacher = teacher, .table = table, .haul = haul, .walks_on = table->start};
	const struct aqm_student_tap tap = {.context = &recorder, .decided = decided};
	const struct aqm_ops *student;
	struct aqm_ops law;
	void *params = NULL;
	struct rng root;
	int status;

	memset(haul, 0, sizeof(*haul));
	for (int r = 0; r < POLICY_SETTINGS_ROWS; r++) {
		if (teacher)
			teacher_pool(teacher, &haul->asked[r]);
		else
			pool_init(&haul->asked[r]);
	}
	visit_run_begin(&recorder.run, plan, scenario, stop, context);
	rng_seed(&root, seed);
	recorder.rng = rng_split(&root, UINT32_MAX);
	status = visit_student_law(scenario, model, &tap, &student, &params, error);
	if (status)
		return status;
	law = *student;
	law.on_enqueue = on_enqueue;
	/* The walk goes where the guard would not let it. */
	if (!plan->student_acts)
		((struct aqm_student_params *)params)->guarded = false;
	status = visit_run_play(&recorder.run, scenario, &law, params, seed, error);
	end_stretch(&recorder);
	free(params);
	return status;
}
