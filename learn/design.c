/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges from text, points from the recurrence.
 */
#include "learn/design.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BY_RATIO_FROM 4 /* ranges that span so much are spread over the logarithm */
#define TEXT_BYTES 512

/* Ranges that are varied where nobody says any. */
static const struct {
	const char *name, *range;
} usual[] = {{"target_ms", "1..60"}, {"step_ms", "0.25..4"}, {"k", "0.5..8"}};

static const struct aqm_param *find_param(const struct aqm_ops *law, const char *name)
{
	for (const struct aqm_param *param = law->params; param->name; param++)
		if (strcmp(param->name, name) == 0)
			return param;
	return NULL;
}

static bool is_whole(const struct aqm_param *param)
{
	return param->kind == AQM_PARAM_U32 || param->kind == AQM_PARAM_U64 ||
	       param->kind == AQM_PARAM_BOOL;
}

/* "LOW..HIGH" */
static int read_range(struct design_axis *axis, char *text, struct error *error)
{
	const struct aqm_param *param = axis->param;
	char *dots = strstr(text, ".."), *end;

	if (dots == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, param->name,
				"'%s' is no range LOW..HIGH", text);
	*dots = '\0'; /* strtod() would read "1." */
	axis->low = strtod(text, &end);
	if (end == text || *end)
		return error_at(error, ERR_INVALID, NULL, 0, param->name, "'%s' is no number",
				text);
	text = dots + 2;
	axis->high = strtod(text, &end);
	if (end == text || *end || !(axis->low < axis->high))
		return error_at(error, ERR_INVALID, NULL, 0, param->name,
				"a range goes from a number up to a larger one, LOW..HIGH");
	if (axis->low < param->min || axis->high > param->max)
		return error_at(error, ERR_RANGE, NULL, 0, param->name,
				"the law allows %g to %g", param->min, param->max);
	axis->by_ratio = axis->low > 0 && axis->high >= BY_RATIO_FROM * axis->low;
	return 0;
}

/* "WORD/WORD" of the words that the parameter knows. */
static int read_choices(struct design_axis *axis, const char *text, struct error *error)
{
	if (snprintf(axis->choices, sizeof(axis->choices), "%s", text) >=
	    (int)sizeof(axis->choices))
		return error_at(error, ERR_RANGE, NULL, 0, axis->param->name, "too long");
	axis->low = 0;
	axis->high = 1;
	for (; *text; text++)
		axis->high += *text == '/';
	return 0;
}

static int read_axis(struct design *design, const struct aqm_ops *law, char *text,
		     struct error *error)
{
	struct design_axis *axis = &design->axes[design->axis_count];
	char *equals = strchr(text, '=');

	if (design->axis_count == DESIGN_MAX_AXES)
		return error_set(error, ERR_RANGE, "at most %d parameters are varied at once",
				 DESIGN_MAX_AXES);
	if (equals == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, text,
				"name a range: NAME=LOW..HIGH, or words: NAME=WORD/WORD");
	*equals = '\0';
	*axis = (struct design_axis){.param = find_param(law, text)};
	if (axis->param == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, text,
				"%s has no such parameter; aqmllm aqms %s lists them", law->name,
				law->name);
	for (unsigned i = 0; i < design->axis_count; i++)
		if (design->axes[i].param == axis->param)
			return error_at(error, ERR_INVALID, NULL, 0, text, "is varied twice");
	design->axis_count++;
	return axis->param->kind == AQM_PARAM_CHOICE ? read_choices(axis, equals + 1, error)
						     : read_range(axis, equals + 1, error);
}

/* Words are known to be the parameter's when the law takes them. */
static int check_words(const struct design *design, const struct aqm_ops *law, struct error *error)
{
	void *params = malloc(law->params_size + 1);
	int code = params ? aqm_params_default(law, params, error)
			  : error_set(error, ERR_NO_MEMORY, "out of memory");

	for (unsigned i = 0; code == 0 && i < design->axis_count; i++) {
		const struct design_axis *axis = &design->axes[i];
		const char *word = axis->choices;

		while (code == 0 && *word) {
			const int length = (int)strcspn(word, "/");
			char setting[128];

			snprintf(setting, sizeof(setting), "%s=%.*s", axis->param->name, length,
				 word);
			code = aqm_params_set(law, params, setting, error);
			word += length + (word[length] == '/');
		}
	}
	free(params);
	return code;
}

int design_parse(struct design *design, const struct aqm_ops *law, const char *text,
		 struct error *error)
{
	char copy[TEXT_BYTES], *rest = copy, *axis;
	int code = 0;

	design->axis_count = 0;
	if (strlen(text) >= sizeof(copy))
		return error_set(error, ERR_RANGE, "ranges take at most %zu characters",
				 sizeof(copy) - 1);
	strcpy(copy, text);
	while (code == 0 && (axis = strsep(&rest, ",")))
		code = read_axis(design, law, axis, error);
	return code ? code : check_words(design, law, error);
}

int design_usual(struct design *design, const struct aqm_ops *law, struct error *error)
{
	char text[TEXT_BYTES];
	size_t used = 0;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (find_param(law, usual[i].name))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
						 used ? "," : "", usual[i].name, usual[i].range);
	if (used == 0)
		return error_at(error, ERR_INVALID, NULL, 0, law->name,
				"say what to vary: NAME=LOW..HIGH,...; aqmllm aqms %s lists its "
				"parameters",
				law->name);
	return design_parse(design, law, text, error);
}

double design_coordinate(const struct design *design, unsigned axis, uint64_t index)
{
	double phi = 2, whole;

	/* x = (1 + x)^(1 / (d + 1)) contracts to the root. */
	for (int i = 0; i < 64; i++)
		phi = pow(1 + phi, 1.0 / (design->axis_count + 1));
	return modf(0.5 + (double)index * modf(pow(phi, -(double)(axis + 1)), &whole), &whole);
}

static void word_at(const char *words, unsigned index, char *text, size_t size)
{
	while (index-- > 0)
		words += strcspn(words, "/") + 1;
	snprintf(text, size, "%.*s", (int)strcspn(words, "/"), words);
}

static double spread(const struct design_axis *axis, double high, double u)
{
	return axis->by_ratio ? axis->low * pow(high / axis->low, u)
			      : axis->low + u * (high - axis->low);
}

/* Three digits that stay within the range. */
static void number_at(const struct design_axis *axis, double u, char *text, size_t size)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%.3g", spread(axis, axis->high, u));
	snprintf(text, size, "%.6g", fmin(fmax(strtod(digits, NULL), axis->low), axis->high));
}

void design_value(const struct design *design, unsigned axis, uint64_t index, char *text,
		  size_t size)
{
	const struct design_axis *of = &design->axes[axis];
	const double u = design_coordinate(design, axis, index);

	if (of->choices[0])
		word_at(of->choices, (unsigned)(u * of->high), text, size);
	else if (is_whole(of->param))
		snprintf(text, size, "%.0f", floor(spread(of, of->high + 1, u)));
	else
		number_at(of, u, text, size);
}

void design_point(const struct design *design, uint64_t index, char text[DESIGN_SETTINGS_BYTES])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned axis = 0; axis < design->axis_count && used < DESIGN_SETTINGS_BYTES;
	     axis++) {
		char value[64];

		design_value(design, axis, index, value, sizeof(value));
		used += (size_t)snprintf(text + used, DESIGN_SETTINGS_BYTES - used, "%s%s=%s",
					 axis ? ":" : "", design->axes[axis].param->name, value);
	}
}
