/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queue laws with the parameters that a scenario gives them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/run.h"

/* The assignment that says this parameter last; 0: none does. */
static long line_of_param(const struct law_settings *settings, const char *field)
{
	const size_t length = strcspn(field, "=");
	long line = 0;

	for (uint64_t i = 0; i < settings->count; i++)
		if (strcspn(settings->params[i], "=") == length &&
		    strncmp(settings->params[i], field, length) == 0)
			line = settings->lines[i];
	return line;
}

int sim_law_params(const struct scenario *scenario, const struct aqm_ops *law,
		   const struct law_settings *settings, void **params, struct error *error)
{
	char limit[64];
	struct error cause = {0};
	int code;

	*params = malloc(law->params_size + 1);
	if (*params == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	code = aqm_params_default(law, *params, &cause);
	for (uint64_t i = 0; code == 0 && i < settings->count; i++)
		code = aqm_params_set(law, *params, settings->params[i], &cause);
	if (code == 0 && settings->limit_packets) {
		snprintf(limit, sizeof(limit), "limit_packets=%llu",
			 (unsigned long long)settings->limit_packets);
		code = aqm_params_set(law, *params, limit, &cause);
	}
	if (code == 0 && law->check)
		code = law->check(*params, &cause);
	if (code) {
		free(*params);
		*params = NULL;
		return error_at(error, code, scenario->path,
				line_of_param(settings, cause.field), cause.field, "%s",
				cause.text);
	}
	return 0;
}

int sim_law_named(const struct scenario *scenario, const char *name, const struct aqm_ops **law,
		  void **params, struct error *error)
{
	const bool own = name == NULL || strcmp(name, scenario->aqm) == 0;
	const struct law_settings settings = {scenario->params, scenario->param_lines,
					      own ? scenario->param_count : 0,
					      scenario->limit_packets};

	*law = aqm_find(own ? scenario->aqm : name);
	if (*law == NULL)
		return error_at(error, ERR_INVALID, own ? scenario->path : NULL,
				own ? scenario_line_of(scenario, "aqm") : 0, "aqm",
				"%s is not a law; aqmllm aqms lists them",
				own ? scenario->aqm : name);
	return sim_law_params(scenario, *law, &settings, params, error);
}

int sim_law(const struct scenario *scenario, const struct aqm_ops **law, void **params,
	    struct error *error)
{
	return sim_law_named(scenario, NULL, law, params, error);
}
