/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws and students as arms, with their parameters and names.
 */
#include "cli/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/policy_label.h"
#include "policy/student_file.h"

char *trial_keep_text(struct trial *trial, const char *text)
{
	struct trial_text *kept = malloc(sizeof(*kept) + strlen(text) + 1);

	if (kept == NULL)
		return NULL;
	strcpy(kept->text, text);
	kept->next = trial->texts;
	trial->texts = kept;
	return kept->text;
}

int trial_arm_call(struct trial_arm *arm, struct error *error, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(arm->name, sizeof(arm->name), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(arm->name))
		return 0;
	return error_at(error, ERR_RANGE, NULL, 0, arm->name,
			"at most %zu characters name a law or policy", sizeof(arm->name) - 1);
}

int trial_add_arm(struct trial *trial, const struct trial_arm *arm, struct error *error)
{
	if (trial->arm_count == TRIAL_MAX_ARMS)
		return error_set(error, ERR_RANGE,
				 "more than %d laws, settings and policies; name fewer",
				 TRIAL_MAX_ARMS);
	for (size_t i = 0; i < trial->arm_count; i++)
		if (strcmp(trial->arms[i].name, arm->name) == 0)
			return error_at(error, ERR_INVALID, NULL, 0, arm->name,
					"stands twice among laws and policies; leave one out, or "
					"rename a policy's folder");
	trial->arms[trial->arm_count++] = *arm;
	return 0;
}

int trial_add_law(struct trial *trial, char *text, bool plain, const char *option,
		  struct error *error)
{
	struct trial_arm arm;
	const int code = trial_arm_law(&arm, text, option, error);

	arm.plain = plain;
	return code ? code : trial_add_arm(trial, &arm, error);
}

int trial_add_student(struct trial *trial, const char *const *paths, size_t count, size_t index,
		      bool unguarded, struct error *error)
{
	struct trial_arm arm = {.policy = paths[index],
				.label = policy_label(paths, count, index),
				.student = true,
				.unguarded = unguarded};
	struct aqm_student_model model;
	int code = student_file_read(&model, arm.policy, error);

	for (size_t i = 0; i < trial->arm_count; i++)
		if (!trial->arms[i].policy && strcmp(trial->arms[i].name, arm.label) == 0)
			arm.label = policy_label_longer(arm.policy, arm.label);
	if (code == 0)
		code = trial_arm_call(&arm, error, "%s", arm.label);
	return code ? code : trial_add_arm(trial, &arm, error);
}

int trial_arm_set(const struct trial_arm *arm, const struct aqm_ops *law, void *params,
		  struct error *error)
{
	return aqm_params_set_all(law, params, arm->settings, error);
}

int trial_arm_law(struct trial_arm *arm, char *text, const char *option, struct error *error)
{
	char *settings = strchr(text, ':');
	const struct aqm_ops *law;
	void *params;
	int code;

	*arm = (struct trial_arm){.law = text};
	code = trial_arm_call(arm, error, "%s", text);
	if (code)
		return code;
	if (settings) {
		*settings = '\0';
		arm->settings = settings + 1;
	}
	law = aqm_find(text);
	if (law == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, option,
				"'%s' is not a law; aqmllm aqms lists them", text);
	params = malloc(law->params_size + 1);
	if (params == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = aqm_params_default(law, params, error);
	if (code == 0)
		code = trial_arm_set(arm, law, params, error);
	free(params);
	return code;
}
