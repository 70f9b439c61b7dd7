/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs of a round, one job each: rollout, then labels on the same thread, with
 * a teacher of its own, so that results know nothing of threads.  What they
 * bring goes into the visits in the order of networks.
 */
#include <stdlib.h>

#include "base/parallel.h"
#include "learn/dagger_parts.h"
#include "tensor/threads.h"

/* Runs of a single network, of which the last is held out. */
#define RUNS_OF_ONE 4

struct visiting {
	struct dagger *dagger;
	uint64_t round;
	size_t runs, done;
	struct dagger_haul *hauls; /* (runs) */
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

static int visit(struct visiting *visiting, size_t run, struct error *error)
{
	struct dagger *dagger = visiting->dagger;
	const struct dagger_options *options = dagger->options;
	const struct visit_plan plan = {
		.interval = options->interval,
		.between = dagger->theta && student_fit_remembers(&dagger->model),
		.stretches = options->stretches,
		.stretch_steps = options->stretch_steps,
		.student_acts = visiting->round > 1,
	};
	const bool taught = options->teacher == DAGGER_TEACHER_policy;
	const int threads = tensor_threads_get();
	struct teacher teacher;
	const struct dagger_job job = {.plan = &plan,
				       .network = options->count > 1 ? run : 0,
				       .seed = dagger_seed(dagger, visiting->round, run),
				       .teacher = taught ? &teacher : NULL};
	int status = taught ? teacher_open(&teacher, options->policy, error) : 0;

	if (status)
		return status;
	tensor_threads_set(1);
	status = (dagger_supervises(dagger) ? dagger_visit_settings : dagger_visit_verdicts)(
		dagger, &job, &visiting->hauls[run], error);
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
		const struct dagger_haul *haul = &visiting->hauls[run];
		const struct visits_run visited = {haul->seen, haul->target, haul->law,
						   haul->steps};
		struct visits_part *part = is_held_out(dagger, run) ? &dagger->visits.held_out
								    : &dagger->visits.train;

		status = visits_add(&dagger->visits, part, &visited, (int32_t)visiting->round, &rng,
				    error);
	}
	return status;
}

int dagger_haul_new(struct dagger_haul *haul, int64_t steps, int outputs, struct error *error)
{
	const size_t count = (size_t)steps;

	haul->steps = steps;
	haul->seen = malloc((count * AQM_STUDENT_FEATURE_COUNT + 1) * sizeof(*haul->seen));
	haul->target = malloc((count * (size_t)outputs + 1) * sizeof(*haul->target));
	haul->law = malloc((count + 1) * sizeof(*haul->law));
	if (haul->seen && haul->target && haul->law)
		return 0;
	return error_set(error, ERR_NO_MEMORY, "out of memory for %zu visited states", count);
}

static void haul_free(struct dagger_haul *haul)
{
	free(haul->seen);
	free(haul->target);
	free(haul->law);
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
		.hauls = calloc(runs, sizeof(struct dagger_haul)),
		.codes = calloc(runs, sizeof(int)),
		.errors = calloc(runs, sizeof(struct error)),
	};
	int status = ERR_NO_MEMORY;

	if (visiting.hauls && visiting.codes && visiting.errors)
		status = visit_all(&visiting, error);
	else
		error_set(error, status, "out of memory for %zu runs", runs);
	for (size_t run = 0; run < runs && visiting.hauls; run++)
		haul_free(&visiting.hauls[run]);
	free(visiting.hauls);
	free(visiting.codes);
	free(visiting.errors);
	return status;
}
