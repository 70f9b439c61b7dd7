/* SPDX-License-Identifier: BSD-2-Clause */
#include "learn/settings_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SAME_FACTOR 0.01 /* octaves; gains are held in 16 bits */
#define LEAST 1e-6	 /* probability in a logarithm */

static double octaves(double value, double base)
{
	return log2(value / base);
}

/* Settings as outputs; regularity, decay and level are no settings of a law. */
static void outputs_of(const struct aqm_dualpi2_params *base, const struct aqm_dualpi2_params *now,
		       double output[AQM_STUDENT_SETTING_COUNT])
{
	memset(output, 0, AQM_STUDENT_SETTING_COUNT * sizeof(*output));
	output[AQM_STUDENT_SETTING_target] =
		octaves((double)now->target_ns, (double)base->target_ns);
	output[AQM_STUDENT_SETTING_step] =
		octaves((double)now->step.threshold_ns, (double)base->step.threshold_ns);
	output[AQM_STUDENT_SETTING_k] = octaves(now->k_q16, base->k_q16);
	output[AQM_STUDENT_SETTING_gain] = octaves(now->alpha_q16, base->alpha_q16);
}

/* Does the row set nothing but what a student sets, and beta by the factor of alpha? */
static bool is_sayable(const struct aqm_student_params *params,
		       const struct aqm_student_params *row,
		       const double output[AQM_STUDENT_SETTING_COUNT])
{
	struct aqm_student_params rest;
	bool same;

	memcpy(&rest, row, sizeof(rest));
	rest.base.target_ns = params->base.target_ns;
	rest.base.step.threshold_ns = params->base.step.threshold_ns;
	rest.base.k_q16 = params->base.k_q16;
	rest.base.alpha_q16 = params->base.alpha_q16;
	rest.base.beta_q16 = params->base.beta_q16;
	same = memcmp(&rest, params, sizeof(rest)) == 0;
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		same = same && isfinite(output[i]);
	return same && fabs(octaves(row->base.beta_q16, params->base.beta_q16) -
			    output[AQM_STUDENT_SETTING_gain]) < SAME_FACTOR;
}

int settings_table_make(struct settings_table *table, const struct policy_settings *settings,
			const struct aqm_ops *student, const struct aqm_student_params *params,
			struct error *error)
{
	void *all;
	int status = policy_settings_expand(settings, student, params, &all, error);

	if (status)
		return status;
	memset(table, 0, sizeof(*table));
	table->rows = settings->rows;
	table->start = policy_settings_start(settings, student, params);
	for (int r = 0; r < table->rows && !status; r++) {
		const struct aqm_student_params *row = (const struct aqm_student_params *)all + r;
		double output[AQM_STUDENT_SETTING_COUNT];

		table->law[r] = row->base;
		outputs_of(&params->base, &row->base, output);
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			table->output[r][i] = (float)output[i];
		if (!is_sayable(params, row, output))
			status = error_at(error, ERR_UNSUPPORTED, NULL, 0, "settings",
					  "row %d, %s: a student sets target_ms, step_ms, k, and "
					  "alpha and beta by one factor, none of them to 0",
					  r + 1, settings->row[r]);
	}
	free(all);
	return status;
}

void settings_table_settle(const struct settings_table *table,
			   float moves[POLICY_SETTINGS_ROWS][POOL_ACTIONS],
			   float output[AQM_STUDENT_SETTING_COUNT])
{
	const enum pool_action up = policy_move_towards(0, 1), down = policy_move_towards(1, 0);
	double weight[POLICY_SETTINGS_ROWS] = {0}, top = 0, sum = 0; /* weights: logarithms first */

	for (int r = 1; r < table->rows; r++) {
		weight[r] = weight[r - 1] + log(fmax((double)moves[r - 1][up], LEAST)) -
			    log(fmax((double)moves[r][down], LEAST));
		top = fmax(top, weight[r]);
	}
	for (int r = 0; r < table->rows; r++) {
		weight[r] = exp(weight[r] - top);
		sum += weight[r];
	}
	memset(output, 0, AQM_STUDENT_SETTING_COUNT * sizeof(*output));
	for (int r = 0; r < table->rows; r++)
		for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
			output[i] += (float)(weight[r] / sum) * table->output[r][i];
}
