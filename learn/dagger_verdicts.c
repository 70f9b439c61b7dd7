/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run of a student that gives verdicts, with what it should have said: the
 * teacher's probabilities, the law's, or a verdict drawn from those.
 */
#include <stdlib.h>
#include <string.h>

#include "learn/dagger_parts.h"
#include "learn/visit_rollout.h"

/* The teacher's answers, in the order of verdicts, at the steps that it was asked about. */
static int label_by_teacher(const struct teacher *teacher, const struct visit_haul *haul,
			    float *target, struct error *error)
{
	float *labels = malloc((haul->asked.rows + 1) * POOL_ACTIONS * sizeof(*labels));
	const float *next = labels;
	int status;

	if (!labels)
		return error_set(error, ERR_NO_MEMORY, "out of memory for labels");
	status = teacher_label(teacher, &haul->asked, labels, error);
	for (int64_t i = 0; !status && i < haul->steps; i++) {
		if (!haul->is_asked[i])
			continue;
		target[i * VISIT_CHANCES + AQM_PASS] = next[POOL_ENQUEUE];
		target[i * VISIT_CHANCES + AQM_MARK] = next[POOL_MARK];
		target[i * VISIT_CHANCES + AQM_DROP] = next[POOL_DROP];
		next += POOL_ACTIONS;
	}
	free(labels);
	return status;
}

/* A verdict drawn from the law's chances: what an observer of the law would have recorded. */
static void label_by_draw(const struct visit_haul *haul, struct rng *rng, float *target)
{
	for (int64_t i = 0; i < haul->steps; i++) {
		const float *p = haul->chances + i * VISIT_CHANCES;
		const float at = (float)rng_uniform(rng);
		const enum aqm_verdict verdict = at < p[AQM_DROP] ? AQM_DROP
						 : at < p[AQM_DROP] + p[AQM_MARK]
							 ? AQM_MARK
							 : AQM_PASS;

		if (haul->is_asked[i])
			for (int v = 0; v < VISIT_CHANCES; v++)
				target[i * VISIT_CHANCES + v] = v == (int)verdict;
	}
}

static int label(const struct dagger *dagger, const struct dagger_job *job,
		 const struct visit_haul *haul, float *target, struct error *error)
{
	struct rng rng;

	for (int64_t i = 0; i < haul->steps * VISIT_CHANCES; i++)
		target[i] = haul->is_asked[i / VISIT_CHANCES] ? haul->chances[i] : VISITS_UNASKED;
	if (job->teacher)
		return label_by_teacher(job->teacher, haul, target, error);
	if (dagger->options->teacher == DAGGER_TEACHER_none) {
		rng_seed(&rng, job->seed + 1);
		label_by_draw(haul, &rng, target);
	}
	return 0;
}

int dagger_visit_verdicts(struct dagger *dagger, const struct dagger_job *job,
			  struct dagger_haul *out, struct error *error)
{
	struct visit_haul haul;
	int status = visit_rollout(&haul, &dagger->options->scenarios[job->network],
				   &dagger->model, job->teacher, job->plan, job->seed,
				   dagger_stopped, dagger, error);

	if (!status)
		status = dagger_haul_new(out, haul.steps, VISIT_CHANCES, error);
	if (!status)
		status = label(dagger, job, &haul, out->target, error);
	for (int64_t i = 0; !status && i < haul.steps; i++)
		out->law[i] = 1 - haul.chances[i * VISIT_CHANCES + AQM_PASS];
	if (!status && haul.steps)
		memcpy(out->seen, haul.seen,
		       (size_t)haul.steps * AQM_STUDENT_FEATURE_COUNT * sizeof(*out->seen));
	visit_haul_free(&haul);
	return status;
}
