/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Laws as arms, with their parameters.
 */
#include "cli/trial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	if (snprintf(arm->name, sizeof(arm->name), "%s", text) >= (int)sizeof(arm->name))
		return error_at(error, ERR_RANGE, NULL, 0, option,
				"%s: at most %zu characters name an arm", text,
				sizeof(arm->name) - 1);
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
