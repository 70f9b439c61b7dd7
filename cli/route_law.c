/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_law.h"

#include <stdlib.h>
#include <string.h>

#include "aqm/student_replace.h"
#include "backbone/backbone.h"
#include "os/linux/loop.h"
#include "policy/background.h"

#define USUAL_LAW "dualpi2"
#define USUAL_INTERVAL 10 /* packets */

static int find_law(const struct route_options *options, bool is_student,
		    const struct aqm_ops **law, struct error *error)
{
	const char *name = options->aqm ? options->aqm : is_student ? "student" : USUAL_LAW;

	if (is_student && strcmp(name, "student") != 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--aqm",
				"a student is a law of its own: leave out --aqm %s, or the student",
				name);
	*law = aqm_find(name);
	if (*law == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, "--aqm",
				"%s is not a law; aqmllm aqms lists them", name);
	return 0;
}

static int set_params(struct route_law *law, const struct route_options *options,
		      struct error *error)
{
	int code;

	law->own_params = calloc(1, law->law->params_size + 1);
	if (law->own_params == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = aqm_params_default(law->law, law->own_params, error);
	if (code == 0 && law->is_student) {
		struct aqm_student_params *params = law->own_params;

		params->model = &law->models[0];
	}
	for (size_t i = 0; code == 0 && i < options->settings.count; i++)
		code = aqm_params_set(law->law, law->own_params, options->settings.items[i],
				      error);
	if (code == 0 && options->unguarded && strcmp(law->law->name, "student") == 0)
		((struct aqm_student_params *)law->own_params)->guarded = false;
	if (code == 0 && law->law->check)
		code = law->law->check(law->own_params, error);
	return code;
}

/* A policy on top of the law. */
static int open_policy(struct route_law *law, const struct route_options *options,
		       struct error *error)
{
	const int choice =
		aqm_policy_choice_find(options->verdict ? options->verdict : "drawn");
	struct aqm_policy_config config = {
		.law = law->law,
		.law_params = law->own_params,
		.interval = options->interval ? options->interval : USUAL_INTERVAL,
		.choice = (enum aqm_policy_choice)choice,
		.guarded = !options->unguarded,
	};
	int code = 0;

	if (choice < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "--verdict",
				"%s is neither drawn nor argmax", options->verdict);
	code = backbone_place_all(options->device ? options->device : "cpu", error);
	if (code == 0)
		code = background_policy_open(
			&law->policy,
			&(struct background_config){options->policy, options->manner,
						    loop_stand_back},
			error);
	config.policy = law->policy;
	if (code == 0)
		code = aqm_policy_new(&law->wrapped, &config, error);
	if (code == 0) {
		law->law = aqm_policy_ops(law->wrapped);
		law->params = aqm_policy_params(law->wrapped);
	}
	return code;
}

/* What the law is seen through: the policy, or a tap of the student. */
static int dress(struct route_law *law, const struct route_options *options, struct error *error)
{
	law->params = law->own_params;
	if (options->policy && !law->is_student)
		return open_policy(law, options, error);
	law->watched = student_watch_open(&law->watch, law->law, law->params);
	if (law->watched)
		law->params = &law->watch.params;
	return 0;
}

int route_law_open(struct route_law *law, const struct route_options *options,
		   struct error *error)
{
	int code;

	memset(law, 0, sizeof(*law));
	law->path = options->policy;
	law->is_student = options->policy && student_file_named(options->policy);
	code = find_law(options, law->is_student, &law->law, error);
	if (code == 0 && law->is_student)
		code = student_file_read(&law->models[0], options->policy, error);
	if (code == 0)
		code = set_params(law, options, error);
	if (code == 0)
		code = dress(law, options, error);
	if (code)
		route_law_close(law);
	return code;
}

void route_law_close(struct route_law *law)
{
	aqm_policy_free(law->wrapped);
	policy_destroy(law->policy);
	free(law->own_params);
	memset(law, 0, sizeof(*law));
}

struct aqm_policy_counts route_law_counts(const struct route_law *law)
{
	if (law->wrapped)
		return aqm_policy_counts(law->wrapped);
	return law->watched ? student_watch_counts(&law->watch) : (struct aqm_policy_counts){0};
}

int route_law_reload(struct route_law *law, struct queue *queue, struct error *error)
{
	struct aqm_student_model *next = &law->models[1 - law->model];
	struct aqm_student_params *params = queue->params;
	int code;

	if (law->policy)
		background_policy_reload(law->policy);
	if (!law->is_student)
		return 0;
	code = student_file_read(next, law->path, error);
	if (code)
		return code;
	law->model = 1 - law->model;
	params->model = next;
	aqm_student_replace(params, queue->vars, next);
	return 1;
}

int route_law_reloaded(struct route_law *law, struct error *error)
{
	return law->policy ? background_policy_reloaded(law->policy, error) : 0;
}

int route_law_failure(const struct route_law *law, struct error *error)
{
	return law->wrapped ? aqm_policy_failure(law->wrapped, error) : 0;
}
