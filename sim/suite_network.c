/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links, impairments and laws of sampled networks, from tables that are also
 * what is told of them.
 */
#include <inttypes.h>
#include <math.h>

#include "sim/impair.h"
#include "sim/suite_parts.h"

#define MAX_STEPS 3
#define IMPAIRED_SHARE 0.3
#define ACK_PATH_SHARE 0.25
#define ACK_LOSS_SHARE 0.3
#define MOST_KEEP_EVERY 8

static void add_steps(struct scenario *scenario, struct rng *rng);
static void add_generated(struct scenario *scenario, struct rng *rng);
static void add_aggregation(struct scenario *scenario, struct rng *rng);
static void add_handover(struct scenario *scenario, struct rng *rng);

/* Kinds of links, their shares of all networks, and what is drawn for each. */
static const struct link {
	const char *name;
	double share;
	struct suite_range rate, delay; /* Mbit/s; ms one way */
	enum rate_kind generated;
	void (*add)(struct scenario *scenario, struct rng *rng);
} links[] = {
	{"steady", 0.35, {"", SUITE_RATE_LEAST, SUITE_RATE_MOST}, {"", 1, 100}, RATE_NONE, NULL},
	{"rate steps", 0.25, {"", SUITE_RATE_LEAST, SUITE_RATE_MOST}, {"", 1, 100}, RATE_NONE,
	 add_steps},
	{"lte", 0.12, {"", 4, 150}, {"", 5, 50}, RATE_LTE, add_generated},
	{"wifi", 0.08, {"", 10, 500}, {"", 1, 50}, RATE_WIFI, add_generated},
	{"aggregates", 0.08, {"", 20, SUITE_RATE_MOST}, {"", 1, 50}, RATE_NONE, add_aggregation},
	{"satellite", 0.06, {"", 10, 300}, {"", 10, 60}, RATE_SATELLITE, add_generated},
	{"handover", 0.06, {"", 10, 300}, {"", 10, 60}, RATE_NONE, add_handover},
};

static const struct suite_range step_range = {"rate after a step, in initial rates", 0.25, 2},
	gap_range = {"mean gap before an aggregate, ms", 0.2, 2},
	outage_range = {"outage at a handover, ms", 20, 150},
	spread_range = {"spread of rates over handovers, percent", 10, 50},
	delay_spread_range = {"spread of delays over handovers, ms", 1, 20},
	loss_range = {"packets lost, percent", 0.001, 0.5},
	enter_range = {"bursts of losses, percent of packets that begin one", 0.001, 0.05},
	leave_range = {"  percent that end one", 10, 50},
	jitter_range = {"jitter, ms, of data or of acknowledgements", 0.1, 5},
	reorder_range = {"packets overtaken, percent", 0.01, 2},
	reorder_ms_range = {"  by ms", 1, 20},
	ack_rate_range = {"rate of the way back, bottleneck rates by", 20, 120},
	ack_loss_range = {"acknowledgements lost, percent", 0.1, 3},
	target_range = {"the law's target, ms", 2, 30};

/* Laws, equally often, and the settings that make them differ; the target is added to each. */
static const struct law {
	const char *aqm, *settings[2];
	bool steady; /* only where nothing of the network changes or impairs */
} laws[] = {
	{"dualpi2", {"profile=linux", "min_qlen_step=1"}, false},
	{"dualpi2", {"profile=rfc9332", "min_qlen_step=1"}, false},
	{"dualpi2", {"drop_early=1", "min_qlen_step=1"}, false},
	{"pie", {NULL, NULL}, false},
	{"pi2", {NULL, NULL}, false},
	{"codel", {NULL, NULL}, false},
	{"cobalt", {NULL, NULL}, false},
	{"fq_codel", {NULL, NULL}, false},
	{"l4s-freebsd", {"hz=1000", NULL}, true},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

double suite_round(double value)
{
	const double unit = pow(10, floor(log10(value)) - 2);

	return unit >= 1 ? round(value / unit) * unit : round(value / unit) / round(1 / unit);
}

double suite_draw(struct rng *rng, const struct suite_range *range)
{
	return suite_round(range->low *
			   exp(rng_uniform(rng) * log(range->high / range->low)));
}

bool suite_chance(struct rng *rng, double share)
{
	return rng_uniform(rng) < share;
}

unsigned suite_link_kinds(void)
{
	return COUNT(links);
}

unsigned suite_choose_link(struct rng *rng)
{
	double left = rng_uniform(rng);
	unsigned kind = 0;

	while (kind + 1 < COUNT(links) && (left -= links[kind].share) >= 0)
		kind++;
	return kind;
}

/* Steps at whole seconds after warm-up, one in each of equal parts of the rest. */
static void add_steps(struct scenario *scenario, struct rng *rng)
{
	double part;

	scenario->step_count = 1 + rng_below(rng, MAX_STEPS);
	part = (scenario->duration_s - scenario->warmup_s) / (double)scenario->step_count;
	for (uint64_t i = 0; i < scenario->step_count; i++) {
		const double rate = suite_round(scenario->rate_mbps * suite_draw(rng, &step_range));

		scenario->steps[i] = (struct rate_step){
			.at_s = floor(scenario->warmup_s +
				      part * ((double)i + 0.7 * rng_uniform(rng))) + 1,
			.rate_mbps = fmin(fmax(rate, SUITE_RATE_LEAST), SUITE_RATE_MOST),
		};
	}
}

static void add_generated(struct scenario *scenario, struct rng *rng)
{
	(void)rng;
	scenario->rate_mean_mbps = scenario->rate_mbps;
}

/* Aggregates of up to 64 packets in turns of 1 to 5 ms. */
static void add_aggregation(struct scenario *scenario, struct rng *rng)
{
	scenario->aggregation = (struct aggregation_plan){
		.packets = 8 << rng_below(rng, 4),
		.txop_ms = 1 + (double)rng_below(rng, 5),
		.gap_ms = suite_draw(rng, &gap_range),
	};
}

static void add_handover(struct scenario *scenario, struct rng *rng)
{
	scenario->handover = (struct handover_plan){
		.every_s = 5 + (double)rng_below(rng, 11),
		.outage_ms = suite_draw(rng, &outage_range),
		.rate_spread_percent = suite_draw(rng, &spread_range),
		.delay_spread_ms = suite_draw(rng, &delay_spread_range),
	};
}

void suite_sample_link(struct scenario *scenario, unsigned kind, struct rng *rng)
{
	const struct link *link = &links[kind];

	scenario->rate_mbps = suite_draw(rng, &link->rate);
	scenario->delay_ms = suite_draw(rng, &link->delay);
	scenario->rate_kind = link->generated;
	if (link->add)
		link->add(scenario, rng);
}

static void impair(struct impairments *plan, struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		plan->loss_percent = suite_draw(rng, &loss_range);
		break;
	case 1:
		plan->burst = (struct loss_burst_plan){
			.enter_percent = suite_draw(rng, &enter_range),
			.leave_percent = suite_draw(rng, &leave_range),
			.loss_percent = 100,
		};
		break;
	case 2:
		plan->jitter_ms = suite_draw(rng, &jitter_range);
		break;
	default:
		plan->reorder_percent = suite_draw(rng, &reorder_range);
		plan->reorder_ms = suite_draw(rng, &reorder_ms_range);
	}
}

/* Narrow, and one in `keep_every` let through. */
static void add_ack_path(struct scenario *scenario, struct rng *rng)
{
	scenario->ack_path = (struct ack_path_plan){
		.given = true,
		.rate_mbps = suite_round(scenario->rate_mbps / suite_draw(rng, &ack_rate_range)),
		.limit_packets = 100,
		.keep_every = 1 + rng_below(rng, MOST_KEEP_EVERY),
		.hold_ms = 10,
	};
	if (suite_chance(rng, ACK_LOSS_SHARE))
		scenario->ack_path.loss_percent = suite_draw(rng, &ack_loss_range);
}

void suite_sample_impairments(struct scenario *scenario, struct rng *rng)
{
	if (suite_chance(rng, IMPAIRED_SHARE))
		impair(&scenario->impairments, rng);
	if (suite_chance(rng, ACK_PATH_SHARE))
		add_ack_path(scenario, rng);
}

/* As scenario_init() leaves it but for its rate and delay. */
static bool is_plain(const struct scenario *scenario)
{
	return scenario->step_count == 0 && scenario->rate_kind == RATE_NONE &&
	       scenario->handover.every_s == 0 && scenario->aggregation.packets == 0 &&
	       !scenario->ack_path.given &&
	       !impairments_any(&scenario->impairments);
}

static void add_param(struct scenario *scenario, const char *text)
{
	snprintf(scenario->params[scenario->param_count++], sizeof(scenario->params[0]), "%s",
		 text);
}

void suite_sample_law(struct scenario *scenario, struct rng *rng)
{
	const struct law *law;
	char target[32];

	do
		law = &laws[rng_below(rng, COUNT(laws))];
	while (law->steady && !is_plain(scenario));
	snprintf(scenario->aqm, sizeof(scenario->aqm), "%s", law->aqm);
	for (size_t i = 0; i < COUNT(law->settings) && law->settings[i]; i++)
		add_param(scenario, law->settings[i]);
	snprintf(target, sizeof(target), "target_ms=%g", suite_draw(rng, &target_range));
	add_param(scenario, target);
}

void suite_describe_range(FILE *out, const struct suite_range *range)
{
	fprintf(out, "    %-56s %g to %g, log-uniform\n", range->what, range->low, range->high);
}

static void describe_links(FILE *out)
{
	fputs("Link                 of networks   rate, Mbit/s   delay one way, ms (log-uniform)\n",
	      out);
	for (size_t i = 0; i < COUNT(links); i++)
		fprintf(out, "  %-18s %9.0f %%   %5g to %-5g  %5g to %g\n", links[i].name,
			100 * links[i].share, links[i].rate.low, links[i].rate.high,
			links[i].delay.low, links[i].delay.high);
	fprintf(out,
		"  of lte, wifi and satellite (rate_generated) the rate is the mean; steps: 1 to "
		"%d\n  after warm-up, from %d to %d Mbit/s; aggregates of 8 to 64 packets, in "
		"turns of 1 to\n  5 ms; handovers every 5 to 15 s\n",
		MAX_STEPS, SUITE_RATE_LEAST, SUITE_RATE_MOST);
	suite_describe_range(out, &step_range);
	suite_describe_range(out, &gap_range);
	suite_describe_range(out, &outage_range);
	suite_describe_range(out, &spread_range);
	suite_describe_range(out, &delay_spread_range);
}

static void describe_impairments(FILE *out)
{
	fprintf(out, "\nImpairments: %.0f %% of networks have one of four, equally often\n",
		100 * IMPAIRED_SHARE);
	suite_describe_range(out, &loss_range);
	suite_describe_range(out, &enter_range);
	suite_describe_range(out, &leave_range);
	suite_describe_range(out, &jitter_range);
	suite_describe_range(out, &reorder_range);
	suite_describe_range(out, &reorder_ms_range);
	fprintf(out,
		"  %.0f %% have a narrow way back (a FIFO of 100 packets; of 1 to %d "
		"acknowledgements one is kept;\n  %.0f %% of them lossy)\n",
		100 * ACK_PATH_SHARE, MOST_KEEP_EVERY, 100 * ACK_LOSS_SHARE);
	suite_describe_range(out, &ack_rate_range);
	suite_describe_range(out, &ack_loss_range);
}

void suite_describe_network(FILE *out)
{
	describe_links(out);
	describe_impairments(out);
	fputs("\nLaw: one of these, equally often\n", out);
	for (size_t i = 0; i < COUNT(laws); i++)
		fprintf(out, "    %s %s %s%s\n", laws[i].aqm,
			laws[i].settings[0] ? laws[i].settings[0] : "",
			laws[i].settings[1] ? laws[i].settings[1] : "",
			laws[i].steady ? " (steady links without impairments only)" : "");
	suite_describe_range(out, &target_range);
}
