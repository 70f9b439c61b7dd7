/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The student's tap tells of every decision.  What became of a packet is known
 * at the next one: a signal that was carried out has left its time in the
 * student's sense, a signal that the guard took away has not.
 */
#include "learn/visit_rollout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/student_float.h"
#include "learn/visits.h"

struct recorder {
	struct visit_run run;
	const struct teacher *teacher;
	const struct aqm_ops *law;
	const void *params;
	struct visit_haul *haul;
	bool pending;	 /* the last step's fate is not known yet */
	bool in_pool;	 /* the last step is the pool's last row */
	uint64_t last_ns;
	unsigned last_queue;
};

void visit_law_chances(const struct aqm_student_vars *vars, const struct aqm_facts *facts,
		       float chances[VISIT_CHANCES])
{
	const bool l = facts->queue == AQM_QUEUE_L, marks = facts->ecn != AQM_NOT_ECT;
	const bool overload = aqm_student_overload(vars);
	const bool quiet = aqm_dualpi2_is_short(&vars->now, facts);
	const double squared = quiet ? 0 : pow((double)vars->law.p_q32 / 4294967296.0, 2);
	double p = quiet ? 0
			 : (double)aqm_student_law_p_q32(vars, facts->queue) / 4294967296.0;
	double drop = 0;

	/* The native AQM of L, by the age of the first packet instead of this one's own. */
	if (l && facts->head_sojourn_ns[AQM_QUEUE_L] > vars->now.step.threshold_ns &&
	    facts->backlog_pkts[AQM_QUEUE_L] >= vars->now.step.min_qlen_pkts)
		p = 1;
	if (!marks || (!l && overload))
		drop = p;
	else if (l && overload)
		drop = squared;
	chances[AQM_PASS] = (float)(1 - p);
	chances[AQM_DROP] = (float)drop;
	chances[AQM_MARK] = (float)(p - drop);
}

static bool haul_reserve(struct visit_haul *haul)
{
	const int64_t room = haul->room ? 2 * haul->room : 1024;

	if (haul->steps < haul->room)
		return true;
	if (!visits_grow((void **)&haul->seen, room * AQM_STUDENT_FEATURE_COUNT,
			 sizeof(*haul->seen)) ||
	    !visits_grow((void **)&haul->chances, room * VISIT_CHANCES, sizeof(*haul->chances)) ||
	    !visits_grow((void **)&haul->done, room, sizeof(*haul->done)) ||
	    !visits_grow((void **)&haul->is_asked, room, sizeof(*haul->is_asked)))
		return false;
	haul->room = room;
	return true;
}

void visit_haul_free(struct visit_haul *haul)
{
	free(haul->seen);
	free(haul->chances);
	free(haul->done);
	free(haul->is_asked);
	pool_free(&haul->asked);
	memset(haul, 0, sizeof(*haul));
}

static const enum pool_action action_of[] = {
	[AQM_PASS] = POOL_ENQUEUE, [AQM_MARK] = POOL_MARK, [AQM_DROP] = POOL_DROP};

/* A signal that was wanted and not given was taken away by the guard. */
static void settle(struct recorder *recorder, const struct aqm_student_vars *vars)
{
	struct visit_haul *haul = recorder->haul;

	if (!recorder->pending)
		return;
	recorder->pending = false;
	if (vars->sense.signalled_ns[recorder->last_queue] != recorder->last_ns)
		haul->done[haul->steps - 1] = AQM_PASS;
	if (recorder->in_pool)
		haul->asked.action[haul->asked.rows - 1] = action_of[haul->done[haul->steps - 1]];
}

static bool ask(struct recorder *recorder, const struct aqm_student_vars *vars,
		const struct aqm_facts *facts)
{
	struct aqm_record record = {0};

	if (!recorder->teacher)
		return true;
	aqm_record_host_fields(facts, &record);
	recorder->law->record(recorder->params, vars, facts, false, &record);
	return teacher_saw(recorder->teacher, &recorder->haul->asked, &record, POOL_ENQUEUE) == 0;
}

static void keep(struct recorder *recorder, const struct aqm_student_vars *vars,
		 const struct aqm_facts *facts, const float *chances, enum aqm_verdict wanted,
		 bool asked)
{
	struct visit_haul *haul = recorder->haul;
	const int64_t at = haul->steps;

	if (!haul_reserve(haul) || (asked && !ask(recorder, vars, facts))) {
		recorder->run.failed = true;
		return;
	}
	memcpy(haul->seen + at * AQM_STUDENT_FEATURE_COUNT, vars->sense.feature,
	       sizeof(vars->sense.feature));
	memcpy(haul->chances + at * VISIT_CHANCES, chances, VISIT_CHANCES * sizeof(*chances));
	haul->done[at] = (int8_t)wanted;
	haul->is_asked[at] = asked;
	haul->steps++;
	recorder->pending = true;
	recorder->in_pool = asked && recorder->teacher;
	recorder->last_ns = facts->now_ns;
	recorder->last_queue = facts->queue;
}

static void end_stretch(struct recorder *recorder)
{
	struct pool *asked = &recorder->haul->asked;

	if (asked->rows)
		asked->done[asked->rows - 1] = 1;
	visit_run_next(&recorder->run);
}

static void decided(void *context, const struct aqm_facts *facts, const int16_t *features,
		    int16_t *outputs)
{
	struct recorder *recorder = context;
	const struct aqm_student_vars *vars = visit_vars_of(features);
	const struct visit_plan *plan = recorder->run.plan;
	float chances[VISIT_CHANCES];
	enum aqm_verdict wanted;
	bool asked;

	settle(recorder, vars);
	visit_law_chances(vars, facts, chances);
	for (int v = 0; v < VISIT_CHANCES && !plan->student_acts; v++)
		outputs[v] = student_output_of((double)chances[v]);
	if (!visit_run_keeps(&recorder->run, facts->now_ns))
		return;
	asked = visit_run_asks(&recorder->run);
	if (!asked && !plan->between)
		return;
	wanted = aqm_student_effect(aqm_student_draw(outputs, (uint32_t)facts->random), facts->ecn);
	keep(recorder, vars, facts, chances, wanted, asked);
	if (visit_run_kept(&recorder->run))
		end_stretch(recorder);
}

int visit_rollout(struct visit_haul *haul, const struct scenario *scenario,
		  const struct aqm_student_model *model, const struct teacher *teacher,
		  const struct visit_plan *plan, uint64_t seed, bool (*stop)(void *context),
		  void *context, struct error *error)
{
	struct recorder recorder = {.teacher = teacher, .haul = haul};
	const struct aqm_student_tap tap = {.context = &recorder, .decided = decided};
	void *params = NULL;
	int status;

	memset(haul, 0, sizeof(*haul));
	visit_run_begin(&recorder.run, plan, scenario, stop, context);
	if (teacher)
		teacher_pool(teacher, &haul->asked);
	else
		pool_init(&haul->asked);
	status = visit_student_law(scenario, model, &tap, &recorder.law, &params, error);
	recorder.params = params;
	/* To a guard that knows a law deciding at departure, its signals at arrival are extra. */
	if (!status && !plan->student_acts)
		((struct aqm_student_params *)params)->guarded = false;
	if (!status)
		status = visit_run_play(&recorder.run, scenario, recorder.law, params, seed, error);
	end_stretch(&recorder);
	free(params);
	return status;
}
