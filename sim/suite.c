/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sampling by rejection: a network whose cells lie on the other side, or
 * astride, is drawn again.
 *
 * A cell is half an octave of rate by half an octave of one-way delay; a hash
 * of its two numbers gives one in five to `heldout`.  The cells of published
 * networks are held out by name, so that policies trained on `train` have not
 * seen their like either.
 */
#include "sim/suite.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

#define DURATION_S 40.0
#define WARMUP_S 10.0
#define HELD_OUT_ONE_IN 5
#define STEPS_SHARE 0.25 /* of networks whose rate changes */
#define MAX_STEPS 3
#define COMING_SHARE 0.3 /* of groups that come or go during the run */
#define CLASSIC_ECN_SHARE 0.5
#define MAX_GROUPS 4
#define MAX_GROUP_FLOWS 3

const struct suite suites[] = {
	{"train", "networks to learn from", SUITE_TRAIN},
	{"heldout", "networks of the same kind that `train` never has", SUITE_HELDOUT},
	{0},
};

/* What is drawn log-uniformly, and rounded to three digits. */
static const struct range {
	const char *what;
	double low, high;
} rate_range = {"bottleneck rate, Mbit/s", 2, 200},
  delay_range = {"bottleneck delay one way, ms", 2.5, 100},
  rtt_range = {"a group's base round trip, in bottleneck round trips", 1, 2},
  target_range = {"the law's target, ms", 2, 30},
  step_range = {"rate after a step, in initial rates", 0.25, 2},
  udp_range = {"rate of unresponsive traffic, in bottleneck rates", 0.05, 0.4};

/* How often a group of flows has each control. */
static const struct {
	const char *cc;
	double weight;
} controls[] = {
	{"cubic", 0.30}, {"newreno", 0.12},    {"prague", 0.28},
	{"dctcp", 0.14}, {"udp_prague", 0.06}, {"udp", 0.10},
};

/* Laws, equally often, and the settings that make them differ; the target is added to each. */
static const struct {
	const char *aqm, *settings[2];
} laws[] = {
	{"dualpi2", {"profile=linux", "min_qlen_step=1"}},
	{"dualpi2", {"profile=rfc9332", "min_qlen_step=1"}},
	{"dualpi2", {"drop_early=1", "min_qlen_step=1"}},
	{"pie", {NULL, NULL}},
	{"codel", {NULL, NULL}},
	{"fq_codel", {NULL, NULL}},
	{"l4s-freebsd", {"hz=1000", NULL}},
};

/* Networks whose figures are published: rate and one-way delay. */
static const struct {
	double rate_mbps, delay_ms;
	const char *where;
} published[] = {
	{8, 10, "the paper's testbed"},
	{40, 10, "room"},
	{40, 50, "room"},
	{12, 10, "room"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct suite *suite_find(const char *name)
{
	for (const struct suite *suite = suites; suite->name; suite++)
		if (strcmp(suite->name, name) == 0)
			return suite;
	return NULL;
}

struct cell {
	int64_t rate, delay;
};

static struct cell cell_of(double rate_mbps, double delay_ms)
{
	return (struct cell){
		.rate = (int64_t)floor(2 * log2(rate_mbps)),
		.delay = (int64_t)floor(2 * log2(fmax(delay_ms, 1e-3))),
	};
}

static enum suite_side side_of_cell(struct cell cell)
{
	struct rng hash, root;

	for (size_t i = 0; i < COUNT(published); i++) {
		const struct cell other = cell_of(published[i].rate_mbps, published[i].delay_ms);

		if (other.rate == cell.rate && other.delay == cell.delay)
			return SUITE_HELDOUT;
	}
	rng_seed(&root, (uint64_t)cell.rate);
	hash = rng_split(&root, (uint64_t)cell.delay);
	return rng_below(&hash, HELD_OUT_ONE_IN) == 0 ? SUITE_HELDOUT : SUITE_TRAIN;
}

enum suite_side suite_side_of(const struct scenario *scenario)
{
	enum suite_side side = side_of_cell(cell_of(scenario->rate_mbps, scenario->delay_ms));

	for (uint64_t i = 0; i < scenario->step_count; i++)
		if (side_of_cell(cell_of(scenario->steps[i].rate_mbps, scenario->delay_ms)) != side)
			return SUITE_BOTH;
	return side;
}

static double round_digits(double value)
{
	const double unit = pow(10, floor(log10(value)) - 2);

	return unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit);
}

static double draw(struct rng *rng, struct range range)
{
	return round_digits(range.low * exp(rng_uniform(rng) * log(range.high / range.low)));
}

static void add_param(struct scenario *scenario, const char *text)
{
	snprintf(scenario->params[scenario->param_count++], sizeof(scenario->params[0]), "%s",
		 text);
}

static void sample_law(struct scenario *scenario, struct rng *rng)
{
	const uint64_t law = rng_below(rng, COUNT(laws));
	char target[32];

	snprintf(scenario->aqm, sizeof(scenario->aqm), "%s", laws[law].aqm);
	for (size_t i = 0; i < COUNT(laws[law].settings) && laws[law].settings[i]; i++)
		add_param(scenario, laws[law].settings[i]);
	snprintf(target, sizeof(target), "target_ms=%g", draw(rng, target_range));
	add_param(scenario, target);
}

static const char *sample_control(struct rng *rng)
{
	double left = rng_uniform(rng);

	for (size_t i = 0; i + 1 < COUNT(controls); i++) {
		left -= controls[i].weight;
		if (left < 0)
			return controls[i].cc;
	}
	return controls[COUNT(controls) - 1].cc;
}

static bool is_udp(const char *cc)
{
	return strcmp(cc, "udp") == 0;
}

/* A start in the first half of the run or an end in the second. */
static void sample_coming(struct scenario_group *group, struct rng *rng)
{
	const double moment = round(rng_uniform(rng) * DURATION_S / 2);

	if (rng_below(rng, 2))
		group->start_s = moment;
	else
		group->stop_s = DURATION_S - moment;
}

/* The first group is there throughout and responds to signals, or nothing would fill the queue. */
static void sample_group(struct scenario *scenario, struct rng *rng, bool first)
{
	struct scenario_group *group = &scenario->groups[scenario->group_count++];
	const char *cc;

	do
		cc = sample_control(rng);
	while (first && is_udp(cc));
	*group = (struct scenario_group){.count = 1 + rng_below(rng, MAX_GROUP_FLOWS)};
	snprintf(group->cc, sizeof(group->cc), "%s", cc);
	group->rtt_ms = fmax(round_digits(2 * scenario->delay_ms * draw(rng, rtt_range)),
			     2 * scenario->delay_ms);
	group->ecn = scenario_default_ecn(cc);
	if (group->ecn == ENDPOINT_ECN_CLASSIC && rng_uniform(rng) >= CLASSIC_ECN_SHARE)
		group->ecn = ENDPOINT_ECN_NONE;
	if (is_udp(cc)) {
		group->count = 1;
		group->rate_mbps = round_digits(scenario->rate_mbps * draw(rng, udp_range));
	}
	if (!first && rng_uniform(rng) < COMING_SHARE)
		sample_coming(group, rng);
}

/* Steps at whole seconds after warm-up, one in each of equal parts of the rest. */
static void sample_steps(struct scenario *scenario, struct rng *rng)
{
	double part;

	if (rng_uniform(rng) >= STEPS_SHARE)
		return;
	scenario->step_count = 1 + rng_below(rng, MAX_STEPS);
	part = (DURATION_S - WARMUP_S) / (double)scenario->step_count;
	for (uint64_t i = 0; i < scenario->step_count; i++)
		scenario->steps[i] = (struct scenario_step){
			.at_s = floor(WARMUP_S + part * ((double)i + 0.8 * rng_uniform(rng))) + 1,
			.rate_mbps = round_digits(scenario->rate_mbps * draw(rng, step_range)),
		};
}

static void sample_network(struct scenario *scenario, struct rng *rng)
{
	uint64_t groups;

	scenario_init(scenario);
	scenario->duration_s = DURATION_S;
	scenario->warmup_s = WARMUP_S;
	scenario->rate_mbps = draw(rng, rate_range);
	scenario->delay_ms = draw(rng, delay_range);
	sample_steps(scenario, rng);
	sample_law(scenario, rng);
	groups = 1 + rng_below(rng, MAX_GROUPS);
	for (uint64_t i = 0; i < groups; i++)
		sample_group(scenario, rng, i == 0);
}

void suite_sample(const struct suite *suite, uint64_t seed, uint64_t index,
		  struct scenario *scenario)
{
	struct digest digest;
	struct rng root, rng;

	rng_seed(&root, seed);
	root = rng_split(&root, (uint64_t)suite->side);
	rng = rng_split(&root, index);
	do
		sample_network(scenario, &rng);
	while (suite_side_of(scenario) != suite->side);
	snprintf(scenario->name, sizeof(scenario->name), "%s-%" PRIu64 "-%06" PRIu64, suite->name,
		 seed, index);
	digest_init(&digest);
	digest_add(&digest, scenario->name, strlen(scenario->name));
	digest_end(&digest, scenario->content);
}

static void describe_range(FILE *out, struct range range)
{
	fprintf(out, "  %-54s %g to %g, log-uniform\n", range.what, range.low, range.high);
}

static void describe_network(FILE *out)
{
	describe_range(out, rate_range);
	describe_range(out, delay_range);
	fprintf(out, "  %-54s %g %% of networks: 1 to %d steps after warm-up\n", "rate steps",
		100 * STEPS_SHARE, MAX_STEPS);
	describe_range(out, step_range);
	fprintf(out, "  %-54s one of these, equally often:\n", "law");
	for (size_t i = 0; i < COUNT(laws); i++)
		fprintf(out, "      %s %s %s\n", laws[i].aqm,
			laws[i].settings[0] ? laws[i].settings[0] : "",
			laws[i].settings[1] ? laws[i].settings[1] : "");
	describe_range(out, target_range);
	fprintf(out, "  %-54s %g s, the first %g s left out of statistics\n", "duration",
		DURATION_S, WARMUP_S);
}

static void describe_flows(FILE *out)
{
	fprintf(out, "  %-54s 1 to %d, each of 1 to %d flows alike (udp: 1)\n", "groups of flows",
		MAX_GROUPS, MAX_GROUP_FLOWS);
	fprintf(out, "  %-54s", "a group's congestion control");
	for (size_t i = 0; i < COUNT(controls); i++)
		fprintf(out, "%s %s %g %%", i ? "," : "", controls[i].cc, 100 * controls[i].weight);
	fprintf(out, "\n  %-54s half of cubic and newreno classic, half none; others their own\n",
		"ECN");
	describe_range(out, rtt_range);
	describe_range(out, udp_range);
	fprintf(out, "  %-54s %g %% of groups but the first, which responds and stays throughout\n",
		"come later or go earlier", 100 * COMING_SHARE);
}

char *suite_describe(const struct suite *suite)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out == NULL)
		return NULL;
	fprintf(out, "%s: %s\n\n", suite->name, suite->summary);
	describe_network(out);
	describe_flows(out);
	fprintf(out,
		"\nCells of half an octave of rate by half an octave of delay belong to one suite: "
		"a hash of\nthe cell gives one in %d to heldout, and the cells of published "
		"networks are held out too:\n",
		HELD_OUT_ONE_IN);
	for (size_t i = 0; i < COUNT(published); i++)
		fprintf(out, "  %g Mbit/s, %g ms (%s)\n", published[i].rate_mbps,
			published[i].delay_ms, published[i].where);
	fprintf(out, "A network all of whose rates lie in cells of this suite is kept, any other "
		     "drawn again.\n");
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
