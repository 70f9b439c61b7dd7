/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Choices of applications, from the tables of the applications.
 */
#include "sim/app_choice.h"

#include <string.h>

#include "sim/app.h"

bool app_choose(struct app_choice *choice, const char *name)
{
	memset(choice, 0, sizeof(*choice));
	for (const struct app_ops *const *ops = app_all; *ops; ops++)
		if (strcmp((*ops)->name, name) == 0)
			choice->ops = *ops;
	if (choice->ops == NULL)
		return false;
	for (unsigned i = 0; choice->ops->params[i].name; i++) {
		const struct app_param *param = &choice->ops->params[i];

		choice->values[i] = param->initial;
		for (unsigned step = 0; param->ladder && param->ladder[step] > 0; step++)
			choice->ladder[step] = param->ladder[step];
	}
	return true;
}

const struct app_param *app_param_find(const struct app_choice *choice, const char *name,
				       unsigned *index)
{
	for (unsigned i = 0; choice->ops->params[i].name; i++) {
		if (strcmp(choice->ops->params[i].name, name) == 0) {
			*index = i;
			return &choice->ops->params[i];
		}
	}
	return NULL;
}

/* The word of `param` with this index and its length. */
static const char *word_at(const struct app_param *param, unsigned index, size_t *length)
{
	const char *word = param->words;

	for (; index > 0 && *word; index--)
		word += strcspn(word, " ") + 1;
	*length = strcspn(word, " ");
	return word;
}

int app_word_find(const struct app_param *param, const char *word)
{
	const char *end = param->words + strlen(param->words);
	int index = 0;

	for (const char *at = param->words; at < end; at += strcspn(at, " ") + 1, index++)
		if (strlen(word) == strcspn(at, " ") && strncmp(at, word, strlen(word)) == 0)
			return index;
	return -1;
}

unsigned app_ladder_steps(const struct app_choice *choice)
{
	unsigned steps = 0;

	while (steps < APP_MAX_LADDER && choice->ladder[steps] > 0)
		steps++;
	return steps;
}

static void write_param(FILE *out, const struct app_choice *choice, unsigned index)
{
	const struct app_param *param = &choice->ops->params[index];
	size_t length;
	const char *word;

	fprintf(out, ", %s: ", param->name);
	if (param->ladder) {
		for (unsigned i = 0; i < app_ladder_steps(choice); i++)
			fprintf(out, "%s%.17g", i ? ", " : "[", choice->ladder[i]);
		fputc(']', out);
	} else if (param->words) {
		word = word_at(param, (unsigned)choice->values[index], &length);
		fprintf(out, "%.*s", (int)length, word);
	} else {
		fprintf(out, "%.17g", choice->values[index]);
	}
}

void app_choice_write(FILE *out, const struct app_choice *choice)
{
	fprintf(out, "{name: %s", choice->ops->name);
	for (unsigned i = 0; choice->ops->params[i].name; i++)
		write_param(out, choice, i);
	fputc('}', out);
}
