/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Comparisons on a page: claims, medians by group, what is worse, and two kinds
 * of picture: every network's value in ascending order, and where in the plane of
 * rate and round trip an arm gains or loses.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/trial_pairs_tell.h"
#include "report/figure.h"

/* What the sections are made of. */
struct telling {
	struct html *html;
	const struct trial_pairs *pairs;
	const char *figures;
	bool *without_pictures;
	double *memory; /* (2 x FIGURE_MAX_SERIES, scenarios) */
};

static const char *arm_name(const struct telling *telling, size_t arm)
{
	return telling->pairs->trial->arms[arm].name;
}

static void put_claims(const struct telling *telling, const struct trial_pairing *pairing)
{
	static const char *const columns[] = {"claim", "asked", "measured, 95 % interval",
					      "networks", "verdict"};
	char caption[300];

	snprintf(caption, sizeof(caption), "%s beside %s, networks from %d Mbit/s.",
		 arm_name(telling, pairing->arm), arm_name(telling, pairing->baseline),
		 TRIAL_LOW_MBPS);
	html_table_begin(telling->html, caption, columns, 5);
	for (int claim = 0; claim < TRIAL_CLAIMS; claim++) {
		const struct trial_claim_result *result = &pairing->claims[claim];
		char value[TRIAL_PAIRS_CELL], count[32];
		const char *cells[] = {trial_claim_text((enum trial_claim)claim),
				       trial_claim_asked((enum trial_claim)claim),
				       trial_pairs_cell(value, &result->estimate), count,
				       trial_verdict_label(result->verdict)};

		if (claim == TRIAL_CLAIM_worse && result->estimate.count)
			snprintf(value, sizeof(value), "%.0f", result->estimate.value);
		snprintf(count, sizeof(count), "%zu", result->estimate.count);
		html_table_row(telling->html, cells, 5);
	}
	html_table_end(telling->html);
}

static void put_medians_head(const struct telling *telling, const char *caption, const char *first)
{
	const char *columns[TRIAL_PAIRS + 1] = {first};

	for (int pair = 0; pair < TRIAL_PAIRS; pair++)
		columns[pair + 1] = trial_pair_label((enum trial_pair)pair);
	html_table_begin(telling->html, caption, columns, TRIAL_PAIRS + 1);
}

static void put_medians_row(const struct telling *telling, const char *name,
			    const struct estimate *medians)
{
	char text[TRIAL_PAIRS][TRIAL_PAIRS_CELL];
	const char *cells[TRIAL_PAIRS + 1] = {name};

	for (int pair = 0; pair < TRIAL_PAIRS; pair++)
		cells[pair + 1] = trial_pairs_cell(text[pair], &medians[pair]);
	html_table_row(telling->html, cells, TRIAL_PAIRS + 1);
}

/* All arms beside a baseline. */
static void put_overview(const struct telling *telling, size_t baseline)
{
	char caption[400];

	snprintf(caption, sizeof(caption),
		 "Medians over networks from %d Mbit/s of ratios (or differences) to %s, paired by "
		 "seed, with 95 %% bootstrap intervals over networks.",
		 TRIAL_LOW_MBPS, arm_name(telling, baseline));
	put_medians_head(telling, caption, "arm");
	for (size_t i = 0; i < telling->pairs->count; i++) {
		const struct trial_pairing *pairing = &telling->pairs->pairings[i];

		if (pairing->baseline == baseline)
			put_medians_row(telling, arm_name(telling, pairing->arm),
					pairing->groups[TRIAL_GROUP_all]);
	}
	html_table_end(telling->html);
}

static void put_groups(const struct telling *telling, const struct trial_pairing *pairing)
{
	char caption[300];

	snprintf(caption, sizeof(caption), "%s beside %s: the same by group, networks in brackets.",
		 arm_name(telling, pairing->arm), arm_name(telling, pairing->baseline));
	put_medians_head(telling, caption, "group");
	for (int group = 0; group < TRIAL_GROUPS; group++) {
		const struct estimate *medians = pairing->groups[group];
		char name[100];

		if (medians[TRIAL_PAIR_goodput].count == 0)
			continue;
		snprintf(name, sizeof(name), "%s (%zu)", trial_group_label((enum trial_group)group),
			 medians[TRIAL_PAIR_goodput].count);
		put_medians_row(telling, name, medians);
	}
	html_table_end(telling->html);
}

static void put_worse(const struct telling *telling, const struct trial_pairing *pairing)
{
	const struct trial_pairs *pairs = telling->pairs;
	size_t count = 0;

	if (pairs->trial->seeds < TRIAL_WORSE_SEEDS) {
		html_paragraph(telling->html, "Which networks are worse is told from %d seeds on.",
			       TRIAL_WORSE_SEEDS);
		return;
	}
	for (size_t n = 0; n < pairs->trial->scenario_count; n++)
		count += trial_pairing_network_is_worse(pairing, n);
	html_paragraph(telling->html,
		       "Networks of which the whole interval of p99 delay (either class) or "
		       "goodput lies more than %.0f %% on the worse side: %zu of %zu, those below "
		       "%d Mbit/s included.",
		       100 * TRIAL_WORSE, count, pairs->trial->scenario_count, TRIAL_LOW_MBPS);
	for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
		const double *attributes = pairs->networks[n];
		char text[512];

		if (!trial_pairing_network_is_worse(pairing, n))
			continue;
		trial_pairs_worse_text(text, sizeof(text), pairs, pairing, n);
		html_paragraph(telling->html, "%s (%s, %.3g Mbit/s, RTT %.3g ms)", text,
			       trial_link_label((enum trial_link)attributes[TRIAL_ATTRIBUTE_link]),
			       attributes[TRIAL_ATTRIBUTE_rate], attributes[TRIAL_ATTRIBUTE_rtt]);
	}
}

/* Draws it and puts it in; one without a point is left out, as there is nothing to draw. */
static int put_figure(const struct telling *telling, const struct figure *figure, const char *name,
		      const char *caption, struct error *error)
{
	char svg[4300], link[300];
	size_t points = 0;
	int code;

	for (size_t s = 0; s < figure->series_count; s++)
		points += figure->series[s].count;
	if (points == 0)
		return 0;
	code = figure_write(figure, telling->figures, name, error);
	if (code == ERR_UNSUPPORTED) {
		*telling->without_pictures = true;
		error_clear(error);
	} else if (code) {
		return code;
	}
	snprintf(svg, sizeof(svg), "%s/%s.svg", telling->figures, name);
	snprintf(link, sizeof(link), "figures/%s.csv", name);
	html_figure(telling->html, svg, link, caption);
	return 0;
}

static int ascending(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static struct figure_series *next_series(const struct telling *telling, struct figure *figure,
					 const char *name)
{
	const size_t scenarios = telling->pairs->trial->scenario_count;
	double *x = telling->memory + 2 * figure->series_count * scenarios;
	struct figure_series *series = &figure->series[figure->series_count++];

	*series = (struct figure_series){.name = name, .x = x, .y = x + scenarios};
	return series;
}

/* An arm's values in ascending order over the share of networks. */
static void add_sorted(const struct telling *telling, struct figure *figure,
		       const struct trial_pairing *pairing, enum trial_pair pair)
{
	const struct trial_pairs *pairs = telling->pairs;
	struct figure_series *series =
		next_series(telling, figure, arm_name(telling, pairing->arm));
	double *x = (double *)series->x, *y = (double *)series->y;

	for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
		const double value = trial_pairing_of(pairing, n, pair).value;

		if (isfinite(value))
			y[series->count++] = value;
	}
	qsort(y, series->count, sizeof(*y), ascending);
	for (size_t i = 0; i < series->count; i++)
		x[i] = ((double)i + 0.5) / (double)series->count;
}

static int put_sorted(const struct telling *telling, size_t baseline, enum trial_pair pair,
		      struct error *error)
{
	struct figure *figure = calloc(1, sizeof(*figure));
	char name[100], caption[300];
	int code;

	if (figure == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
	figure->title = trial_pair_label(pair);
	figure->x_label = "share of networks";
	figure->y_label = pair == TRIAL_PAIR_imbalance ? "difference from the baseline"
						       : "ratio to the baseline";
	figure->log_y = pair != TRIAL_PAIR_imbalance;
	figure->lines[figure->line_count++] = (struct figure_line){
		arm_name(telling, baseline), pair == TRIAL_PAIR_imbalance ? 0 : 1};
	for (size_t i = 0; i < telling->pairs->count; i++)
		if (telling->pairs->pairings[i].baseline == baseline &&
		    figure->series_count < FIGURE_MAX_SERIES)
			add_sorted(telling, figure, &telling->pairs->pairings[i], pair);
	snprintf(name, sizeof(name), "beside-%zu-%s", baseline + 1, trial_pair_name(pair));
	snprintf(caption, sizeof(caption),
		 "%s beside %s: every network's value in ascending order, all rates.",
		 trial_pair_label(pair), arm_name(telling, baseline));
	code = put_figure(telling, figure, name, caption, error);
	free(figure);
	return code;
}

/* Shades of a ratio. */
static const struct shade {
	const char *name;
	double below;
} shades[] = {
	{"below 0.5", 0.5},	{"0.5 to 0.8", 0.8},	{"0.8 to 0.95", 0.95},
	{"0.95 to 1.05", 1.05}, {"1.05 to 1.25", 1.25}, {"from 1.25", INFINITY},
};

static int put_plane(const struct telling *telling, const struct trial_pairing *pairing,
		     enum trial_pair pair, struct error *error)
{
	const struct trial_pairs *pairs = telling->pairs;
	struct figure *figure = calloc(1, sizeof(*figure));
	double from = 0;
	char name[120], caption[400];
	int code;

	if (figure == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
	*figure = (struct figure){.kind = FIGURE_POINTS,
				  .title = trial_pair_label(pair),
				  .x_label = "rate, Mbit/s",
				  .y_label = "round trip, ms",
				  .log_x = true,
				  .log_y = true};
	for (size_t s = 0; s < sizeof(shades) / sizeof(shades[0]); s++) {
		struct figure_series *series = next_series(telling, figure, shades[s].name);

		for (size_t n = 0; n < pairs->trial->scenario_count; n++) {
			const double value = trial_pairing_of(pairing, n, pair).value;

			if (!(from <= value && value < shades[s].below))
				continue;
			((double *)series->x)[series->count] =
				pairs->networks[n][TRIAL_ATTRIBUTE_rate];
			((double *)series->y)[series->count++] =
				pairs->networks[n][TRIAL_ATTRIBUTE_rtt];
		}
		from = shades[s].below;
	}
	snprintf(name, sizeof(name), "plane-%zu-%zu-%s", pairing->baseline + 1, pairing->arm + 1,
		 trial_pair_name(pair));
	snprintf(caption, sizeof(caption), "%s of %s over that of %s, by network.",
		 trial_pair_label(pair), arm_name(telling, pairing->arm),
		 arm_name(telling, pairing->baseline));
	code = put_figure(telling, figure, name, caption, error);
	free(figure);
	return code;
}

static int put_candidate(const struct telling *telling, const struct trial_pairing *pairing,
			 struct error *error)
{
	static const enum trial_pair planes[] = {TRIAL_PAIR_classic_p99, TRIAL_PAIR_l4s_p99,
						 TRIAL_PAIR_goodput};
	int code = 0;

	html_subsection(telling->html, arm_name(telling, pairing->arm));
	put_claims(telling, pairing);
	put_groups(telling, pairing);
	put_worse(telling, pairing);
	for (size_t i = 0; code == 0 && i < sizeof(planes) / sizeof(planes[0]); i++)
		code = put_plane(telling, pairing, planes[i], error);
	return code;
}

static int put_baseline(const struct telling *telling, size_t baseline, struct error *error)
{
	char heading[TRIAL_NAME_BYTES + 16];
	int code = 0;

	snprintf(heading, sizeof(heading), "Beside %s", arm_name(telling, baseline));
	html_section(telling->html, heading);
	put_overview(telling, baseline);
	for (int pair = 0; code == 0 && pair < TRIAL_PAIRS_TOLD; pair++)
		code = put_sorted(telling, baseline, (enum trial_pair)pair, error);
	for (size_t i = 0; code == 0 && i < telling->pairs->count; i++) {
		const struct trial_pairing *pairing = &telling->pairs->pairings[i];

		if (pairing->baseline != baseline)
			continue;
		if (trial_pairing_is_candidate(telling->pairs, pairing)) {
			code = put_candidate(telling, pairing, error);
			continue;
		}
		html_details_begin(telling->html, arm_name(telling, pairing->arm));
		put_claims(telling, pairing);
		put_groups(telling, pairing);
		put_worse(telling, pairing);
		html_details_end(telling->html);
	}
	return code;
}

int trial_pairs_page(struct html *html, const struct trial_pairs *pairs, const char *figures,
		     bool *without_pictures, struct error *error)
{
	struct telling telling = {html, pairs, figures, without_pictures, NULL};
	int code = 0;

	telling.memory =
		calloc(2 * FIGURE_MAX_SERIES * pairs->trial->scenario_count + 1, sizeof(double));
	if (telling.memory == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for figures");
	for (size_t i = 0; code == 0 && i < pairs->count; i++)
		if (i == 0 || pairs->pairings[i].baseline != pairs->pairings[i - 1].baseline)
			code = put_baseline(&telling, pairs->pairings[i].baseline, error);
	free(telling.memory);
	return code;
}
