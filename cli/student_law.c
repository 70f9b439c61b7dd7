/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue copies parameters, and with them the pointers to model and tap.
 */
#include "cli/student_law.h"

#include <string.h>

#include "aqm/student_shipped.h"
#include "sim/run.h"

int student_law_open(struct aqm_student_model *model, const struct scenario *scenario,
		     const char *path, bool unguarded, const struct aqm_ops **law, void **params,
		     struct error *error)
{
	struct aqm_student_params *own;
	int code = student_file_read(model, path, error);

	if (code == 0)
		code = sim_law_named(scenario, "student", law, params, error);
	if (code)
		return code;
	own = *params;
	own->model = model;
	if (unguarded)
		own->guarded = false;
	return 0;
}

bool student_watch_open(struct student_watch *watch, const struct aqm_ops *law, const void *params)
{
	if (strcmp(law->name, "student") != 0)
		return false;
	watch->params = *(const struct aqm_student_params *)params;
	watch->stats = (struct aqm_student_stats){0};
	watch->tap = (struct aqm_student_tap){0};
	if (watch->params.tap)
		watch->tap = *watch->params.tap;
	watch->tap.stats = &watch->stats;
	watch->params.tap = &watch->tap;
	return true;
}

struct aqm_policy_counts student_watch_counts(const struct student_watch *watch)
{
	const struct aqm_student_model *model =
		watch->params.model ? watch->params.model : aqm_student_shipped();

	return (struct aqm_policy_counts){
		.arrivals = watch->stats.packets,
		.decisions = watch->stats.decisions,
		.applied = watch->stats.packets,
		.overridden = watch->stats.overridden,
		.uncompared = true,
		.cut = model->mode != AQM_STUDENT_verdict,
	};
}
