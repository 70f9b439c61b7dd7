/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first units of every hidden layer carry what the controller reads; the
 * last layer mixes them.
 */
#include "learn/student_start.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Units that carry: room, and what of it is more than gains need. */
enum unit { ROOM, SPARE, UNITS };
#define GAIN_ROOM ((double)AQM_ROOM_GAIN_OCTAVES / AQM_ROOM_GAIN_SLOPE) /* octaves */

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
		    !(fabs(*field) <= 8))
			return error_at(error, ERR_INVALID, NULL, 0, "start",
					"%s: give target, step, k, gain, decay, regularity as "
					"NAME=VALUE,... within +-8",
					text);
		at = end + (*end == ',');
	}
	return 0;
}

/* Place of a feature among the inputs, or -1. */
static int input_of(const struct aqm_student_model *shape, int feature)
{
	for (int i = 0; i < shape->inputs; i++)
		if (shape->feature[i] == feature)
			return i;
	return -1;
}

static int check(const struct aqm_student_model *shape, struct error *error)
{
	bool good = shape->kind == AQM_STUDENT_net && shape->mode == AQM_STUDENT_supervise &&
		    shape->layers > 1;

	for (int i = 0; good && i < shape->layers - 1; i++)
		good = shape->layer[i].kind == AQM_STUDENT_dense &&
		       shape->layer[i].activation == AQM_STUDENT_relu &&
		       shape->layer[i].outputs >= UNITS;
	if (!good)
		return error_at(error, ERR_INVALID, NULL, 0, "start",
				"the controller goes into supervisors with hidden layers that are "
				"dense and relu, of 2 units or more: 16,16");
	if (input_of(shape, AQM_STUDENT_FEATURE_room) < 0)
		return error_at(error, ERR_INVALID, NULL, 0, "start",
				"the controller reads room: let the student see it");
	return 0;
}

/* A unit becomes max(0, what the feature stands for - less) and nothing else. */
static void unit_read(const struct aqm_student_model *shape, float *theta, enum unit unit,
		      int feature, double less)
{
	const int input = input_of(shape, feature), inputs = shape->layer[0].inputs;
	const double scale = shape->scale[input] / 256.0, offset = shape->offset[input] / 256.0;
	float *row = theta + (size_t)unit * (size_t)inputs;

	memset(row, 0, (size_t)inputs * sizeof(*row));
	row[input] = (float)(1 / scale);
	theta[student_float_biases_at(shape, 0) + unit] = (float)(offset - less);
}

/* The first units of a later hidden layer repeat those of the layer before it. */
static void layer_repeat(const struct aqm_student_model *shape, float *theta, int layer)
{
	const int inputs = shape->layer[layer].inputs;

	for (int unit = 0; unit < UNITS; unit++) {
		float *row = theta + student_float_weights_at(shape, layer) +
			     (size_t)unit * (size_t)inputs;

		memset(row, 0, (size_t)inputs * sizeof(*row));
		row[unit] = 1;
		theta[student_float_biases_at(shape, layer) + (size_t)unit] = 0;
	}
}

int student_start_write(const struct student_start *start, const struct aqm_student_model *shape,
			float *theta, struct error *error)
{
	const int last = shape->layers - 1, code = check(shape, error);
	const size_t inputs = code ? 0 : shape->layer[last].inputs;
	const double steep = start->gain / GAIN_ROOM;
	const double weights[][1 + UNITS] = {
		[AQM_STUDENT_SETTING_target] = {0, -start->target},
		[AQM_STUDENT_SETTING_step] = {0, -start->step},
		[AQM_STUDENT_SETTING_k] = {0, start->k},
		[AQM_STUDENT_SETTING_gain] = {0, steep, -steep},
		[AQM_STUDENT_SETTING_regularity] = {start->regularity},
		[AQM_STUDENT_SETTING_decay] = {0, start->decay},
		[AQM_STUDENT_SETTING_level] = {0},
	};
	float *out, *bias;

	if (code)
		return code;
	unit_read(shape, theta, ROOM, AQM_STUDENT_FEATURE_room, 0);
	unit_read(shape, theta, SPARE, AQM_STUDENT_FEATURE_room, GAIN_ROOM);
	for (int layer = 1; layer < last; layer++)
		layer_repeat(shape, theta, layer);
	out = theta + student_float_weights_at(shape, last);
	bias = theta + student_float_biases_at(shape, last);
	memset(out, 0, shape->layer[last].outputs * inputs * sizeof(*out));
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		bias[i] = (float)weights[i][0];
		for (int unit = 0; unit < UNITS; unit++)
			out[i * inputs + (size_t)unit] = (float)weights[i][1 + unit];
	}
	return 0;
}
