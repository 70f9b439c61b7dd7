/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of a round, one job each: rollout, then labels on the same thread, with
 * a teacher of its own, so that results know nothing of threads.  Hauls go into
 * the visits in the order of networks.
 */
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "learn/dagger_parts.h"
#include "tensor/threads.h"

/* Runs of a single network, of which the last is held out. */
#define RUNS_OF_ONE 4

struct visiting {
	struct dagger *dagger;
	uint64_t round;
	size_t runs, done;
	struct visit_haul *hauls; /* (runs) */
	float **targets;	  /* (runs) of all steps, VISIT_CHANCES each */
	int *codes;
	struct error *errors; /* (runs) */
};

static size_t runs_of(const struct dagger *dagger)
{
	return dagger->options->count > 1 ? dagger->options->count : RUNS_OF_ONE;
}

static bool is_held_out(const struct dagger *dagger, size_t run)
{
	return dagger->held ? run >= dagger->options->count - dagger->held
			    : run == RUNS_OF_ONE - 1;
}

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

static int label(const struct visiting *visiting, size_t run, const struct teacher *teacher,
		 struct error *error)
{
	const struct visit_haul *haul = &visiting->hauls[run];
	const struct dagger *dagger = visiting->dagger;
	const size_t cells = (size_t)haul->steps * VISIT_CHANCES;
	float *target = malloc((cells + 1) * sizeof(*target));
	struct rng rng;

	if (!target)
		return error_set(error, ERR_NO_MEMORY, "out of memory for targets");
	visiting->targets[run] = target;
	for (size_t i = 0; i < cells; i++)
		target[i] = haul->is_asked[i / VISIT_CHANCES] ? haul->chances[i] : -1;
	if (teacher)
		return label_by_teacher(teacher, haul, target, error);
	if (dagger->options->teacher == DAGGER_TEACHER_none) {
		rng_seed(&rng, dagger_seed(dagger, visiting->round, run) + 1);
		label_by_draw(haul, &rng, target);
	}
	return 0;
}

static int visit(struct visiting *visiting, size_t run, struct error *error)
{
	struct dagger *dagger = visiting->dagger;
	const struct dagger_options *options = dagger->options;
	const struct visit_plan plan = {
		.interval = options->interval,
		.between = dagger->theta && student_fit_remembers(&dagger->model),
		.stretches = options->stretches,
		.stretch_steps = options->stretch_steps,
		.law_acts = visiting->round == 1,
	};
	const bool taught = options->teacher == DAGGER_TEACHER_policy;
	const int threads = tensor_threads_get();
	struct teacher teacher;
	int status = taught ? teacher_open(&teacher, options->policy, error) : 0;

	if (status)
		return status;
	tensor_threads_set(1);
	status = visit_rollout(&visiting->hauls[run],
			       &options->scenarios[options->count > 1 ? run : 0], &dagger->model,
			       taught ? &teacher : NULL, &plan,
			       dagger_seed(dagger, visiting->round, run), dagger_stopped, dagger,
			       error);
	if (!status)
		status = label(visiting, run, taught ? &teacher : NULL, error);
	tensor_threads_set(threads);
	if (taught)
		teacher_free(&teacher);
	return status;
}

static int visit_job(void *context, size_t run)
{
	struct visiting *visiting = context;
	const struct dagger *dagger = visiting->dagger;
	const int status = visit(visiting, run, &visiting->errors[run]);
	const size_t done = __atomic_add_fetch(&visiting->done, 1, __ATOMIC_RELAXED);

	visiting->codes[run] = status;
	if (dagger->observer->progress)
		dagger->observer->progress(dagger->observer->context, "visiting", visiting->round,
					   done, visiting->runs);
	return status;
}

static int take_hauls(struct visiting *visiting, struct error *error)
{
	struct dagger *dagger = visiting->dagger;
	struct rng rng;
	int status = 0;

	rng_seed(&rng, dagger_seed(dagger, visiting->round, UINT32_MAX));
	for (size_t run = 0; run < visiting->runs && !status; run++) {
		const struct visit_haul *haul = &visiting->hauls[run];
		struct visits_part *part = is_held_out(dagger, run) ? &dagger->visits.held_out
								    : &dagger->visits.train;
		float *law = malloc(((size_t)haul->steps + 1) * sizeof(*law));
		const struct visits_run visited = {haul->seen, visiting->targets[run], law,
						   haul->steps};

		if (!law)
			return error_set(error, ERR_NO_MEMORY, "out of memory for visits");
		for (int64_t i = 0; i < haul->steps; i++)
			law[i] = 1 - haul->chances[i * VISIT_CHANCES + AQM_PASS];
		status = visits_add(&dagger->visits, part, &visited, (int32_t)visiting->round, &rng,
				    error);
		free(law);
	}
	return status;
}

static int visit_all(struct visiting *visiting, struct error *error)
{
	const int status = parallel_for(visiting->runs, visiting->dagger->options->threads,
					visit_job, visiting);

	for (size_t run = 0; run < visiting->runs && status; run++)
		if (visiting->codes[run]) {
			*error = visiting->errors[run];
			return visiting->codes[run];
		}
	return status ? error_set(error, status, "out of memory for threads")
		      : take_hauls(visiting, error);
}

int dagger_visit(struct dagger *dagger, uint64_t round, struct error *error)
{
	const size_t runs = runs_of(dagger);
	struct visiting visiting = {
		.dagger = dagger,
		.round = round,
		.runs = runs,
		.hauls = calloc(runs, sizeof(struct visit_haul)),
		.targets = calloc(runs, sizeof(float *)),
		.codes = calloc(runs, sizeof(int)),
		.errors = calloc(runs, sizeof(struct error)),
	};
	int status = ERR_NO_MEMORY;

	if (visiting.hauls && visiting.targets && visiting.codes && visiting.errors)
		status = visit_all(&visiting, error);
	else
		error_set(error, status, "out of memory for %zu runs", runs);
	for (size_t run = 0; run < runs && visiting.hauls && visiting.targets; run++) {
		visit_haul_free(&visiting.hauls[run]);
		free(visiting.targets[run]);
	}
	free(visiting.hauls);
	free(visiting.targets);
	free(visiting.codes);
	free(visiting.errors);
	return status;
}
