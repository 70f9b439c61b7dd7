/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm aqms: the queue laws, from the tables that --set is read with.
 */
#include <jansson.h>
#include <stdio.h>

#include "aqm/ops.h"
#include "cli/command.h"

static const struct option aqms_options[] = {{0}};

static void print_param(const struct aqm_param *param)
{
	char range[80];

	if (param->choices)
		snprintf(range, sizeof(range), "%s", param->choices);
	else
		snprintf(range, sizeof(range), "%.10g..%.10g", param->min, param->max);
	printf("  %-22s %-10s %-18s %s\n", param->name, param->default_text, range, param->doc);
}

static void print_law(const struct aqm_ops *law, bool params)
{
	printf("%-12s %s\n", law->name, law->summary);
	if (!params)
		return;
	printf("  %-22s %-10s %-18s\n", "parameter", "default", "range");
	for (const struct aqm_param *p = law->params; p->name; p++)
		print_param(p);
}

static json_t *law_json(const struct aqm_ops *law)
{
	json_t *params = json_array();

	for (const struct aqm_param *p = law->params; p->name; p++) {
		json_t *param = json_pack("{s:s, s:s, s:s}", "name", p->name, "default",
					  p->default_text, "doc", p->doc);

		if (p->choices)
			json_object_set_new(param, "choices", json_string(p->choices));
		else
			json_object_set_new(param, "range", json_pack("[f, f]", p->min, p->max));
		json_array_append_new(params, param);
	}
	return json_pack("{s:s, s:s, s:b, s:o}", "name", law->name, "summary", law->summary, "dual",
			 law->dual, "params", params);
}

static int print_json(const struct aqm_ops *only, struct error *error)
{
	json_t *list = json_array();
	int failed;

	for (const struct aqm_ops *const *law = aqm_all; *law; law++)
		if (only == NULL || only == *law)
			json_array_append_new(list, law_json(*law));
	failed = json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(list);
	return failed ? error_set(error, ERR_IO, "cannot print the laws") : 0;
}

static int run_aqms(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	const struct aqm_ops *only = count ? aqm_find(operands[0]) : NULL;

	if (count > 1)
		return error_set(error, ERR_INVALID, "name one law, or none to see them all");
	if (count && only == NULL)
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"not a law; aqmllm aqms lists them");
	if (common->json)
		return print_json(only, error);
	for (const struct aqm_ops *const *law = aqm_all; *law; law++)
		if (only == NULL || only == *law)
			print_law(*law, only != NULL);
	if (only == NULL && !common->quiet)
		printf("\naqmllm aqms LAW shows a law's parameters; --set NAME=VALUE sets one.\n");
	return 0;
}

const struct command command_aqms = {
	.name = "aqms",
	.operands = "[LAW]",
	.summary = "list the queue laws, or one law's parameters",
	.details = "Laws have the names that scenario files and --aqm use. The parameters shown "
		   "are those of `params` in a scenario and of --set.",
	.options = aqms_options,
	.run = run_aqms,
};
