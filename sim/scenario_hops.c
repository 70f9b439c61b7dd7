/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Further bottlenecks, paths over them, and the shared way back.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/scenario_network.h"

#define IN_ACK_PATH(member)                                                                        \
	offsetof(struct ack_path_plan, member), sizeof(((struct ack_path_plan *)0)->member)
#define IN_HOP(member) offsetof(struct hop_plan, member), sizeof(((struct hop_plan *)0)->member)

static const struct key ack_path_keys[] = {
	{"rate_mbps", KEY_NUMBER, IN_ACK_PATH(rate_mbps), 0.001, 1e6, NULL},
	{"limit_packets", KEY_COUNT, IN_ACK_PATH(limit_packets), 1, 1e9, NULL},
	{"loss_percent", KEY_NUMBER, IN_ACK_PATH(loss_percent), 0, 100, NULL},
	{"keep_every", KEY_COUNT, IN_ACK_PATH(keep_every), 1, 1000, NULL},
	{"hold_ms", KEY_NUMBER, IN_ACK_PATH(hold_ms), 0, 1000, NULL},
	{0},
};

int scenario_read_ack_path(struct reader *reader, void *object, yaml_node_t *node)
{
	struct ack_path_plan *plan = &((struct scenario *)object)->ack_path;

	*plan = (struct ack_path_plan){.given = true, .limit_packets = 100, .keep_every = 1,
				       .hold_ms = 10};
	return reader_mapping(reader, ack_path_keys, plan, node, "ack_path");
}

static int read_hop_param(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct hop_plan *hop = &reader->scenario->hops[reader->scenario->hop_count - 1];
	const struct key key = {.name = "params", .size = sizeof(hop->params[0])};

	hop->param_lines[index] = reader_line(item);
	hop->param_count = index + 1;
	return reader_string(reader, &key, item, hop->params[index]);
}

static int read_hop_params(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "params", SCENARIO_MAX_HOP_PARAMS, read_hop_param);
}

static const struct key hop_keys[] = {
	{"name", KEY_TEXT, IN_HOP(name), 0, 0, NULL},
	{"rate_mbps", KEY_NUMBER, IN_HOP(rate_mbps), 0.001, 1e6, NULL},
	{"delay_ms", KEY_NUMBER, IN_HOP(delay_ms), 0, 10000, NULL},
	{"aqm", KEY_TEXT, IN_HOP(aqm), 0, 0, NULL},
	{"params", KEY_CUSTOM, 0, 0, 0, 0, read_hop_params},
	{"limit_packets", KEY_COUNT, IN_HOP(limit_packets), 1, 1e9, NULL},
	{0},
};

static int read_hop(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct hop_plan *hop = &reader->scenario->hops[index];
	int code;

	*hop = (struct hop_plan){.aqm = "fifo", .line = reader_line(item)};
	reader->scenario->hop_count = index + 1;
	code = reader_mapping(reader, hop_keys, hop, item, "hops");
	if (code == 0 && hop->name[0] == '\0')
		return reader_refuse(reader, item, "name", "is missing in this hop");
	if (code == 0 && hop->rate_mbps <= 0)
		return reader_refuse(reader, item, "rate_mbps", "is missing in this hop");
	return code;
}

int scenario_read_hops(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "hops", SCENARIO_MAX_HOPS, read_hop);
}

static int read_place(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct scenario_group *group = &reader->scenario->groups[reader->scenario->group_count - 1];
	const struct key key = {.name = "path", .size = sizeof(group->path[0])};

	group->path_count = index + 1;
	return reader_string(reader, &key, item, group->path[index]);
}

int scenario_read_path(struct reader *reader, void *object, yaml_node_t *node)
{
	const int code = reader_list(reader, node, "path", SCENARIO_MAX_HOPS + 1, read_place);

	if (code == 0 && ((struct scenario_group *)object)->path_count == 0)
		return reader_refuse(reader, node, "path", "needs the name of at least one place");
	return code;
}

/* Number of the place of that name; above hop_count: there is none. */
static uint64_t find_place(const struct scenario *scenario, const char *name)
{
	uint64_t i = 0;

	if (strcmp(name, scenario->place) == 0)
		return 0;
	while (i < scenario->hop_count && strcmp(name, scenario->hops[i].name) != 0)
		i++;
	return i + 1;
}

static int check_path(const struct scenario *scenario, const struct scenario_group *group,
		      struct error *error)
{
	uint64_t least = 0;

	for (uint64_t i = 0; i < group->path_count; i++) {
		const uint64_t place = find_place(scenario, group->path[i]);

		if (place > scenario->hop_count)
			return error_at(error, ERR_INVALID, scenario->path,
					scenario->group_lines[group - scenario->groups],
					"path",
					"there is no %s; there are %s, and the names of hops",
					group->path[i], scenario->place);
		if (place < least)
			return error_at(error, ERR_INVALID, scenario->path,
					scenario->group_lines[group - scenario->groups],
					"path",
					"%s comes too late: places stand in the order of the "
					"bottleneck and the hops, each once",
					group->path[i]);
		least = place + 1;
	}
	return 0;
}

int scenario_check_hops(const struct scenario *scenario, struct error *error)
{
	int code = 0;

	for (uint64_t i = 0; i < scenario->hop_count; i++)
		if (find_place(scenario, scenario->hops[i].name) != i + 1)
			return error_at(error, ERR_INVALID, scenario->path,
					scenario->hops[i].line, "hops",
					"two places are named %s; give each a name of its own",
					scenario->hops[i].name);
	for (uint64_t g = 0; code == 0 && g < scenario->group_count; g++)
		code = check_path(scenario, &scenario->groups[g], error);
	return code;
}

uint32_t scenario_places(const struct scenario *scenario, const struct scenario_group *group)
{
	uint32_t places = 0;

	if (group->path_count == 0)
		return (UINT32_C(2) << scenario->hop_count) - 1;
	for (uint64_t i = 0; i < group->path_count; i++)
		places |= UINT32_C(1) << find_place(scenario, group->path[i]);
	return places;
}

double scenario_forward_ms(const struct scenario *scenario, const struct scenario_group *group)
{
	const uint32_t places = scenario_places(scenario, group);
	double forward_ms = places & 1 ? scenario->delay_ms : 0;

	for (uint64_t i = 0; i < scenario->hop_count; i++)
		if (places & UINT32_C(2) << i)
			forward_ms += scenario->hops[i].delay_ms;
	return forward_ms;
}

static void write_hop(FILE *out, const struct hop_plan *hop)
{
	fputs("  - {name: ", out);
	scenario_put_text(out, hop->name);
	fprintf(out, ", rate_mbps: %.17g, delay_ms: %.17g, aqm: ", hop->rate_mbps, hop->delay_ms);
	scenario_put_text(out, hop->aqm);
	for (uint64_t i = 0; i < hop->param_count; i++) {
		fputs(i ? ", " : ", params: [", out);
		scenario_put_text(out, hop->params[i]);
	}
	if (hop->param_count)
		fputs("]", out);
	if (hop->limit_packets)
		fprintf(out, ", limit_packets: %" PRIu64, hop->limit_packets);
	fputs("}\n", out);
}

void scenario_write_hops(FILE *out, const struct scenario *scenario)
{
	const struct ack_path_plan *ack = &scenario->ack_path;

	if (scenario->hop_count)
		fputs("hops:\n", out);
	for (uint64_t i = 0; i < scenario->hop_count; i++)
		write_hop(out, &scenario->hops[i]);
	if (!ack->given)
		return;
	fprintf(out, "ack_path: {loss_percent: %.17g, keep_every: %" PRIu64, ack->loss_percent,
		ack->keep_every);
	fprintf(out, ", hold_ms: %.17g, limit_packets: %" PRIu64, ack->hold_ms,
		ack->limit_packets);
	if (ack->rate_mbps > 0)
		fprintf(out, ", rate_mbps: %.17g", ack->rate_mbps);
	fputs("}\n", out);
}

void scenario_write_path(FILE *out, const struct scenario_group *group)
{
	for (uint64_t i = 0; i < group->path_count; i++) {
		fputs(i ? ", " : ", path: [", out);
		scenario_put_text(out, group->path[i]);
	}
	if (group->path_count)
		fputs("]", out);
}
