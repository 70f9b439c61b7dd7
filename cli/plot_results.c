/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures of many runs: of every metric, means of laws with their intervals,
 * and boxes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/plot.h"
#include "report/results.h"

#define MAX_LAWS FIGURE_MAX_SERIES

/* How metrics are told; those of the overview first, in its order. */
static const struct metric {
	const char *name, *label;
	bool overview;
} known[] = {
	{"c_qdelay_ms_mean", "queue delay of C, mean, ms", true},
	{"c_qdelay_ms_p99", "queue delay of C, p99, ms", true},
	{"l_qdelay_ms_mean", "queue delay of L, mean, ms", true},
	{"l_qdelay_ms_p99", "queue delay of L, p99, ms", true},
	{"utilisation", "utilisation", true},
	{"rtt_ms_mean", "round trip, mean, ms", true},
	{"qdelay_ms_mean", "queue delay, mean, ms", false},
	{"qdelay_ms_p50", "queue delay, median, ms", false},
	{"qdelay_ms_p99", "queue delay, p99, ms", false},
	{"goodput_mbps", "goodput of all flows, Mbit/s", false},
	{"jain", "Jain's index of flows", false},
	{"mark_percent", "packets marked, %", false},
	{"drop_percent", "packets dropped, %", false},
};

#define KNOWN (sizeof(known) / sizeof(known[0]))

struct chosen {
	struct plot *plot;
	const struct results *results;
	const char *scenario;         /* NULL: all */
	const char *laws[MAX_LAWS];
	size_t law_count;
	double *values;               /* room for one law's */
};

static bool is_meant(const struct chosen *chosen, const struct result_row *row)
{
	return chosen->scenario == NULL || strcmp(chosen->scenario, row->scenario) == 0;
}

static void find_laws(struct chosen *chosen)
{
	for (size_t i = 0; i < chosen->results->count; i++) {
		const struct result_row *row = &chosen->results->rows[i];
		size_t known_law = 0;

		if (!is_meant(chosen, row))
			continue;
		while (known_law < chosen->law_count &&
		       strcmp(chosen->laws[known_law], row->aqm) != 0)
			known_law++;
		if (known_law == chosen->law_count && chosen->law_count < MAX_LAWS)
			chosen->laws[chosen->law_count++] = row->aqm;
	}
}

/* Finite values of a law's metric; their number. */
static size_t gather(struct chosen *chosen, const char *law, const char *metric)
{
	size_t count = 0;

	for (size_t i = 0; i < chosen->results->count; i++) {
		const struct result_row *row = &chosen->results->rows[i];

		if (is_meant(chosen, row) && isfinite(row->value) &&
		    strcmp(row->aqm, law) == 0 && strcmp(row->metric, metric) == 0)
			chosen->values[count++] = row->value;
	}
	return count;
}

static int add_figure(struct chosen *chosen, const char *metric, const char *label, bool overview,
		      bool boxes)
{
	struct arena *arena = &chosen->plot->arena;
	char text[256]; /* a file cannot have more */
	struct figure *figure;
	bool any = false;

	snprintf(text, sizeof(text), "%s%s", metric, boxes ? "-box" : "");
	figure = plot_add(chosen->plot, arena_strdup(arena, text), overview && !boxes);
	if (figure == NULL)
		return ERR_NO_MEMORY;
	figure->kind = boxes ? FIGURE_BOXES : FIGURE_BARS;
	figure->title = label;
	figure->y_label = label;
	/* Of a share, where it can be at most. */
	if (strcmp(metric, "utilisation") == 0 || strcmp(metric, "jain") == 0)
		figure->y_high = 1;
	for (size_t law = 0; law < chosen->law_count; law++) {
		const size_t count = gather(chosen, chosen->laws[law], metric);
		struct figure_series *series =
			plot_series(figure, arena_strdup(arena, chosen->laws[law]));

		/* A law without the metric (no L queue) keeps its place. */
		series->box = statistics_box(chosen->values, count);
		series->bar = count ? statistics_interval(chosen->values, count)
				    : (struct interval){NAN, NAN, 0};
		any |= count > 0;
	}
	if (!any) {
		chosen->plot->count--;
		chosen->plot->overview_count -= overview && !boxes;
	}
	return 0;
}

static int add_metric(struct chosen *chosen, const char *name)
{
	const struct metric *metric = NULL;
	const char *label;
	int code;

	for (size_t k = 0; k < KNOWN; k++)
		if (strcmp(known[k].name, name) == 0)
			metric = &known[k];
	label = metric ? metric->label : arena_strdup(&chosen->plot->arena, name);
	code = add_figure(chosen, name, label, metric && metric->overview, false);
	return code ? code : add_figure(chosen, name, label, false, true);
}

/* Known metrics in their order, then the others as they come, each once. */
static int add_metrics(struct chosen *chosen)
{
	const struct results *results = chosen->results;
	const char *others[PLOT_FIGURES_MAX];
	size_t count = 0;
	int code = 0;

	for (size_t k = 0; code == 0 && k < KNOWN; k++)
		code = add_metric(chosen, known[k].name);
	for (size_t i = 0; code == 0 && i < results->count; i++) {
		const char *metric = results->rows[i].metric;
		bool seen = false;

		for (size_t k = 0; k < KNOWN; k++)
			seen |= strcmp(known[k].name, metric) == 0;
		for (size_t o = 0; o < count; o++)
			seen |= strcmp(others[o], metric) == 0;
		if (seen)
			continue;
		if (count == PLOT_FIGURES_MAX)
			return ERR_NO_MEMORY;
		others[count++] = metric;
		code = add_metric(chosen, metric);
	}
	return code;
}

static const char *title_of(struct chosen *chosen)
{
	const struct results *results = chosen->results;
	const char *first = results->count ? results->rows[0].scenario : "";
	char title[200];

	if (chosen->scenario)
		first = chosen->scenario;
	for (size_t i = 0; i < results->count; i++)
		if (!chosen->scenario && strcmp(results->rows[i].scenario, first) != 0)
			first = "all scenarios";
	snprintf(title, sizeof(title), "%s: means over runs with 95 %% intervals, boxes of medians "
		 "and quartiles", first);
	return arena_strdup(&chosen->plot->arena, title);
}

int plot_read_results(struct plot *plot, const char *path, const char *scenario,
		      struct error *error)
{
	struct results results;
	struct chosen chosen = {.plot = plot, .results = &results, .scenario = scenario};
	int code;

	results_init(&results);
	code = results_read_csv(&results, path, error);
	if (code == 0) {
		find_laws(&chosen);
		if (chosen.law_count == 0)
			code = error_at(error, ERR_INVALID, path, 0, scenario, "%s",
					scenario ? "is no scenario of these results"
						 : "has no results");
	}
	if (code == 0) {
		chosen.values = arena_calloc(&plot->arena, results.count, sizeof(*chosen.values));
		plot->title = title_of(&chosen);
		code = chosen.values ? add_metrics(&chosen) : ERR_NO_MEMORY;
		if (code)
			error_set(error, code, "out of memory for figures, or over %d of them",
				  PLOT_FIGURES_MAX);
	}
	results_free(&results);
	return code;
}
