/* SPDX-License-Identifier: BSD-2-Clause */
/* Shares are the biases of the last layer, slopes the weights of the only one. */
#include "learn/student_start.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void student_start_default(struct student_start *start)
{
	*start = (struct student_start){.share = {
#define STUDENT_START_VALUE(name, value, text) [AQM_STUDENT_SETTING_##name] = value,
		STUDENT_START_TABLE(STUDENT_START_VALUE)
#undef STUDENT_START_VALUE
	}};
}

/* Output by its name, or -1. */
static int find_output(const char *name)
{
	for (int i = 0; i < AQM_STUDENT_SETTING_COUNT; i++)
		if (strcmp(student_output_name(AQM_STUDENT_share, i), name) == 0)
			return i;
	return -1;
}

/* Where the value of "OUTPUT" or "OUTPUT/FEATURE" stands; NULL: no such name. */
static double *find(struct student_start *start, char *name)
{
	char *slash = strchr(name, '/');
	int output, feature;

	if (slash)
		*slash = '\0';
	output = find_output(name);
	feature = slash ? student_feature_find(slash + 1) : 0;
	if (output < 0 || feature < 0)
		return NULL;
	return slash ? &start->slope[output][feature] : &start->share[output];
}

int student_start_set(struct student_start *start, const char *text, struct error *error)
{
	char copy[1024], *rest = copy, *setting;

	if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
		return error_at(error, ERR_RANGE, NULL, 0, "start", "at most %zu characters",
				sizeof(copy) - 1);
	while ((setting = strsep(&rest, ","))) {
		char *equals = strchr(setting, '='), *end = NULL;
		double *value = NULL;

		if (equals) {
			*equals = '\0';
			value = find(start, setting);
		}
		if (value)
			*value = strtod(equals + 1, &end);
		if (!value || end == equals + 1 || *end || !(fabs(*value) <= 8))
			return error_at(error, ERR_INVALID, NULL, 0, "start",
					"%s: give target, step, k, gain, regularity, decay, level, "
					"steepness or, as OUTPUT/FEATURE, a slope: "
					"NAME=VALUE,... within +-8",
					text);
	}
	return 0;
}

/* Slopes by features that the student sees become weights; false: it does not see one of them. */
static bool write_slopes(const struct student_start *start, const struct aqm_student_model *shape,
			 float *weights)
{
	bool seen[AQM_STUDENT_FEATURE_COUNT] = {false}, good = true;

	for (int i = 0; i < shape->inputs && shape->layers == 1; i++) {
		seen[shape->feature[i]] = true;
		for (int output = 0; output < shape->outputs; output++)
			weights[output * shape->inputs + i] =
				(float)start->slope[output][shape->feature[i]];
	}
	for (int output = 0; output < AQM_STUDENT_SETTING_COUNT; output++)
		for (int i = 0; i < AQM_STUDENT_FEATURE_COUNT; i++)
			good &= seen[i] || start->slope[output][i] == 0;
	return good;
}

int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error)
{
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
		bias[i] = (float)start->share[i];
	if (!write_slopes(start, shape, out))
		return error_at(error, ERR_INVALID, NULL, 0, "start",
				"slopes go into a net without hidden layers (--shape \"\") that "
				"sees their features");
	return 0;
}
