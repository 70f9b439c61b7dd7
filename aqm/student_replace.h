/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A student's model is swapped while packets go on.
 */
#ifndef AQM_STUDENT_REPLACE_H
#define AQM_STUDENT_REPLACE_H

#include "aqm/student.h"

/*
 * The law's own settings are in force, and the link's pauses, which no network sets; a supervisor's
 * come back with its next decision.
 */
AQM_INLINE void aqm_student_settings_forget(const struct aqm_student_params *params,
					    struct aqm_student_vars *vars)
{
	vars->now = params->base;
	vars->cut = false;
	vars->regularity_q16 = 0;
	vars->decay_q16 = 0;
	vars->steep_below_q16 = 0;
	vars->steep_above_q16 = 0;
	if (aqm_student_model_of(vars)->mode != AQM_STUDENT_verdict)
		aqm_student_step_pauses(params, vars);
}

/*
 * Another model goes on in the place of the one at work: law, guard and senses keep what they know,
 * what the network itself remembered and set is forgotten.  It speaks at the next update or packet.
 */
AQM_INLINE void aqm_student_replace(const struct aqm_student_params *params,
				    struct aqm_student_vars *vars,
				    const struct aqm_student_model *model)
{
	vars->model = model;
	aqm_student_settings_forget(params, vars);
	vars->state = (struct aqm_student_state){0};
	for (uint32_t i = 0; i < AQM_STUDENT_OUTPUTS; i++)
		vars->output[i] = 0;
	vars->level_q16 = 0;
	for (uint32_t i = AQM_STUDENT_FIRST_OWN; i < AQM_STUDENT_FEATURE_COUNT; i++)
		vars->sense.feature[i] = 0;
	/* Slow inputs are read at updates only, and those that stand there are the old model's. */
	aqm_student_read_inputs(vars, 0, model->inputs);
}

#endif
