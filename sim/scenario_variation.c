/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What changes about the bottleneck, in scenario files: generated rates, steps of the delay,
 * handovers; and aggregates.
 */
#include <inttypes.h>
#include <string.h>

#include "sim/rate_model.h"
#include "sim/scenario_network.h"

#define IN_HANDOVER(member)                                                                        \
	offsetof(struct handover_plan, member), sizeof(((struct handover_plan *)0)->member)
#define IN_AGGREGATION(member)                                                                     \
	offsetof(struct aggregation_plan, member), sizeof(((struct aggregation_plan *)0)->member)

static int read_kind(struct reader *reader, void *object, yaml_node_t *node)
{
	struct scenario *scenario = object;
	const char *name = reader_text(node);

	scenario->rate_kind = name ? rate_kind_find(name) : RATE_NONE;
	if (scenario->rate_kind == RATE_NONE)
		return reader_refuse(reader, node, "kind", "is one of lte, wifi, satellite");
	return 0;
}

static const struct key generated_keys[] = {
	{"kind", KEY_CUSTOM, 0, 0, 0, 0, read_kind},
	{"mean_mbps", KEY_NUMBER, offsetof(struct scenario, rate_mean_mbps), 0, 0.1, 1000, NULL},
	{0},
};

int scenario_read_rate_generated(struct reader *reader, void *object, yaml_node_t *node)
{
	struct scenario *scenario = object;
	const int code = reader_mapping(reader, generated_keys, scenario, node, "rate_generated");

	if (code == 0 && (scenario->rate_kind == RATE_NONE || scenario->rate_mean_mbps <= 0))
		return reader_refuse(reader, node, "rate_generated", "needs kind and mean_mbps");
	return code;
}

static const struct key delay_step_keys[] = {
	{"at_s", KEY_NUMBER, offsetof(struct delay_step, at_s), 0, 0, 1e7, NULL},
	{"delay_ms", KEY_NUMBER, offsetof(struct delay_step, delay_ms), 0, 0, 10000, NULL},
	{0},
};

static int read_delay_step(struct reader *reader, yaml_node_t *item, uint64_t index)
{
	struct delay_step *step = &reader->scenario->delay_steps[index];
	int code;

	step->delay_ms = -1;
	reader->scenario->delay_step_count = index + 1;
	code = reader_mapping(reader, delay_step_keys, step, item, "delay_steps");
	if (code == 0 && step->delay_ms < 0)
		return reader_refuse(reader, item, "delay_ms", "is missing in this step");
	if (code == 0 && index > 0 && step->at_s <= step[-1].at_s)
		return reader_refuse(reader, item, "at_s", "must increase from step to step");
	return code;
}

int scenario_read_delay_steps(struct reader *reader, void *object, yaml_node_t *node)
{
	(void)object;
	return reader_list(reader, node, "delay_steps", SCENARIO_MAX_DELAY_STEPS, read_delay_step);
}

static const struct key handover_keys[] = {
	{"every_s", KEY_NUMBER, IN_HANDOVER(every_s), 0.1, 1e6, NULL},
	{"outage_ms", KEY_NUMBER, IN_HANDOVER(outage_ms), 0, 60000, NULL},
	{"rate_spread_percent", KEY_NUMBER, IN_HANDOVER(rate_spread_percent), 0, 99, NULL},
	{"delay_spread_ms", KEY_NUMBER, IN_HANDOVER(delay_spread_ms), 0, 10000, NULL},
	{0},
};

int scenario_read_handover(struct reader *reader, void *object, yaml_node_t *node)
{
	struct handover_plan *plan = &((struct scenario *)object)->handover;
	int code;

	plan->every_s = 15;
	code = reader_mapping(reader, handover_keys, plan, node, "handover");
	if (code == 0 && plan->outage_ms >= plan->every_s * 1e3)
		return reader_refuse(reader, node, "outage_ms", "must be shorter than every_s");
	return code;
}

static const struct key aggregation_keys[] = {
	{"packets", KEY_COUNT, IN_AGGREGATION(packets), 1, 1024, NULL},
	{"txop_ms", KEY_NUMBER, IN_AGGREGATION(txop_ms), 0.01, 1000, NULL},
	{"gap_ms", KEY_NUMBER, IN_AGGREGATION(gap_ms), 0, 1000, NULL},
	{0},
};

int scenario_read_aggregation(struct reader *reader, void *object, yaml_node_t *node)
{
	struct aggregation_plan *plan = &((struct scenario *)object)->aggregation;

	*plan = (struct aggregation_plan){.packets = 32, .txop_ms = 4, .gap_ms = 0.2};
	return reader_mapping(reader, aggregation_keys, plan, node, "aggregation");
}

int scenario_check_variation(const struct scenario *scenario, struct error *error)
{
	const struct handover_plan *plan = &scenario->handover;
	const bool rates = plan->outage_ms > 0 || plan->rate_spread_percent > 0;

	if (scenario->rate_kind != RATE_NONE && (scenario->trace_count || scenario->step_count))
		return error_at(error, ERR_INVALID, scenario->path,
				scenario_line_of(scenario, "rate_generated"), "rate_generated",
				"stands in place of rate_trace and rate_steps: leave one out");
	if (rates &&
	    (scenario->rate_kind != RATE_NONE || scenario->trace_count || scenario->step_count))
		return error_at(error, ERR_INVALID, scenario->path,
				scenario_line_of(scenario, "handover"), "handover",
				"outage_ms and rate_spread_percent go with a constant rate_mbps: "
				"leave out these or rate_steps, rate_trace, rate_generated");
	if (plan->delay_spread_ms > 0 && scenario->delay_step_count)
		return error_at(error, ERR_INVALID, scenario->path,
				scenario_line_of(scenario, "handover"), "handover",
				"delay_spread_ms and delay_steps both say the delay: leave one "
				"out");
	return 0;
}

void scenario_write_variation(FILE *out, const struct scenario *scenario)
{
	const struct handover_plan *plan = &scenario->handover;

	if (scenario->rate_kind != RATE_NONE)
		fprintf(out, "  rate_generated: {kind: %s, mean_mbps: %.17g}\n",
			rate_kind_name(scenario->rate_kind), scenario->rate_mean_mbps);
	if (scenario->delay_step_count)
		fputs("  delay_steps:\n", out);
	for (uint64_t i = 0; i < scenario->delay_step_count; i++)
		fprintf(out, "    - {at_s: %.17g, delay_ms: %.17g}\n",
			scenario->delay_steps[i].at_s, scenario->delay_steps[i].delay_ms);
	if (plan->every_s > 0)
		fprintf(out,
			"  handover: {every_s: %.17g, outage_ms: %.17g, rate_spread_percent: "
			"%.17g, delay_spread_ms: %.17g}\n",
			plan->every_s, plan->outage_ms, plan->rate_spread_percent,
			plan->delay_spread_ms);
	if (scenario->aggregation.packets)
		fprintf(out,
			"  aggregation: {packets: %" PRIu64 ", txop_ms: %.17g, gap_ms: %.17g}\n",
			scenario->aggregation.packets, scenario->aggregation.txop_ms,
			scenario->aggregation.gap_ms);
}
