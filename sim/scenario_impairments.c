/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Impairments in scenario files.
 */
#include "sim/scenario_network.h"

#include <string.h>

#include "sim/impair.h"

#define IN_IMPAIRMENTS(member)                                                                     \
	offsetof(struct impairments, member), sizeof(((struct impairments *)0)->member)

static const struct key burst_keys[] = {
	{"enter_percent", KEY_NUMBER, offsetof(struct loss_burst_plan, enter_percent), 0, 0, 100,
	 NULL},
	{"leave_percent", KEY_NUMBER, offsetof(struct loss_burst_plan, leave_percent), 0, 0, 100,
	 NULL},
	{"loss_percent", KEY_NUMBER, offsetof(struct loss_burst_plan, loss_percent), 0, 0, 100,
	 NULL},
	{"good_loss_percent", KEY_NUMBER, offsetof(struct loss_burst_plan, good_loss_percent), 0, 0,
	 100, NULL},
	{0},
};

static int read_burst(struct reader *reader, void *object, yaml_node_t *node)
{
	struct loss_burst_plan *burst = &((struct impairments *)object)->burst;
	int code;

	*burst = (struct loss_burst_plan){.loss_percent = 100};
	code = reader_mapping(reader, burst_keys, burst, node, "loss_burst");
	if (code == 0 && (burst->enter_percent <= 0 || burst->leave_percent <= 0))
		return reader_refuse(reader, node, "loss_burst",
				     "needs enter_percent and leave_percent above 0");
	return code;
}

static int read_jitter_order(struct reader *reader, void *object, yaml_node_t *node)
{
	const char *word = reader_text(node);

	if (word == NULL || (strcmp(word, "keep") != 0 && strcmp(word, "free") != 0))
		return reader_refuse(reader, node, "jitter_order", "is one of keep, free");
	((struct impairments *)object)->may_overtake = strcmp(word, "free") == 0;
	return 0;
}

static const struct key stall_keys[] = {
	{"every_ms", KEY_NUMBER, offsetof(struct stall_plan, every_ms), 0, 0.001, 1e6, NULL},
	{"for_ms", KEY_NUMBER, offsetof(struct stall_plan, for_ms), 0, 0.001, 10000, NULL},
	{0},
};

static int read_stall(struct reader *reader, void *object, yaml_node_t *node)
{
	struct stall_plan *stall = &((struct impairments *)object)->stall;
	int code;

	*stall = (struct stall_plan){0};
	code = reader_mapping(reader, stall_keys, stall, node, "stall");
	if (code == 0 && (stall->every_ms <= 0 || stall->for_ms <= 0))
		return reader_refuse(reader, node, "stall", "needs every_ms and for_ms above 0");
	return code;
}

static const struct key impairment_keys[] = {
	{"loss_percent", KEY_NUMBER, IN_IMPAIRMENTS(loss_percent), 0, 100, NULL},
	{"loss_burst", KEY_CUSTOM, 0, 0, 0, 0, read_burst},
	{"reorder_percent", KEY_NUMBER, IN_IMPAIRMENTS(reorder_percent), 0, 100, NULL},
	{"reorder_ms", KEY_NUMBER, IN_IMPAIRMENTS(reorder_ms), 0, 10000, NULL},
	{"jitter_ms", KEY_NUMBER, IN_IMPAIRMENTS(jitter_ms), 0, 10000, NULL},
	{"jitter_order", KEY_CUSTOM, 0, 0, 0, 0, read_jitter_order},
	{"stall", KEY_CUSTOM, 0, 0, 0, 0, read_stall},
	{0},
};

static int read_into(struct reader *reader, struct impairments *plan, yaml_node_t *node,
		     const char *key)
{
	const int code = reader_mapping(reader, impairment_keys, plan, node, key);

	if (code == 0 && (plan->reorder_percent > 0) != (plan->reorder_ms > 0))
		return reader_refuse(reader, node,
				     plan->reorder_ms > 0 ? "reorder_ms" : "reorder_percent",
				     "needs both reorder_percent and reorder_ms above 0");
	return code;
}

int scenario_read_impairments(struct reader *reader, void *object, yaml_node_t *node)
{
	return read_into(reader, &((struct scenario *)object)->impairments, node, "impairments");
}

int scenario_read_group_impairments(struct reader *reader, void *object, yaml_node_t *node)
{
	return read_into(reader, &((struct scenario_group *)object)->impairments, node,
			 "impairments");
}

int scenario_read_return_impairments(struct reader *reader, void *object, yaml_node_t *node)
{
	return read_into(reader, &((struct scenario_group *)object)->return_impairments, node,
			 "return_impairments");
}

/* `name: {...}` in flow style; nothing where nothing is impaired. */
static void write_impairments(FILE *out, const char *name, const struct impairments *plan)
{
	const char *before = "";

	fprintf(out, "%s: {", name);
	if (plan->loss_percent > 0) {
		fprintf(out, "loss_percent: %.17g", plan->loss_percent);
		before = ", ";
	}
	if (plan->burst.enter_percent > 0) {
		fprintf(out,
			"%sloss_burst: {enter_percent: %.17g, leave_percent: %.17g, loss_percent: "
			"%.17g, good_loss_percent: %.17g}",
			before, plan->burst.enter_percent, plan->burst.leave_percent,
			plan->burst.loss_percent, plan->burst.good_loss_percent);
		before = ", ";
	}
	if (plan->reorder_percent > 0) {
		fprintf(out, "%sreorder_percent: %.17g, reorder_ms: %.17g", before,
			plan->reorder_percent, plan->reorder_ms);
		before = ", ";
	}
	if (plan->jitter_ms > 0) {
		fprintf(out, "%sjitter_ms: %.17g, jitter_order: %s", before, plan->jitter_ms,
			plan->may_overtake ? "free" : "keep");
		before = ", ";
	}
	if (plan->stall.every_ms > 0)
		fprintf(out, "%sstall: {every_ms: %.17g, for_ms: %.17g}", before,
			plan->stall.every_ms, plan->stall.for_ms);
	fputs("}", out);
}

void scenario_write_impairments(FILE *out, const struct scenario *scenario)
{
	if (!impairments_any(&scenario->impairments))
		return;
	write_impairments(out, "impairments", &scenario->impairments);
	fputs("\n", out);
}

void scenario_write_group_impairments(FILE *out, const struct scenario_group *group)
{
	if (impairments_any(&group->impairments)) {
		fputs(", ", out);
		write_impairments(out, "impairments", &group->impairments);
	}
	if (impairments_any(&group->return_impairments)) {
		fputs(", ", out);
		write_impairments(out, "return_impairments", &group->return_impairments);
	}
}
