/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The law, the teacher on top of it, and the student, each in closed loop over
 * the same networks and seeds.
 */
#include <stdlib.h>

#include "base/parallel.h"
#include "learn/dagger_parts.h"
#include "policy/aqm_policy.h"
#include "sim/run.h"

struct measuring {
	struct dagger *dagger;
	enum dagger_arm arm;
	uint64_t round;
	size_t count, done;
	struct quality *quality;
	int *codes;
	struct error *errors;
};

static bool stopped(void *context, double done)
{
	(void)done;
	return dagger_stopped(context);
}

static int measure_law(struct dagger *dagger, const struct scenario *scenario,
		       const struct aqm_ops *law, const void *params, uint64_t seed,
		       struct quality *quality, struct error *error)
{
	return quality_measure(scenario, law, params, seed, dagger, stopped, quality, error);
}

static int measure_teacher(struct dagger *dagger, const struct scenario *scenario,
			   const struct aqm_ops *law, const void *params, uint64_t seed,
			   struct quality *quality, struct error *error)
{
	struct aqm_policy_config config = {
		.law = law,
		.law_params = params,
		.interval = dagger->options->interval,
		.latency_ns = (uint64_t)(dagger->options->latency_ms * 1e6 + 0.5),
		.guarded = true,
	};
	struct aqm_policy *wrapped = NULL;
	int status = policy_open(&config.policy, dagger->options->policy, error);

	if (status)
		return status;
	status = aqm_policy_new(&wrapped, &config, error);
	if (!status)
		status = measure_law(dagger, scenario, aqm_policy_ops(wrapped),
				     aqm_policy_params(wrapped), seed, quality, error);
	if (!status)
		status = aqm_policy_failure(wrapped, error);
	aqm_policy_free(wrapped);
	policy_destroy(config.policy);
	return status;
}

/* DualPI2 as the student has it inside: a step floor of one packet. */
static int floored_law(const struct scenario *scenario, const struct aqm_ops **law, void **params,
		       struct error *error)
{
	const int status = sim_law_named(scenario, "dualpi2", law, params, error);

	return status ? status : aqm_params_set(*law, *params, "min_qlen_step=1", error);
}

static int measure(struct measuring *measuring, size_t index, struct error *error)
{
	struct dagger *dagger = measuring->dagger;
	const struct scenario *scenario = dagger_measured_network(dagger, index);
	const uint64_t seed = dagger_seed(dagger, 0, index);
	const struct aqm_ops *law;
	void *params = NULL;
	int status = measuring->arm == DAGGER_ARM_STUDENT
			     ? visit_student_law(scenario, &dagger->model, NULL, &law, &params,
						 error)
			     : floored_law(scenario, &law, &params, error);

	if (!status)
		status = (measuring->arm == DAGGER_ARM_TEACHER ? measure_teacher : measure_law)(
			dagger, scenario, law, params, seed, &measuring->quality[index], error);
	free(params);
	return status;
}

static int measure_job(void *context, size_t index)
{
	static const char *const stages[] = {"the law", "the teacher", "the student"};
	struct measuring *measuring = context;
	const struct dagger_observer *observer = measuring->dagger->observer;
	const int status = measure(measuring, index, &measuring->errors[index]);
	const size_t done = __atomic_add_fetch(&measuring->done, 1, __ATOMIC_RELAXED);

	measuring->codes[index] = status;
	if (observer->progress)
		observer->progress(observer->context, stages[measuring->arm], measuring->round,
				   done, measuring->count);
	return status;
}

int dagger_measure(struct dagger *dagger, enum dagger_arm arm, uint64_t round,
		   struct quality *quality, struct error *error)
{
	const size_t count = dagger_measured(dagger);
	struct measuring measuring = {
		.dagger = dagger,
		.arm = arm,
		.round = round,
		.count = count,
		.quality = quality,
		.codes = calloc(count, sizeof(int)),
		.errors = calloc(count, sizeof(struct error)),
	};
	int status = ERR_NO_MEMORY;

	if (measuring.codes && measuring.errors)
		status = parallel_for(count, dagger->options->threads, measure_job, &measuring);
	for (size_t i = 0; measuring.codes && i < count && status; i++)
		if (measuring.codes[i]) {
			*error = measuring.errors[i];
			status = measuring.codes[i];
			break;
		}
	free(measuring.codes);
	free(measuring.errors);
	return status == ERR_NO_MEMORY ? error_set(error, status, "out of memory for runs")
				       : status;
}
