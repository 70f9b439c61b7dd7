/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios in memory: defaults, consistency, writing.
 */
#include "sim/scenario.h"
#include "sim/scenario_network.h"
#include "sim/scenario_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "sim/app.h"
#include "tcp/cc.h"

void scenario_init(struct scenario *scenario)
{
	memset(scenario, 0, sizeof(*scenario));
	strcpy(scenario->name, "unnamed");
	strcpy(scenario->aqm, "dualpi2");
	strcpy(scenario->place, "bottleneck");
	scenario->duration_s = 60;
	scenario->warmup_s = 5;
	scenario->rate_mbps = 8;
	scenario->delay_ms = 10;
	scenario->receive_packets = 1024;
}

void scenario_free(struct scenario *scenario)
{
	free(scenario->trace_ms);
	memset(scenario, 0, sizeof(*scenario));
}

enum endpoint_ecn scenario_default_ecn(const char *cc)
{
	if (strcmp(cc, "dctcp") == 0)
		return ENDPOINT_ECN_ECT1;
	if (strcmp(cc, "prague") == 0 || strcmp(cc, "udp_prague") == 0)
		return ENDPOINT_ECN_ACCECN;
	return strcmp(cc, "udp") == 0 ? ENDPOINT_ECN_NONE : ENDPOINT_ECN_CLASSIC;
}

uint64_t scenario_flows(const struct scenario *scenario)
{
	uint64_t flows = 0;

	for (uint64_t i = 0; i < scenario->group_count; i++)
		flows += scenario->groups[i].count;
	return flows;
}

/* Of the file that says the group; 0: made in memory. */
static long line_of(const struct scenario *scenario, const struct scenario_group *group)
{
	return scenario->group_lines[group - scenario->groups];
}

static int unknown_cc(const struct scenario *scenario, const struct scenario_group *group,
		      struct error *error)
{
	char known[128] = "";
	size_t used = 0;

	for (const struct tcp_cc_ops *const *ops = tcp_cc_all; *ops && used < sizeof(known); ops++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s, ", (*ops)->name);
	return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"cc", "%s is not one of %sudp, udp_prague", group->cc, known);
}

const char *scenario_app_fault(const struct scenario_group *group)
{
	const struct app_ops *app = group->app.ops;

	if (app == NULL)
		return NULL;
	if (app->report == SIM_REPORT_DATAGRAMS && strcmp(group->cc, "udp") != 0)
		return "sends datagrams: its flows need cc: udp";
	if (app->report != SIM_REPORT_DATAGRAMS && tcp_cc_find(group->cc) == NULL)
		return "needs a byte stream: its flows need a congestion control of TCP";
	if (group->rate_mbps > 0)
		return "says itself what is sent: leave out the flow's rate_mbps";
	return app->fault ? app->fault(&group->app) : NULL;
}

static int check_ecn(const struct scenario *scenario, const struct scenario_group *group,
		     struct error *error)
{
	const struct tcp_cc_ops *cc = tcp_cc_find(group->cc);

	if (strcmp(group->cc, "udp_prague") == 0) {
		if (group->ecn == ENDPOINT_ECN_CLASSIC)
			return error_at(error, ERR_UNSUPPORTED, scenario->path,
					line_of(scenario, group),
				"ecn", "udp_prague is ECT(1) or nothing; use accecn or none");
	} else if (group->ecn == ENDPOINT_ECN_ACCECN && cc == NULL) {
		return error_at(error, ERR_UNSUPPORTED, scenario->path, line_of(scenario, group),
				"ecn", "%s makes no use of accecn; use none, classic or ect1",
				group->cc);
	}
	return 0;
}

static int check_group(const struct scenario *scenario, const struct scenario_group *group,
		       struct error *error)
{
	const bool udp = strcmp(group->cc, "udp") == 0;
	const double forward_ms = scenario_forward_ms(scenario, group);
	int code;

	if (!udp && strcmp(group->cc, "udp_prague") != 0 && tcp_cc_find(group->cc) == NULL)
		return unknown_cc(scenario, group, error);
	code = check_ecn(scenario, group, error);
	if (code)
		return code;
	if (scenario_app_fault(group))
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"app", "%s %s",
				group->app.ops->name, scenario_app_fault(group));
	if (group->frames_per_s > 0 && strcmp(group->cc, "udp_prague") != 0)
		return error_at(error, ERR_UNSUPPORTED, scenario->path, line_of(scenario, group),
				"frames_per_s", "%s sends no frames; udp_prague does", group->cc);
	if (group->frame_budget_ms > 0 && group->frames_per_s <= 0)
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"frame_budget_ms", "needs frames_per_s beside it");
	if (udp && group->app.ops == NULL && group->rate_mbps <= 0)
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"rate_mbps", "a udp flow needs a rate above 0");
	if (!udp && group->rate_mbps > 0)
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"rate_mbps",
				"%s finds its rate itself; leave it out, or say cc: udp",
				group->cc);
	if (group->rtt_ms != 0 && group->rtt_ms < 2 * forward_ms)
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"rtt_ms", "must be at least twice the delay_ms on its path, %g",
				2 * forward_ms);
	if (group->stop_s != 0 && group->stop_s <= group->start_s)
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"stop_s", "must be later than start_s");
	return 0;
}

int scenario_check(const struct scenario *scenario, struct error *error)
{
	int code = scenario_check_hops(scenario, error);

	if (code == 0)
		code = scenario_check_variation(scenario, error);
	if (code)
		return code;
	if (scenario->warmup_s >= scenario->duration_s)
		return error_at(error, ERR_INVALID, scenario->path, 0, "warmup_s",
				"must be shorter than duration_s, %g", scenario->duration_s);
	if (scenario->group_count == 0)
		return error_at(error, ERR_INVALID, scenario->path, 0, "flows",
				"needs at least one flow");
	if (scenario_flows(scenario) > SCENARIO_MAX_FLOWS)
		return error_at(error, ERR_RANGE, scenario->path, 0, "flows",
				"at most %d flows in all", SCENARIO_MAX_FLOWS);
	for (uint64_t i = 1; i < scenario->step_count; i++)
		if (scenario->steps[i].at_s <= scenario->steps[i - 1].at_s)
			return error_at(error, ERR_INVALID, scenario->path, 0, "rate_steps",
					"at_s must increase from step to step");
	for (uint64_t i = 0; i < scenario->group_count; i++) {
		code = check_group(scenario, &scenario->groups[i], error);

		if (code)
			return code;
	}
	return 0;
}

static const char *const ecn_names[] = {"none", "classic", "ect1", "accecn"};

static void write_bottleneck(FILE *out, const struct scenario *scenario)
{
	fprintf(out, "bottleneck:\n  name: \"%s\"\n  rate_mbps: %.17g\n", scenario->place,
		scenario->rate_mbps);
	if (scenario->step_count) {
		fputs("  rate_steps:\n", out);
		for (uint64_t i = 0; i < scenario->step_count; i++)
			fprintf(out, "    - {at_s: %.17g, rate_mbps: %.17g}\n",
				scenario->steps[i].at_s, scenario->steps[i].rate_mbps);
	}
	if (scenario->trace_count)
		fprintf(out, "  rate_trace: \"%s\"\n", scenario->trace_path);
	scenario_write_variation(out, scenario);
	fprintf(out, "  delay_ms: %.17g\n  aqm: %s\n", scenario->delay_ms, scenario->aqm);
	if (scenario->packet_cost_us > 0)
		fprintf(out, "  packet_cost_us: %.17g\n  receive_packets: %" PRIu64 "\n",
			scenario->packet_cost_us, scenario->receive_packets);
	if (scenario->param_count) {
		fputs("  params:\n", out);
		for (uint64_t i = 0; i < scenario->param_count; i++)
			fprintf(out, "    - \"%s\"\n", scenario->params[i]);
	}
	if (scenario->limit_packets)
		fprintf(out, "  limit_packets: %" PRIu64 "\n", scenario->limit_packets);
}

int scenario_write(const struct scenario *scenario, const char *path, struct error *error)
{
	struct file_replace replace;
	int code = file_replace_open(&replace, path, error);

	if (code)
		return code;
	fprintf(replace.stream, "name: %s\nduration_s: %.17g\nwarmup_s: %.17g\n", scenario->name,
		scenario->duration_s, scenario->warmup_s);
	write_bottleneck(replace.stream, scenario);
	scenario_write_impairments(replace.stream, scenario);
	scenario_write_hops(replace.stream, scenario);
	fputs("flows:\n", replace.stream);
	for (uint64_t i = 0; i < scenario->group_count; i++) {
		const struct scenario_group *group = &scenario->groups[i];

		fprintf(replace.stream, "  - {cc: %s, count: %" PRIu64 ", ecn: %s, start_s: %.17g",
			group->cc, group->count, ecn_names[group->ecn], group->start_s);
		if (group->rtt_ms != 0)
			fprintf(replace.stream, ", rtt_ms: %.17g", group->rtt_ms);
		if (group->stop_s != 0)
			fprintf(replace.stream, ", stop_s: %.17g", group->stop_s);
		if (group->rate_mbps != 0)
			fprintf(replace.stream, ", rate_mbps: %.17g", group->rate_mbps);
		if (group->frames_per_s != 0)
			fprintf(replace.stream, ", frames_per_s: %.17g", group->frames_per_s);
		if (group->frame_budget_ms != 0)
			fprintf(replace.stream, ", frame_budget_ms: %.17g", group->frame_budget_ms);
		scenario_options_write(replace.stream, &group->options);
		if (group->app.ops) {
			fputs(", app: ", replace.stream);
			app_choice_write(replace.stream, &group->app);
		}
		if (group->source_host != i + 1)
			fprintf(replace.stream, ", source_host: %" PRIu64, group->source_host);
		if (group->destination_host != 0)
			fprintf(replace.stream, ", destination_host: %" PRIu64,
				group->destination_host);
		scenario_write_path(replace.stream, group);
		scenario_write_group_impairments(replace.stream, group);
		fputs("}\n", replace.stream);
	}
	return file_replace_commit(&replace, error);
}
