/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Parameters by name: one table per law is read here for defaults, --set,
 * scenario files and listings.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aqm/ops.h"
#include "aqm/record_line.h"

static const struct aqm_param *find_param(const struct aqm_ops *ops, const char *name,
					  size_t length)
{
	for (const struct aqm_param *p = ops->params; p->name; p++)
		if (strlen(p->name) == length && strncmp(p->name, name, length) == 0)
			return p;
	return NULL;
}

/* Index of `text` in "a/b/c", or -1. */
static int find_choice(const char *choices, const char *text)
{
	const size_t length = strlen(text);

	for (int index = 0; *choices; index++) {
		const size_t part = strcspn(choices, "/");

		if (part == length && strncmp(choices, text, part) == 0)
			return index;
		choices += part + (choices[part] == '/');
	}
	return -1;
}

static int parse_number(const struct aqm_param *param, const char *text, double *value)
{
	char *end;

	if (param->kind == AQM_PARAM_BOOL && strcmp(text, "true") == 0) {
		*value = 1;
		return 0;
	}
	if (param->kind == AQM_PARAM_BOOL && strcmp(text, "false") == 0) {
		*value = 0;
		return 0;
	}
	errno = 0;
	*value = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(*value))
		return ERR_INVALID;
	if (*value < param->min || *value > param->max)
		return ERR_RANGE;
	if ((param->kind == AQM_PARAM_U32 || param->kind == AQM_PARAM_U64 ||
	     param->kind == AQM_PARAM_BOOL) &&
	    *value != floor(*value))
		return ERR_INVALID;
	return 0;
}

/* Units that one unit of the parameter's name is stored as. */
static double stored_per_unit(enum aqm_param_kind kind)
{
	switch (kind) {
	case AQM_PARAM_MS_AS_NS:
		return 1e6;
	case AQM_PARAM_MS_AS_US:
		return 1e3;
	case AQM_PARAM_Q32:
		return 4294967296.0;
	case AQM_PARAM_GAIN_Q16:
		return 65536;
	case AQM_PARAM_FIX13:
		return 8192;
	default:
		return 1;
	}
}

static void store(const struct aqm_param *param, void *params, double value)
{
	unsigned char *place = (unsigned char *)params + param->offset;
	const uint64_t whole = (uint64_t)llround(value * stored_per_unit(param->kind));
	const uint32_t half = (uint32_t)whole;
	const bool flag = value != 0;

	switch (param->kind) {
	case AQM_PARAM_BOOL:
		memcpy(place, &flag, sizeof(flag));
		break;
	case AQM_PARAM_U64:
	case AQM_PARAM_MS_AS_NS:
	case AQM_PARAM_MS_AS_US:
	case AQM_PARAM_Q32:
		memcpy(place, &whole, sizeof(whole));
		break;
	default:
		memcpy(place, &half, sizeof(half));
		break;
	}
}

int aqm_params_get(const struct aqm_ops *ops, const void *params, const char *name, double *value)
{
	const struct aqm_param *param = find_param(ops, name, strlen(name));
	const unsigned char *place;
	uint64_t whole = 0;
	uint32_t half = 0;

	if (param == NULL)
		return ERR_NOT_FOUND;
	place = (const unsigned char *)params + param->offset;
	switch (param->kind) {
	case AQM_PARAM_BOOL:
		*value = *(const bool *)place;
		return 0;
	case AQM_PARAM_U64:
	case AQM_PARAM_MS_AS_NS:
	case AQM_PARAM_MS_AS_US:
	case AQM_PARAM_Q32:
		memcpy(&whole, place, sizeof(whole));
		break;
	default:
		memcpy(&half, place, sizeof(half));
		whole = half;
		break;
	}
	*value = (double)whole / stored_per_unit(param->kind);
	return 0;
}

static int unknown_param(const struct aqm_ops *ops, const char *assignment, struct error *error)
{
	char known[256] = "";
	size_t used = 0;

	for (const struct aqm_param *p = ops->params; p->name && used < sizeof(known); p++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", p->name);
	return error_at(error, ERR_INVALID, NULL, 0, assignment,
			"%s has no such parameter; it has %s", ops->name, known);
}

static int set_choice(const struct aqm_param *param, void *params, const char *text,
		      struct error *error)
{
	const int index = find_choice(param->choices, text);

	if (index < 0)
		return error_at(error, ERR_INVALID, NULL, 0, param->name,
				"%s is not one of %s", text, param->choices);
	store(param, params, index);
	return 0;
}

static int set_param(const struct aqm_ops *ops, const struct aqm_param *param, void *params,
		     const char *text, struct error *error)
{
	double value;
	int code;

	if (param->kind == AQM_PARAM_CHOICE)
		code = set_choice(param, params, text, error);
	else if (parse_number(param, text, &value) == 0)
		return store(param, params, value), 0;
	else
		code = error_at(error, ERR_INVALID, NULL, 0, param->name,
				"%s is not %s from %.15g to %.15g", text,
				param->kind == AQM_PARAM_U32 || param->kind == AQM_PARAM_U64 ||
						param->kind == AQM_PARAM_BOOL
					? "a whole number"
					: "a number",
				param->min, param->max);
	if (code == 0 && ops->was_set)
		ops->was_set(params, param->name);
	return code;
}

int aqm_params_default(const struct aqm_ops *ops, void *params, struct error *error)
{
	memset(params, 0, ops->params_size);
	for (const struct aqm_param *p = ops->params; p->name; p++) {
		const int code = set_param(ops, p, params, p->default_text, error);

		if (code)
			return code;
	}
	return 0;
}

int aqm_params_set(const struct aqm_ops *ops, void *params, const char *assignment,
		   struct error *error)
{
	const char *equals = strchr(assignment, '=');
	const struct aqm_param *param;

	if (equals == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, assignment,
				"give a parameter as name=value");
	param = find_param(ops, assignment, (size_t)(equals - assignment));
	if (param == NULL)
		return unknown_param(ops, assignment, error);
	return set_param(ops, param, params, equals + 1, error);
}

int aqm_params_set_all(const struct aqm_ops *ops, void *params, const char *assignments,
		       struct error *error)
{
	const char *at = assignments;
	int code = 0;

	while (code == 0 && at && *at) {
		const size_t length = strcspn(at, ":");
		char assignment[128];

		if (length >= sizeof(assignment))
			return error_at(error, ERR_RANGE, NULL, 0, ops->name,
					"%.40s...: a setting is at most %zu characters", at,
					sizeof(assignment) - 1);
		memcpy(assignment, at, length);
		assignment[length] = '\0';
		code = aqm_params_set(ops, params, assignment, error);
		at += length + (at[length] == ':');
	}
	return code;
}

void aqm_record_host_fields(const struct aqm_facts *facts, struct aqm_record *record)
{
	aqm_record_fill_host(facts, record);
}
