/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON settings of a Hugging Face directory.
 *
 * Keys that nobody asks for are ignored: these files hold dozens that only
 * concern other programs.  A key given twice is refused.
 */
#include "backbone/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

int config_open(struct config *config, const char *folder, const char *name, struct error *error)
{
	json_error_t problem;
	size_t size = 0;
	char *text = NULL;
	int code;

	config->root = NULL;
	code = file_join(config->path, sizeof(config->path), folder, name, error);
	if (!code)
		code = file_read_all(config->path, &text, &size, error);
	if (code)
		return code;
	config->root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
	free(text);
	if (!config->root)
		return error_at(error, ERR_INVALID, config->path, problem.line, NULL,
				"is not valid JSON: %s", problem.text);
	if (!json_is_object(config->root)) {
		config_close(config);
		return error_at(error, ERR_INVALID, config->path, 0, NULL,
				"is not a JSON object");
	}
	return 0;
}

void config_close(struct config *config)
{
	json_decref(config->root);
	config->root = NULL;
}

/* The value of a key, NULL when missing or null. */
static const json_t *config_value(const struct config *config, const char *key)
{
	const char *dot = strchr(key, '.');
	const json_t *object = config->root, *value;
	char outer[64];

	if (dot) {
		snprintf(outer, sizeof(outer), "%.*s", (int)(dot - key), key);
		object = json_object_get(object, outer);
	}
	value = json_object_get(object, dot ? dot + 1 : key);
	return json_is_null(value) ? NULL : value;
}

int config_integers(const struct config *config, const struct config_integer *fields, size_t count,
		    struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_integer *field = &fields[i];
		const json_t *value = config_value(config, field->key);

		if (!value && field->required)
			return error_at(error, ERR_INVALID, config->path, 0, field->key,
					"is missing; give a whole number");
		if (!value)
			continue;
		if (!json_is_integer(value))
			return error_at(error, ERR_INVALID, config->path, 0, field->key,
					"is not a whole number");
		*field->value = json_integer_value(value);
		if (*field->value < field->min || *field->value > field->max)
			return error_at(error, ERR_RANGE, config->path, 0, field->key,
					"%lld is outside %lld to %lld", (long long)*field->value,
					(long long)field->min, (long long)field->max);
	}
	return 0;
}

int config_real(const struct config *config, const char *key, double min, double max,
		double *value, struct error *error)
{
	const json_t *number = config_value(config, key);

	if (!number)
		return 0;
	if (!json_is_number(number))
		return error_at(error, ERR_INVALID, config->path, 0, key, "is not a number");
	*value = json_number_value(number);
	if (!(*value > min && *value <= max))
		return error_at(error, ERR_RANGE, config->path, 0, key,
				"%g is not above %g and at most %g", *value, min, max);
	return 0;
}

int config_flag(const struct config *config, const char *key, bool *value, struct error *error)
{
	const json_t *flag = config_value(config, key);

	if (!flag)
		return 0;
	if (!json_is_boolean(flag))
		return error_at(error, ERR_INVALID, config->path, 0, key,
				"is neither true nor false");
	*value = json_is_true(flag);
	return 0;
}

int config_text(const struct config *config, const char *key, const char **value,
		struct error *error)
{
	const json_t *text = config_value(config, key);

	*value = json_string_value(text);
	if (text && !*value)
		return error_at(error, ERR_INVALID, config->path, 0, key, "is not text");
	return 0;
}

int config_object(const struct config *config, const char *key, bool *there, struct error *error)
{
	const json_t *value = config_value(config, key);

	*there = value != NULL;
	if (value && !json_is_object(value))
		return error_at(error, ERR_INVALID, config->path, 0, key, "is not an object");
	return 0;
}

int config_flag_is(const struct config *config, const char *key, bool wanted, struct error *error)
{
	bool value = wanted;
	const int code = config_flag(config, key, &value, error);

	if (code)
		return code;
	if (value != wanted)
		return error_at(error, ERR_UNSUPPORTED, config->path, 0, key,
				"only %s is supported", wanted ? "true" : "false");
	return 0;
}
