/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scenarios in memory: defaults and consistency.
 */
#include "sim/scenario.h"
#include "sim/scenario_network.h"
#include "sim/scenario_options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

bool scenario_is_l4s(const struct scenario_group *group)
{
	const struct tcp_cc_ops *cc = tcp_cc_find(group->cc);

	return group->ecn == ENDPOINT_ECN_ECT1 ||
	       (group->ecn == ENDPOINT_ECN_ACCECN && (cc == NULL || cc->exact_ce_echo));
}

bool scenario_is_long_lived(const struct scenario *scenario, const struct scenario_group *group)
{
	return group->app.ops == NULL && strcmp(group->cc, "udp") != 0 &&
	       group->start_s <= scenario->warmup_s &&
	       (group->stop_s == 0 || group->stop_s >= scenario->duration_s);
}

uint64_t scenario_flows(const struct scenario *scenario)
{
	uint64_t flows = 0;

	for (uint64_t i = 0; i < scenario->group_count; i++)
		flows += scenario->groups[i].count;
	return flows;
}

long scenario_line_of(const struct scenario *scenario, const char *key)
{
	for (uint64_t i = 0; i < scenario->line_count; i++)
		if (strcmp(scenario->lines[i].key, key) == 0)
			return scenario->lines[i].line;
	return 0;
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
	char fault[200];
	int code;

	if (!udp && strcmp(group->cc, "udp_prague") != 0 && tcp_cc_find(group->cc) == NULL)
		return unknown_cc(scenario, group, error);
	code = check_ecn(scenario, group, error);
	if (code)
		return code;
	if (scenario_options_fault(&group->options, group->cc, fault, sizeof(fault)))
		return error_at(error, ERR_INVALID, scenario->path, line_of(scenario, group),
				"options", "%s", fault);
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

/* warmup_s, or where it is left out the duration that is too short for its initial value. */
static long line_of_times(const struct scenario *scenario)
{
	const long line = scenario_line_of(scenario, "warmup_s");

	return line ? line : scenario_line_of(scenario, "duration_s");
}

int scenario_check(const struct scenario *scenario, struct error *error)
{
	int code = scenario_check_hops(scenario, error);

	if (code == 0)
		code = scenario_check_variation(scenario, error);
	if (code)
		return code;
	if (scenario->warmup_s >= scenario->duration_s)
		return error_at(error, ERR_INVALID, scenario->path, line_of_times(scenario),
				"warmup_s", "%g must be shorter than duration_s, %g",
				scenario->warmup_s, scenario->duration_s);
	if (scenario->group_count == 0)
		return error_at(error, ERR_INVALID, scenario->path,
				scenario_line_of(scenario, "flows"), "flows",
				"needs at least one flow");
	if (scenario_flows(scenario) > SCENARIO_MAX_FLOWS)
		return error_at(error, ERR_RANGE, scenario->path,
				scenario_line_of(scenario, "flows"), "flows",
				"at most %d flows in all", SCENARIO_MAX_FLOWS);
	for (uint64_t i = 1; i < scenario->step_count; i++)
		if (scenario->steps[i].at_s <= scenario->steps[i - 1].at_s)
			return error_at(error, ERR_INVALID, scenario->path,
					scenario_line_of(scenario, "rate_steps"), "rate_steps",
					"at_s must increase from step to step");
	for (uint64_t i = 0; i < scenario->group_count; i++) {
		code = check_group(scenario, &scenario->groups[i], error);

		if (code)
			return code;
	}
	return 0;
}
