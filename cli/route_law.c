/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/route_law.h"

#include <stdlib.h>
#include <string.h>

#define USUAL_LAW "dualpi2"

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

int route_law_open(struct route_law *law, const struct route_options *options,
		   struct error *error)
{
	int code;

	memset(law, 0, sizeof(*law));
	law->is_student = options->policy && student_file_named(options->policy);
	code = find_law(options, law->is_student, &law->law, error);
	if (code == 0 && law->is_student)
		code = student_file_read(&law->models[0], options->policy, error);
	if (code == 0)
		code = set_params(law, options, error);
	if (code) {
		route_law_close(law);
		return code;
	}
	law->params = law->own_params;
	law->watched = student_watch_open(&law->watch, law->law, law->params);
	if (law->watched)
		law->params = &law->watch.params;
	return 0;
}

void route_law_close(struct route_law *law)
{
	free(law->own_params);
	law->own_params = NULL;
}

struct aqm_policy_counts route_law_counts(const struct route_law *law)
{
	return law->watched ? student_watch_counts(&law->watch) : (struct aqm_policy_counts){0};
}
