/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/visit_run.h"

#include <stdlib.h>

#include "sim/run.h"

void visit_run_begin(struct visit_run *run, const struct visit_plan *plan,
		     const struct scenario *scenario, bool (*stop)(void *context), void *context)
{
	*run = (struct visit_run){
		.plan = plan,
		.warmup_ns = (uint64_t)(scenario->warmup_s * 1e9),
		.duration_ns = (uint64_t)(scenario->duration_s * 1e9),
		.stop = stop,
		.context = context,
	};
}

static bool is_over(const struct visit_run *run)
{
	return run->failed || run->stretch >= run->plan->stretches;
}

bool visit_run_keeps(const struct visit_run *run, uint64_t now_ns)
{
	const uint64_t each_ns =
		(run->duration_ns - run->warmup_ns) / (uint64_t)run->plan->stretches;

	return !is_over(run) && now_ns >= run->warmup_ns + each_ns * (uint64_t)run->stretch;
}

bool visit_run_asks(struct visit_run *run)
{
	return run->packets++ % run->plan->interval == 0;
}

bool visit_run_kept(struct visit_run *run)
{
	return ++run->kept == run->plan->stretch_steps;
}

void visit_run_next(struct visit_run *run)
{
	run->stretch++;
	run->kept = 0;
	run->packets = 0;
}

static bool enough(void *context, double done)
{
	const struct visit_run *run = context;

	(void)done;
	return is_over(run) || (run->stop && run->stop(run->context));
}

int visit_run_play(struct visit_run *run, const struct scenario *scenario,
		   const struct aqm_ops *law, const void *params, uint64_t seed,
		   struct error *error)
{
	const struct sim_options options = {
		.seed = seed, .law = law, .params = params, .context = run, .progress = enough};
	struct sim_result *result = calloc(1, sizeof(*result));
	int status;

	if (!result)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a run");
	status = sim_run(scenario, &options, result, error);
	if (!status)
		sim_result_free(result);
	free(result);
	if (run->failed)
		return error_set(error, ERR_NO_MEMORY, "out of memory for visited states");
	return status == ERR_INTERRUPTED && is_over(run) ? 0 : status;
}

int visit_student_law(const struct scenario *scenario, const struct aqm_student_model *model,
		      const struct aqm_student_tap *tap, const struct aqm_ops **law, void **params,
		      struct error *error)
{
	const int status = sim_law_named(scenario, "student", law, params, error);

	if (status)
		return status;
	((struct aqm_student_params *)*params)->model = model;
	((struct aqm_student_params *)*params)->tap = tap;
	return 0;
}

const struct aqm_student_vars *visit_vars_of(const int16_t *features)
{
	return (const struct aqm_student_vars *)((const char *)features -
						 offsetof(struct aqm_student_vars, sense.feature));
}
