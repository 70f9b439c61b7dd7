/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends through sampled networks: long-lived flows of one class or of both,
 * and applications on top.
 */
#include <math.h>
#include <string.h>

#include "sim/app.h"
#include "sim/suite_parts.h"

#define BOTH_SHARE 0.6    /* of networks: L4S and Classic; the rest has either, equally often */
#define ON_TOP_SHARE 0.6  /* of networks that may have applications */
#define COMING_SHARE 0.3  /* of groups that come or go during the run */
#define CLASSIC_ECN_SHARE 0.5
#define MAX_GROUPS 4
#define FLOW_LEAST_MBPS 0.25 /* a flow's share of the least rate, or there are fewer flows */
#define GAMING_L4S_SHARE 0.5

static const struct suite_range
	flows_range = {"long-lived flows", 1, SUITE_FLOWS_MOST},
	rtt_range = {"a group's base round trip, in bottleneck round trips", 1, 4},
	udp_range = {"rate of unresponsive traffic, in bottleneck rates", 0.05, 0.4},
	think_range = {"web: time between pages, s", 2, 15},
	object_range = {"web: mean object, kB", 8, 60},
	size_range = {"transfers: mean size, kB (Pareto, shape 1.5)", 20, 2000},
	load_range = {"transfers and onoff: their load, in bottleneck rates", 0.02, 0.3};

/* How often a group of a class has each control. */
static const struct control {
	const char *cc;
	bool l4s;
	double share; /* of its class */
} controls[] = {
	{"cubic", false, 0.48}, {"newreno", false, 0.18}, {"bbr", false, 0.22},
	{"udp", false, 0.12},   {"prague", true, 0.6},    {"dctcp", true, 0.25},
	{"udp_prague", true, 0.15},
};

static void set_web(struct scenario *scenario, struct scenario_group *group, struct rng *rng);
static void set_transfers(struct scenario *scenario, struct scenario_group *group,
			  struct rng *rng);
static void set_onoff(struct scenario *scenario, struct scenario_group *group, struct rng *rng);
static void set_gaming(struct scenario *scenario, struct scenario_group *group, struct rng *rng);

/* Applications on top: in what share of those networks that may, how many at most, over what. */
static const struct application {
	const char *name;
	double share;
	unsigned most;
	const char *over[3]; /* controls, equally often */
	void (*set)(struct scenario *scenario, struct scenario_group *group, struct rng *rng);
} applications[] = {
	{"web", 0.5, 10, {"cubic", "prague", "bbr"}, set_web},
	{"video", 0.4, 4, {"cubic", "prague", "bbr"}, NULL},
	{"transfers", 0.4, 1, {"cubic", "prague", "newreno"}, set_transfers},
	{"voice", 0.4, 5, {"udp", "udp", "udp"}, NULL},
	{"gaming", 0.4, 4, {"udp", "udp", "udp"}, set_gaming},
	{"onoff", 0.25, 1, {"udp", "udp", "udp"}, set_onoff},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

bool suite_is_l4s(const struct scenario_group *group)
{
	for (size_t i = 0; i < COUNT(controls); i++)
		if (strcmp(controls[i].cc, group->cc) == 0)
			return controls[i].l4s;
	return false;
}

bool suite_is_bulk(const struct scenario_group *group)
{
	return group->app.ops == NULL && strcmp(group->cc, "udp") != 0;
}

static const char *choose_control(struct rng *rng, bool l4s)
{
	double left = rng_uniform(rng);
	const char *cc = NULL;

	for (size_t i = 0; i < COUNT(controls) && left >= 0; i++) {
		if (controls[i].l4s != l4s)
			continue;
		cc = controls[i].cc;
		left -= controls[i].share;
	}
	return cc;
}

static double least_rate(const struct scenario *scenario)
{
	double least = scenario->rate_mbps;

	for (uint64_t i = 0; i < scenario->step_count; i++)
		least = fmin(least, scenario->steps[i].rate_mbps);
	return least;
}

/* A group of a control, its round trip and ECN drawn. */
static struct scenario_group *add_group(struct scenario *scenario, const char *cc, uint64_t count,
					struct rng *rng)
{
	struct scenario_group *group = &scenario->groups[scenario->group_count++];
	const double rtt_ms = 2 * scenario->delay_ms;

	*group = (struct scenario_group){.count = count, .source_host = scenario->group_count};
	snprintf(group->cc, sizeof(group->cc), "%s", cc);
	group->rtt_ms = fmin(suite_round(rtt_ms * suite_draw(rng, &rtt_range)), SUITE_RTT_MOST_MS);
	group->rtt_ms = fmax(group->rtt_ms, rtt_ms);
	group->ecn = scenario_default_ecn(cc);
	if (group->ecn == ENDPOINT_ECN_CLASSIC && !suite_chance(rng, CLASSIC_ECN_SHARE))
		group->ecn = ENDPOINT_ECN_NONE;
	return group;
}

/* A start in the first half of the run or an end in the second. */
static void sample_coming(const struct scenario *scenario, struct scenario_group *group,
			  struct rng *rng)
{
	const double moment = round(rng_uniform(rng) * scenario->duration_s / 2);

	if (rng_below(rng, 2))
		group->start_s = moment;
	else
		group->stop_s = scenario->duration_s - moment;
}

/*
 * Flows that always have data: the first group is there throughout and responds to signals, or
 * nothing would fill the queue; the second one is of the other class where there are both.
 */
static void sample_bulk(struct scenario *scenario, uint64_t flows, struct rng *rng)
{
	const uint64_t most = flows < MAX_GROUPS ? flows : MAX_GROUPS;
	const bool both = suite_chance(rng, BOTH_SHARE);
	const uint64_t least = both && most > 1 ? 2 : 1;
	const uint64_t groups = least + rng_below(rng, most - least + 1);
	const bool l4s_first = rng_below(rng, 2);
	uint64_t left = flows - groups;

	for (uint64_t i = 0; i < groups; i++) {
		const bool l4s = !both || i == 0 ? l4s_first
				 : i == 1        ? !l4s_first
						 : rng_below(rng, 2) > 0;
		const uint64_t more = i + 1 == groups ? left : rng_below(rng, left + 1);
		struct scenario_group *group;
		const char *cc;

		do
			cc = choose_control(rng, l4s);
		while (i == 0 && strcmp(cc, "udp") == 0);
		left -= more;
		group = add_group(scenario, cc, 1 + more, rng);
		if (strcmp(cc, "udp") == 0) {
			group->count = 1;
			group->rate_mbps =
				suite_round(scenario->rate_mbps * suite_draw(rng, &udp_range));
		}
		if (i > 0 && suite_chance(rng, COMING_SHARE))
			sample_coming(scenario, group, rng);
	}
}

/* Sets a parameter of the group's application, which has one of this name. */
static void set(struct scenario_group *group, const char *name, double value)
{
	unsigned index = 0;

	app_param_find(&group->app, name, &index);
	group->app.values[index] = value;
}

static void set_web(struct scenario *scenario, struct scenario_group *group, struct rng *rng)
{
	(void)scenario;
	set(group, "main_kb", 50);
	set(group, "object_kb", suite_draw(rng, &object_range));
	set(group, "object_cv", 3);
	set(group, "think_s", suite_draw(rng, &think_range));
}

static void set_transfers(struct scenario *scenario, struct scenario_group *group, struct rng *rng)
{
	const double size_kb = suite_draw(rng, &size_range);
	const double load = suite_draw(rng, &load_range);

	set(group, "size_kb", size_kb);
	set(group, "sizes", app_word_find(app_param_find(&group->app, "sizes", &(unsigned){0}),
					  "pareto"));
	set(group, "most_kb", 50 * size_kb);
	set(group, "per_s", suite_round(load * scenario->rate_mbps * 1e6 / (8e3 * size_kb)));
}

static void set_onoff(struct scenario *scenario, struct scenario_group *group, struct rng *rng)
{
	set(group, "rate_mbps", suite_round(scenario->rate_mbps * suite_draw(rng, &load_range)));
}

static void set_gaming(struct scenario *scenario, struct scenario_group *group, struct rng *rng)
{
	(void)scenario;
	if (suite_chance(rng, GAMING_L4S_SHARE))
		group->ecn = ENDPOINT_ECN_ECT1;
}

static void sample_application(struct scenario *scenario, const struct application *application,
			       struct rng *rng)
{
	const char *cc = application->over[rng_below(rng, COUNT(application->over))];
	struct scenario_group *group =
		add_group(scenario, cc, 1 + rng_below(rng, application->most), rng);

	app_choose(&group->app, application->name);
	if (application->set)
		application->set(scenario, group, rng);
}

void suite_sample_traffic(struct scenario *scenario, struct rng *rng)
{
	const double room = floor(least_rate(scenario) / FLOW_LEAST_MBPS);
	double flows = fmin(floor(suite_draw(rng, &flows_range)), room);
	const bool may = suite_chance(rng, ON_TOP_SHARE);
	bool on_top[COUNT(applications)];
	unsigned most = 0;

	for (size_t i = 0; i < COUNT(applications); i++) {
		on_top[i] = may && suite_chance(rng, applications[i].share);
		most += on_top[i] ? applications[i].most : 0;
	}
	flows = fmin(flows, SUITE_FLOWS_MOST - most);
	sample_bulk(scenario, (uint64_t)flows, rng);
	for (size_t i = 0; i < COUNT(applications); i++)
		if (on_top[i])
			sample_application(scenario, &applications[i], rng);
}

static void describe_controls(FILE *out, bool l4s)
{
	const char *before = "";

	fprintf(out, "    %-56s ", l4s ? "control of a group, L4S" : "control of a group, Classic");
	for (size_t i = 0; i < COUNT(controls); i++) {
		if (controls[i].l4s != l4s)
			continue;
		fprintf(out, "%s%s %g %%", before, controls[i].cc, 100 * controls[i].share);
		before = ", ";
	}
	fputc('\n', out);
}

void suite_describe_traffic(FILE *out)
{
	fprintf(out,
		"\nTraffic: %d to %d flows in all. %.0f %% of networks have L4S and Classic flows "
		"(where\n  there are two flows), the others one of them. Long-lived flows come in "
		"1 to %d groups\n  alike; of each there is at least %g Mbit/s (udp: one flow).\n",
		1, SUITE_FLOWS_MOST, 100 * BOTH_SHARE, MAX_GROUPS, FLOW_LEAST_MBPS);
	suite_describe_range(out, &flows_range);
	describe_controls(out, false);
	describe_controls(out, true);
	fprintf(out, "    %-56s half of Classic flows, half none; others their own\n", "ECN");
	suite_describe_range(out, &rtt_range);
	fprintf(out, "    %-56s %d ms at most\n", "", SUITE_RTT_MOST_MS);
	suite_describe_range(out, &udp_range);
	fprintf(out, "    %-56s %.0f %% of groups but the first\n", "come later or go earlier",
		100 * COMING_SHARE);
	fprintf(out,
		"  Applications on top of %.0f %% of networks: in so many of these, so many at "
		"most\n",
		100 * ON_TOP_SHARE);
	for (size_t i = 0; i < COUNT(applications); i++) {
		const struct application *app = &applications[i];

		fprintf(out, "    %-10s %3.0f %%, %2u, over %s", app->name, 100 * app->share,
			app->most, app->over[0]);
		for (size_t k = 1; k < COUNT(app->over); k++)
			if (strcmp(app->over[k], app->over[0]) != 0)
				fprintf(out, ", %s", app->over[k]);
		fputc('\n', out);
	}
	fprintf(out, "    half of those who play mark their packets ECT(1)\n");
	suite_describe_range(out, &think_range);
	suite_describe_range(out, &object_range);
	suite_describe_range(out, &size_range);
	suite_describe_range(out, &load_range);
}
