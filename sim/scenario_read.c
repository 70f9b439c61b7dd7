/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios from YAML: one table per mapping says which keys there are.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/file.h"
#include "sim/app.h"
#include "sim/reader.h"
#include "sim/scenario.h"
#include "sim/scenario_network.h"
#include "sim/scenario_options.h"

/* A scenario is text that people write: more than this is a mistake or an attack. */
#define MAX_FILE_BYTES (1 << 20)

/* Another piece of what the scenario is made of. */
static void add_content(struct scenario *scenario, const char *text, size_t size)
{
	struct digest digest;

	digest_init(&digest);
	digest_add(&digest, scenario->content, sizeof(scenario->content));
	digest_add(&digest, text, size);
	digest_end(&digest, scenario->content);
}

static int read_param(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	const struct key key = {.name = "params", .size = sizeof(reader->scenario->params[0])};

	reader->scenario->param_lines[index] = reader_line(item);
	reader->scenario->param_count = index + 1;
	return reader_string(reader, &key, item, reader->scenario->params[index]);
}

static int read_params(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "params", SCENARIO_MAX_PARAMS, read_param);
}

static const struct key step_keys[] = {
	{"at_s", KEY_NUMBER, offsetof(struct rate_step, at_s), 0, 0, 1e7, NULL},
	{"rate_mbps", KEY_NUMBER, offsetof(struct rate_step, rate_mbps), 0, 0.001, 1e6, NULL},
	{0},
};

static int read_step(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct rate_step *step = &reader->scenario->steps[index];
	int code;

	reader->scenario->step_count = index + 1;
	code = reader_mapping(reader, step_keys, step, item, "rate_steps");
	if (code == 0 && step->rate_mbps == 0)
		return reader_refuse(reader, item, "rate_mbps", "is missing in this step");
	if (code == 0 && index > 0 && step->at_s <= step[-1].at_s)
		return reader_refuse(reader, item, "at_s", "must increase from step to step");
	return code;
}

static int read_steps(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "rate_steps", SCENARIO_MAX_STEPS, read_step);
}

/* A path in a scenario is relative to the scenario's file. */
static int read_trace(struct reader *reader, void *object, yaml_node_t *node)
{
	const char *name = reader_text(node), *slash = strrchr(reader->path, '/');
	struct error cause = {0};
	char path[PATH_MAX], *text;
	size_t size;
	int code;

	(void)object;
	if (name == NULL || name[0] == '\0')
		return reader_refuse(reader, node, "rate_trace",
				     "needs the path of a Mahimahi trace");
	if (name[0] == '/' || slash == NULL)
		code = snprintf(path, sizeof(path), "%s", name);
	else
		code = snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - reader->path),
				reader->path, name);
	if (code < 0 || (size_t)code >= sizeof(path))
		return reader_refuse(reader, node, "rate_trace", "the path is too long");
	code = file_read_all(path, &text, &size, &cause);
	if (code)
		return error_at(reader->error, code, reader->path, reader_line(node), "rate_trace",
				"%s: %s", path, cause.text);
	if (realpath(path, reader->scenario->trace_path) == NULL)
		strcpy(reader->scenario->trace_path, path);
	add_content(reader->scenario, text, size);
	code = rate_trace_parse(text, size, path, &reader->scenario->trace_ms,
				&reader->scenario->trace_count, reader->error);
	free(text);
	return code;
}

#define IN_SCENARIO(member)                                                                        \
	offsetof(struct scenario, member), sizeof(((struct scenario *)0)->member)
#define IN_GROUP(member)                                                                           \
	offsetof(struct scenario_group, member), sizeof(((struct scenario_group *)0)->member)

static const struct key bottleneck_keys[] = {
	{"name", KEY_TEXT, IN_SCENARIO(place), 0, 0, NULL},
	{"rate_mbps", KEY_NUMBER, IN_SCENARIO(rate_mbps), 0.001, 1e6, NULL},
	{"rate_steps", KEY_CUSTOM, 0, 0, 0, 0, read_steps},
	{"rate_trace", KEY_CUSTOM, 0, 0, 0, 0, read_trace},
	{"rate_generated", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_rate_generated},
	{"handover", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_handover},
	{"aggregation", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_aggregation},
	{"delay_steps", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_delay_steps},
	{"delay_ms", KEY_NUMBER, IN_SCENARIO(delay_ms), 0, 10000, NULL},
	{"packet_cost_us", KEY_NUMBER, IN_SCENARIO(packet_cost_us), 0, 1e6, NULL},
	{"receive_packets", KEY_COUNT, IN_SCENARIO(receive_packets), 1, 1e9, NULL},
	{"aqm", KEY_TEXT, IN_SCENARIO(aqm), 0, 0, NULL},
	{"params", KEY_CUSTOM, 0, 0, 0, 0, read_params},
	{"limit_packets", KEY_COUNT, IN_SCENARIO(limit_packets), 1, 1e9, NULL},
	{0},
};

static int read_bottleneck(struct reader *reader, void *object, yaml_node_t *node)
{
	return reader_mapping(reader, bottleneck_keys, object, node, "bottleneck");
}

static int read_ecn(struct reader *reader, void *object, yaml_node_t *node)
{
	static const char *const names[] = {"none", "classic", "ect1", "accecn"};
	const char *text = reader_text(node);

	for (size_t i = 0; text && i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			((struct scenario_group *)object)->ecn = (enum endpoint_ecn)i;
			return 0;
		}
	}
	return reader_refuse(reader, node, "ecn", "is one of none, classic, ect1, accecn");
}

static int choose_app(struct reader *reader, struct app_choice *choice, const yaml_node_t *node)
{
	const char *name = reader_text(node);
	char known[256] = "";
	size_t used = 0;

	if (name && app_choose(choice, name))
		return 0;
	for (const struct app_ops *const *ops = app_all; *ops && used < sizeof(known); ops++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", (*ops)->name);
	return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node), "app",
			"there is no %s; there are %s", name ? name : "such application", known);
}

static int read_ladder(struct reader *reader, const struct app_param *param, double *ladder,
		       const yaml_node_t *node)
{
	const struct key key = {.name = param->name, .min = param->min, .max = param->max};
	unsigned steps = 0;

	memset(ladder, 0, APP_MAX_LADDER * sizeof(*ladder));
	if (node->type != YAML_SEQUENCE_NODE)
		return reader_refuse(reader, node, param->name, "needs a list of numbers");
	for (const yaml_node_item_t *item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++, steps++) {
		const yaml_node_t *number = yaml_document_get_node(reader->document, *item);
		int code = steps == APP_MAX_LADDER
				   ? reader_refuse(reader, number, param->name,
						   "takes at most 16 numbers")
				   : reader_number(reader, &key, number, &ladder[steps]);

		if (code)
			return code;
		if (steps > 0 && ladder[steps] <= ladder[steps - 1])
			return reader_refuse(reader, number, param->name,
					     "must rise from step to step");
	}
	return steps ? 0 : reader_refuse(reader, node, param->name, "needs at least one number");
}

static int read_app_param(struct reader *reader, const struct app_param *param, double *value,
			  double *ladder, const yaml_node_t *node)
{
	const struct key key = {.name = param->name, .min = param->min, .max = param->max};
	const char *word = reader_text(node);
	int code;

	if (param->ladder)
		return read_ladder(reader, param, ladder, node);
	if (param->words) {
		if (word == NULL || app_word_find(param, word) < 0)
			return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node),
					param->name, "is one of %s", param->words);
		*value = app_word_find(param, word);
		return 0;
	}
	code = reader_number(reader, &key, node, value);
	if (code == 0 && param->whole && *value != floor(*value))
		return reader_refuse(reader, node, param->name, "needs a whole number");
	return code;
}

static int unknown_app_param(struct reader *reader, const struct app_choice *choice,
			     const yaml_node_t *node, const char *name)
{
	char known[256] = "";
	size_t used = 0;

	for (const struct app_param *p = choice->ops->params; p->name && used < sizeof(known); p++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 used ? ", " : "", p->name);
	return error_at(reader->error, ERR_INVALID, reader->path, reader_line(node), name,
			"%s has no such key; it has %s", choice->ops->name, known);
}

/* Every key of an application's mapping but its name. */
static int read_app_params(struct reader *reader, struct app_choice *choice,
			   const yaml_node_t *node)
{
	unsigned seen = 0, index = 0;

	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top; pair++) {
		const yaml_node_t *key = yaml_document_get_node(reader->document, pair->key);
		const char *name = reader_text(key) ? reader_text(key) : "?";
		const struct app_param *param = app_param_find(choice, name, &index);
		int code;

		if (strcmp(name, "name") == 0)
			continue;
		if (param == NULL)
			return unknown_app_param(reader, choice, key, name);
		if (seen & 1U << index)
			return reader_refuse(reader, key, name, "is given twice");
		seen |= 1U << index;
		code = read_app_param(reader, param, &choice->values[index], choice->ladder,
				      yaml_document_get_node(reader->document, pair->value));
		if (code)
			return code;
	}
	return 0;
}

/* A name alone, or a mapping with the name and what differs from the initial values. */
static int read_app(struct reader *reader, void *object, yaml_node_t *node)
{
	struct app_choice *choice = &((struct scenario_group *)object)->app;
	const yaml_node_t *name = node->type == YAML_SCALAR_NODE ? node : NULL;
	int code;

	if (node->type == YAML_MAPPING_NODE) {
		for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
		     pair < node->data.mapping.pairs.top; pair++) {
			const char *key = reader_text(
				yaml_document_get_node(reader->document, pair->key));

			if (key && strcmp(key, "name") == 0 && name)
				return reader_refuse(reader, node, "name", "is given twice");
			if (key && strcmp(key, "name") == 0)
				name = yaml_document_get_node(reader->document, pair->value);
		}
	}
	if (name == NULL)
		return reader_refuse(reader, node, "app",
				     "needs a name: app: voice, or {name: voice}");
	code = choose_app(reader, choice, name);
	if (code == 0 && node->type == YAML_MAPPING_NODE)
		code = read_app_params(reader, choice, node);
	return code;
}

static int read_option(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct scenario *scenario = reader->scenario;
	const char *name = reader_text(item);

	(void)index;
	if (name &&
	    scenario_option_set(&scenario->groups[scenario->group_count - 1].options, name))
		return 0;
	return error_at(reader->error, ERR_INVALID, reader->path, reader_line(item), "options",
			"%s is not one of %s", name ? name : "this", scenario_option_names());
}

static int read_options(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "options", 8, read_option);
}

static const struct key group_keys[] = {
	{"cc", KEY_TEXT, IN_GROUP(cc), 0, 0, NULL},
	{"count", KEY_COUNT, IN_GROUP(count), 1, SCENARIO_MAX_FLOWS, NULL},
	{"rtt_ms", KEY_NUMBER, IN_GROUP(rtt_ms), 0, 60000, NULL},
	{"ecn", KEY_CUSTOM, 0, 0, 0, 0, read_ecn},
	{"start_s", KEY_NUMBER, IN_GROUP(start_s), 0, 1e7, NULL},
	{"stop_s", KEY_NUMBER, IN_GROUP(stop_s), 0, 1e7, NULL},
	{"rate_mbps", KEY_NUMBER, IN_GROUP(rate_mbps), 0.001, 1e6, NULL},
	{"options", KEY_CUSTOM, 0, 0, 0, 0, read_options},
	{"frames_per_s", KEY_NUMBER, IN_GROUP(frames_per_s), 1, 1000, NULL},
	{"frame_budget_ms", KEY_NUMBER, IN_GROUP(frame_budget_ms), 0.001, 1000, NULL},
	{"app", KEY_CUSTOM, 0, 0, 0, 0, read_app},
	{"source_host", KEY_COUNT, IN_GROUP(source_host), 0, UINT32_MAX, NULL},
	{"destination_host", KEY_COUNT, IN_GROUP(destination_host), 0, UINT32_MAX, NULL},
	{"path", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_path},
	{"impairments", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_group_impairments},
	{"return_impairments", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_return_impairments},
	{0},
};

/* No such use of ECN: marks a group that did not say. */
#define ECN_UNSAID ((enum endpoint_ecn)99)

static int read_group(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct scenario_group *group = &reader->scenario->groups[index];
	int code;

	*group = (struct scenario_group){
		.count = 1,
		.ecn = ECN_UNSAID,
		.source_host = index + 1,
	};
	reader->scenario->group_lines[index] = reader_line(item);
	reader->scenario->group_count = index + 1;
	code = reader_mapping(reader, group_keys, group, item, "flows");
	if (code == 0 && group->cc[0] == '\0')
		return reader_refuse(reader, item, "cc",
				     "is missing: say cubic, prague, udp or another");
	if (code == 0 && scenario_app_fault(group))
		return error_at(reader->error, ERR_INVALID, reader->path, reader_line(item), "app",
				"%s %s", group->app.ops->name, scenario_app_fault(group));
	if (group->ecn == ECN_UNSAID)
		group->ecn = scenario_default_ecn(group->cc);
	return code;
}

static int read_flows(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "flows", SCENARIO_MAX_GROUPS, read_group);
}

static const struct key scenario_keys[] = {
	{"name", KEY_TEXT, IN_SCENARIO(name), 0, 0, NULL},
	{"duration_s", KEY_NUMBER, IN_SCENARIO(duration_s), 0.001, 1e7, NULL},
	{"warmup_s", KEY_NUMBER, IN_SCENARIO(warmup_s), 0, 1e7, NULL},
	{"bottleneck", KEY_CUSTOM, 0, 0, 0, 0, read_bottleneck},
	{"impairments", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_impairments},
	{"ack_path", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_ack_path},
	{"hops", KEY_CUSTOM, 0, 0, 0, 0, scenario_read_hops},
	{"flows", KEY_CUSTOM, 0, 0, 0, 0, read_flows},
	{0},
};

static int read_document(struct reader *reader, yaml_parser_t *parser)
{
	yaml_document_t document;
	int code;

	if (!yaml_parser_load(parser, &document))
		return error_at(reader->error, ERR_INVALID, reader->path,
				(long)parser->problem_mark.line + 1, NULL, "not YAML: %s",
				parser->problem ? parser->problem : "cannot be parsed");
	reader->document = &document;
	if (yaml_document_get_root_node(&document) == NULL)
		code = error_at(reader->error, ERR_INVALID, reader->path, 1, NULL,
				"the file is empty; a scenario needs name, bottleneck and flows");
	else
		code = reader_mapping(reader, scenario_keys, reader->scenario,
				    yaml_document_get_root_node(&document), "scenario");
	yaml_document_delete(&document);
	return code;
}

int scenario_parse(struct scenario *scenario, const char *text, size_t size, const char *path,
		   struct error *error)
{
	struct reader reader = {.scenario = scenario, .path = path, .error = error};
	yaml_parser_t parser;
	int code;

	scenario_init(scenario);
	snprintf(scenario->path, sizeof(scenario->path), "%s", path);
	if (size > MAX_FILE_BYTES)
		return error_at(error, ERR_RANGE, path, 0, NULL,
				"larger than the 1 MiB a scenario may have");
	if (!yaml_parser_initialize(&parser))
		return error_set(error, ERR_NO_MEMORY, "out of memory reading %s", path);
	add_content(scenario, text, size);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	code = read_document(&reader, &parser);
	yaml_parser_delete(&parser);
	if (scenario->rate_kind != RATE_NONE) /* whatever rate_mbps stood beside it */
		scenario->rate_mbps = scenario->rate_mean_mbps;
	if (code == 0)
		code = scenario_check(scenario, error);
	if (code)
		scenario_free(scenario);
	return code;
}

int scenario_read(struct scenario *scenario, const char *path, struct error *error)
{
	char *text;
	size_t size;
	int code = file_read_all(path, &text, &size, error);

	if (code)
		return code;
	code = scenario_parse(scenario, text, size, path, error);
	free(text);
	return code;
}
