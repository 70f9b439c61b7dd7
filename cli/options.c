/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing by table: --name value, --name=value, -o value, -ovalue; options and
 * operands may be mixed; `--` ends options.
 */
#include "cli/options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levenshtein distance of two short words: how far a typing error is. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], length = strlen(b);

	if (length >= 64)
		return 64;
	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			const size_t above = row[j + 1];
			size_t best = diagonal + (a[i] != b[j]);

			if (above + 1 < best)
				best = above + 1;
			if (row[j] + 1 < best)
				best = row[j] + 1;
			diagonal = above;
			row[j + 1] = best;
		}
	}
	return row[length];
}

const char *options_nearest(const char *word, const char *(*name)(const void *table, size_t index),
			    const void *table)
{
	const char *best = NULL, *candidate;
	const size_t length = strlen(word);
	/* Of a short word more than half would be guessed. */
	size_t best_distance = length < 6 ? length / 2 + 1 : 4;

	for (size_t i = 0; (candidate = name(table, i)) != NULL; i++) {
		const bool begun = length >= 2 && strncmp(word, candidate, length) == 0;
		const size_t d = begun ? 1 : distance(word, candidate);

		if (d < best_distance) {
			best_distance = d;
			best = candidate;
		}
	}
	return best;
}

static const char *option_name(const void *table, size_t index)
{
	return ((const struct option *)table)[index].name;
}

static const struct option *find_long(const struct option *options, const char *name,
				      size_t length)
{
	for (const struct option *o = options; o->name; o++)
		if (strlen(o->name) == length && strncmp(o->name, name, length) == 0)
			return o;
	return NULL;
}

static const struct option *find_letter(const struct option *options, char letter)
{
	for (const struct option *o = options; o->name; o++)
		if (o->letter == letter)
			return o;
	return NULL;
}

static int out_of_range(const struct option *option, const char *text, struct error *error)
{
	char name[64];

	snprintf(name, sizeof(name), "--%s", option->name);
	return error_at(error, ERR_INVALID, NULL, 0, name,
			"%s is out of range; give a number from %.15g to %.15g", text, option->min,
			option->max);
}

static int set_number(const struct option *option, const char *text, struct error *error)
{
	const bool bounded = option->min != 0 || option->max != 0;
	char *end, name[64];
	double value;

	snprintf(name, sizeof(name), "--%s", option->name);
	errno = 0;
	if (option->kind == OPTION_U64) {
		const unsigned long long whole = strtoull(text, &end, 10);

		if (errno || end == text || *end || text[0] < '0' || text[0] > '9')
			return error_at(error, ERR_INVALID, NULL, 0, name,
					"%s is not a whole number", text);
		if (bounded && ((double)whole < option->min || (double)whole > option->max))
			return out_of_range(option, text, error);
		*(uint64_t *)option->value = whole;
		return 0;
	}
	value = strtod(text, &end);
	if (errno || end == text || *end || !isfinite(value))
		return error_at(error, ERR_INVALID, NULL, 0, name, "%s is not a number", text);
	if (bounded && (value < option->min || value > option->max))
		return out_of_range(option, text, error);
	*(double *)option->value = value;
	return 0;
}

static int set_value(const struct option *option, const char *text, struct error *error)
{
	switch (option->kind) {
	case OPTION_FLAG:
		*(bool *)option->value = true;
		return 0;
	case OPTION_TEXT:
	case OPTION_MAYBE:
		*(const char **)option->value = text;
		return 0;
	case OPTION_LIST: {
		struct option_list *list = option->value;

		if (list->count == OPTION_LIST_MAX)
			return error_at(error, ERR_INVALID, NULL, 0, option->name,
					"may be given at most %d times", OPTION_LIST_MAX);
		list->items[list->count++] = text;
		return 0;
	}
	default:
		return set_number(option, text, error);
	}
}

static int unknown_option(const struct option *options, const char *given, struct error *error)
{
	const char *nearest = options_nearest(given + strspn(given, "-"), option_name, options);

	if (nearest)
		return error_at(error, ERR_INVALID, NULL, 0, given,
				"no such option; did you mean --%s?", nearest);
	return error_at(error, ERR_INVALID, NULL, 0, given, "no such option; see --help");
}

/* Finds the option of argv[*index] and its value, which may be the next argument. */
static int take_option(const struct option *options, int argc, char **argv, int *index,
		       struct error *error)
{
	const char *given = argv[*index];
	const struct option *option;
	const char *value = NULL;

	if (given[1] == '-') {
		const char *equals = strchr(given, '=');
		const size_t length = equals ? (size_t)(equals - given - 2) : strlen(given + 2);

		option = find_long(options, given + 2, length);
		value = equals ? equals + 1 : NULL;
	} else {
		option = find_letter(options, given[1]);
		value = given[2] ? given + 2 : NULL;
	}
	if (option == NULL)
		return unknown_option(options, given, error);
	if (option->kind == OPTION_MAYBE && value == NULL)
		value = "";
	if (option->kind == OPTION_FLAG && value)
		return error_at(error, ERR_INVALID, NULL, 0, given, "takes no value");
	if (option->kind != OPTION_FLAG && value == NULL) {
		if (*index + 1 >= argc)
			return error_at(error, ERR_INVALID, NULL, 0, given, "needs a value: %s",
					option->argument);
		value = argv[++*index];
	}
	return set_value(option, value, error);
}

int options_parse(const struct option *options, int argc, char **argv, const char **operands,
		  size_t *operand_count, struct error *error)
{
	bool options_ended = false;

	*operand_count = 0;
	for (int i = 1; i < argc; i++) {
		int code;

		if (options_ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			operands[(*operand_count)++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			options_ended = true;
			continue;
		}
		code = take_option(options, argc, argv, &i, error);
		if (code)
			return code;
	}
	return 0;
}
