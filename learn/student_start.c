/* SPDX-License-Identifier: BSD-2-Clause */
/* The controller's shares are the biases of the last layer. */
#include "learn/student_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void student_start_default(struct student_start *start)
{
	*start = (struct student_start){
#define STUDENT_START_VALUE(name, value, text) .name = value,
		STUDENT_START_TABLE(STUDENT_START_VALUE)
#undef STUDENT_START_VALUE
	};
}

static double *find(struct student_start *start, const char *name, size_t length)
{
#define STUDENT_START_FIND(field, value, text)                                                     \
	if (strlen(#field) == length && memcmp(name, #field, length) == 0)                         \
		return &start->field;
	STUDENT_START_TABLE(STUDENT_START_FIND)
#undef STUDENT_START_FIND
	return NULL;
}

int student_start_set(struct student_start *start, const char *text, struct error *error)
{
	const char *at = text;

	while (*at) {
		const size_t length = strcspn(at, "=");
		double *field = at[length] == '=' ? find(start, at, length) : NULL;
		char *end = NULL;

		if (field)
			*field = strtod(at + length + 1, &end);
		if (!field || end == at + length + 1 || (*end != ',' && *end != '\0') ||
		    !(fabs(*field) <= 1))
			return error_at(error, ERR_INVALID, NULL, 0, "start",
					"%s: give target, step, k, gain, decay, regularity as "
					"NAME=VALUE,... within +-1",
					text);
		at = end + (*end == ',');
	}
	return 0;
}

int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error)
{
	const double share[] = {
		[AQM_STUDENT_SETTING_target] = start->target,
		[AQM_STUDENT_SETTING_step] = start->step,
		[AQM_STUDENT_SETTING_k] = start->k,
		[AQM_STUDENT_SETTING_gain] = start->gain,
		[AQM_STUDENT_SETTING_regularity] = start->regularity,
		[AQM_STUDENT_SETTING_decay] = start->decay,
		[AQM_STUDENT_SETTING_level] = 0,
	};
	const int last = shape->layers - 1;
	const size_t outputs = shape->outputs;
	float *out, *bias;

	if (shape->kind != AQM_STUDENT_net || shape->mode != AQM_STUDENT_share)
		return error_at(error, ERR_INVALID, NULL, 0, "start",
				"the controller goes into nets of the mode share");
	out = theta + student_float_weights_at(shape, last);
	bias = theta + student_float_biases_at(shape, last);
	memset(out, 0, outputs * shape->layer[last].inputs * sizeof(*out));
	for (size_t i = 0; i < outputs; i++)
		bias[i] = (float)share[i];
	return 0;
}
