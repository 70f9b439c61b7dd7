/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many networks of a sample have what: a table.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/app.h"
#include "sim/suite.h"
#include "sim/suite_parts.h"

static bool has_cc(const struct scenario *scenario, const char *cc)
{
	for (uint64_t i = 0; i < scenario->group_count; i++)
		if (strcmp(scenario->groups[i].cc, cc) == 0 && scenario->groups[i].app.ops == NULL)
			return true;
	return false;
}

static bool has_app(const struct scenario *scenario, const char *name)
{
	for (uint64_t i = 0; i < scenario->group_count; i++)
		if (scenario->groups[i].app.ops &&
		    strcmp(scenario->groups[i].app.ops->name, name) == 0)
			return true;
	return false;
}

static bool has_class(const struct scenario *scenario, bool l4s)
{
	for (uint64_t i = 0; i < scenario->group_count; i++)
		if (suite_is_bulk(&scenario->groups[i]) &&
		    suite_is_l4s(&scenario->groups[i]) == l4s)
			return true;
	return false;
}

static const char *link_of(const struct scenario *scenario)
{
	if (scenario->step_count)
		return "rate steps";
	if (scenario->rate_kind != RATE_NONE)
		return scenario->rate_kind == RATE_LTE    ? "lte"
		       : scenario->rate_kind == RATE_WIFI ? "wifi"
							  : "satellite";
	if (scenario->handover.every_s > 0)
		return "handover";
	return scenario->aggregation.packets ? "aggregates" : "steady";
}

static const char *impairment_of(const struct scenario *scenario)
{
	const struct impairments *plan = &scenario->impairments;

	return plan->loss_percent > 0          ? "loss"
	       : plan->burst.enter_percent > 0 ? "bursts of losses"
	       : plan->jitter_ms > 0           ? "jitter"
	       : plan->reorder_percent > 0     ? "reordering"
					       : "none";
}

static const char *traffic_of(const struct scenario *scenario)
{
	const bool l4s = has_class(scenario, true), classic = has_class(scenario, false);

	return l4s && classic ? "L4S and Classic" : l4s ? "L4S alone" : "Classic alone";
}

static const char *way_back_of(const struct scenario *scenario)
{
	return scenario->ack_path.given ? "narrow" : "ample";
}

static const char *law_of(const struct scenario *scenario)
{
	return scenario->aqm;
}

static double rate_of(const struct scenario *scenario)
{
	return scenario->rate_mbps;
}

static double rtt_of(const struct scenario *scenario)
{
	return 2 * scenario->delay_ms;
}

static double flows_of(const struct scenario *scenario)
{
	return (double)scenario_flows(scenario);
}

#define WORDS 8

/* One line of the table: a number in bands, a word of each network, or what it may have. */
static const struct line {
	const char *what;
	double (*number)(const struct scenario *scenario);
	double edges[WORDS]; /* of the bands */
	const char *(*word)(const struct scenario *scenario);
	bool (*has)(const struct scenario *scenario, const char *word);
	const char *words[WORDS]; /* ends with NULL */
} lines[] = {
	{.what = "rate, Mbit/s", .number = rate_of, .edges = {4, 12, 40, 120, 400, 1001},
	 .words = {"4-12", "12-40", "40-120", "120-400", "400-1000"}},
	{.what = "bottleneck round trip, ms", .number = rtt_of, .edges = {2, 6, 20, 60, 201},
	 .words = {"2-6", "6-20", "20-60", "60-200"}},
	{.what = "flows", .number = flows_of, .edges = {1, 2, 5, 16, 51, 101},
	 .words = {"1", "2-4", "5-15", "16-50", "51-100"}},
	{.what = "link", .word = link_of,
	 .words = {"steady", "rate steps", "lte", "wifi", "aggregates", "satellite", "handover"}},
	{.what = "long-lived flows", .word = traffic_of,
	 .words = {"L4S and Classic", "Classic alone", "L4S alone"}},
	{.what = "with long-lived", .has = has_cc,
	 .words = {"cubic", "newreno", "bbr", "prague", "dctcp", "udp_prague", "udp"}},
	{.what = "with applications", .has = has_app,
	 .words = {"web", "video", "transfers", "voice", "gaming", "onoff"}},
	{.what = "impairments", .word = impairment_of,
	 .words = {"none", "loss", "bursts of losses", "jitter", "reordering"}},
	{.what = "way back", .word = way_back_of, .words = {"ample", "narrow"}},
	{.what = "own law", .word = law_of,
	 .words = {"dualpi2", "pie", "pi2", "codel", "cobalt", "fq_codel", "l4s-freebsd"}},
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

struct tally {
	uint64_t counts[LINES][WORDS];
};

static bool falls_into(const struct line *line, const struct scenario *scenario, int cell)
{
	if (line->number)
		return line->number(scenario) >= line->edges[cell] &&
		       line->number(scenario) < line->edges[cell + 1];
	if (line->word)
		return strcmp(line->word(scenario), line->words[cell]) == 0;
	return line->has(scenario, line->words[cell]);
}

static void count(struct tally *tally, const struct scenario *scenario)
{
	for (size_t i = 0; i < LINES; i++)
		for (int cell = 0; lines[i].words[cell]; cell++)
			tally->counts[i][cell] += falls_into(&lines[i], scenario, cell);
}

static void print_line(FILE *out, const struct line *line, const uint64_t *counts)
{
	fprintf(out, "  %-27s", line->what);
	for (int cell = 0; line->words[cell]; cell++)
		fprintf(out, "%s%s: %" PRIu64, cell ? ", " : "", line->words[cell], counts[cell]);
	fputc('\n', out);
}

char *suite_cover(const struct suite *suite, uint64_t seed, uint64_t networks)
{
	struct scenario *scenario = malloc(sizeof(*scenario));
	struct tally tally = {0};
	char *text = NULL;
	size_t size;
	FILE *out = scenario ? open_memstream(&text, &size) : NULL;

	if (out == NULL) {
		free(scenario);
		return NULL;
	}
	for (uint64_t i = 0; i < networks; i++) {
		suite_sample(suite, seed, i, scenario);
		count(&tally, scenario);
		scenario_free(scenario);
	}
	free(scenario);
	fprintf(out, "Of %" PRIu64 " networks of %s, seed %" PRIu64 ", so many have\n", networks,
		suite->name, seed);
	for (size_t i = 0; i < LINES; i++)
		print_line(out, &lines[i], tally.counts[i]);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
