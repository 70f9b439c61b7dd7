/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aqmllm apps: the applications that flows of a scenario may run, from the
 * tables that the key `app` is read with.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "sim/app.h"

static const struct option apps_options[] = {{0}};

/* The initial value as a scenario would say it. */
static void initial_text(const struct app_param *param, char *text, size_t size)
{
	size_t used = 0;

	if (param->words)
		snprintf(text, size, "%.*s", (int)strcspn(param->words, " "), param->words);
	else if (param->ladder == NULL)
		snprintf(text, size, "%.10g", param->initial);
	for (const double *step = param->ladder; step && *step > 0 && used < size; step++)
		used += (size_t)snprintf(text + used, size - used, "%s%.10g",
					 step == param->ladder ? "[" : ", ", *step);
	if (param->ladder && used < size)
		snprintf(text + used, size - used, "]");
}

static void print_param(const struct app_param *param)
{
	char initial[128], range[80];

	initial_text(param, initial, sizeof(initial));
	if (param->words)
		snprintf(range, sizeof(range), "%s", param->words);
	else
		snprintf(range, sizeof(range), "%.10g..%.10g", param->min, param->max);
	printf("  %-16s %-12s %-24s %s\n", param->name, initial, range, param->doc);
}

static void print_app(const struct app_ops *app, bool params)
{
	printf("%-12s %s\n", app->name, app->summary);
	if (!params)
		return;
	printf("  runs over %s\n  %-16s %-12s %s\n",
	       app->report == SIM_REPORT_DATAGRAMS ? "udp" : "any congestion control of TCP",
	       "key", "initial", "range");
	for (const struct app_param *p = app->params; p->name; p++)
		print_param(p);
}

static json_t *app_json(const struct app_ops *app)
{
	json_t *params = json_array();

	for (const struct app_param *p = app->params; p->name; p++) {
		char initial[128];
		json_t *param;

		initial_text(p, initial, sizeof(initial));
		param = json_pack("{s:s, s:s, s:s}", "name", p->name, "initial", initial, "doc",
				  p->doc);
		if (p->words)
			json_object_set_new(param, "choices", json_string(p->words));
		else
			json_object_set_new(param, "range", json_pack("[f, f]", p->min, p->max));
		json_array_append_new(params, param);
	}
	return json_pack("{s:s, s:s, s:b, s:o}", "name", app->name, "summary", app->summary,
			 "datagrams", app->report == SIM_REPORT_DATAGRAMS, "params", params);
}

static int print_json(const struct app_ops *only, struct error *error)
{
	json_t *list = json_array();
	int failed;

	for (const struct app_ops *const *app = app_all; *app; app++)
		if (only == NULL || only == *app)
			json_array_append_new(list, app_json(*app));
	failed = json_dumpf(list, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
	putchar('\n');
	json_decref(list);
	return failed ? error_set(error, ERR_IO, "cannot print the applications") : 0;
}

static int run_apps(const struct command_common *common, const char **operands, size_t count,
		    struct error *error)
{
	struct app_choice only = {0};

	if (count > 1)
		return error_set(error, ERR_INVALID,
				 "name one application, or none to see them all");
	if (count && !app_choose(&only, operands[0]))
		return error_at(error, ERR_INVALID, NULL, 0, operands[0],
				"not an application; aqmllm apps lists them");
	if (common->json)
		return print_json(only.ops, error);
	for (const struct app_ops *const *app = app_all; *app; app++)
		if (only.ops == NULL || only.ops == *app)
			print_app(*app, only.ops != NULL);
	if (only.ops == NULL && !common->quiet)
		printf("\naqmllm apps APP shows an application's keys; in a scenario's flows:\n"
		       "  - {cc: udp, app: {name: voice, talk_s: 3}}\n");
	return 0;
}

const struct command command_apps = {
	.name = "apps",
	.operands = "[APP]",
	.summary = "list the applications that flows may run, or one's keys",
	.details = "Applications have the names and keys that `app` takes in the flows of a "
		   "scenario file; docs/scenarios.md tells what they do and measure.",
	.options = apps_options,
	.run = run_apps,
};
