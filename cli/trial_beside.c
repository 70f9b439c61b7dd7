/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Both trials become one whose arms stand in pairs, so that the usual tables and pictures show
 * them beside each other.
 */
#include "cli/trial_beside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/trial_results.h"
#include "report/html.h"

#define CELL 48
#define LEAST_PERCENT 0.05 /* of marks and drops: fewer have no ratio worth telling */

/* What is laid side by side. */
static const enum trial_metric laid[] = {
	TRIAL_qdelay_ms_mean,   TRIAL_qdelay_ms_p99,   TRIAL_l_qdelay_ms_mean,
	TRIAL_l_qdelay_ms_p99,  TRIAL_c_qdelay_ms_mean, TRIAL_c_qdelay_ms_p99,
	TRIAL_goodput_mbps,     TRIAL_l4s_goodput_mbps, TRIAL_classic_goodput_mbps,
	TRIAL_mark_percent,     TRIAL_drop_percent,     TRIAL_utilisation,
};

#define LAID (sizeof(laid) / sizeof(laid[0]))

/* One figure of one arm. */
struct pair {
	struct interval simulated, real;
	double ratio; /* simulated over real; NaN: there is none */
	bool off;
};

static struct interval interval_of(const struct trial *trial, size_t scenario, size_t arm,
				   enum trial_metric metric)
{
	double *values = calloc(trial->seeds + 1, sizeof(*values));
	struct interval interval;

	for (size_t seed = 0; values && seed < trial->seeds; seed++)
		values[seed] = trial_outcome_of(trial, scenario, arm, seed)->values[metric];
	interval = statistics_finite_interval(values, values ? trial->seeds : 0);
	free(values);
	return interval;
}

static bool is_rare(enum trial_metric metric, double percent)
{
	return (metric == TRIAL_mark_percent || metric == TRIAL_drop_percent) &&
	       percent < LEAST_PERCENT;
}

/* What is Classic's where there is nothing else, and so the same as of all. */
static bool is_repeated(const struct trial *real, size_t scenario, size_t arm,
			enum trial_metric metric)
{
	return (metric == TRIAL_c_qdelay_ms_mean || metric == TRIAL_c_qdelay_ms_p99 ||
		metric == TRIAL_classic_goodput_mbps) &&
	       interval_of(real, scenario, arm, TRIAL_l4s_goodput_mbps).count == 0;
}

/* False: one of both has no such figure, or it says nothing new. */
static bool pair_of(struct pair *pair, const struct trial *simulated, const struct trial *real,
		    size_t scenario, size_t arm, enum trial_metric metric)
{
	pair->simulated = interval_of(simulated, scenario, arm, metric);
	pair->real = interval_of(real, scenario, arm, metric);
	pair->ratio = pair->simulated.count && pair->real.count && pair->real.mean > 0
			      ? pair->simulated.mean / pair->real.mean
			      : NAN;
	pair->off = fabs(pair->ratio - 1) > TRIAL_BESIDE_BOUND;
	if (is_rare(metric, pair->simulated.mean) && is_rare(metric, pair->real.mean)) {
		pair->ratio = NAN;
		pair->off = false;
	} else if (pair->simulated.count && pair->real.count && pair->real.mean <= 0) {
		pair->off = pair->simulated.mean > 0;
	}
	return pair->simulated.count && pair->real.count &&
	       !is_repeated(real, scenario, arm, metric);
}

static void put_interval(char *cell, struct interval interval)
{
	if (isfinite(interval.half_width))
		snprintf(cell, CELL, "%.4g ± %.2g", interval.mean, interval.half_width);
	else
		snprintf(cell, CELL, "%.4g", interval.mean);
}

static void put_cells(char cells[4][CELL], const struct pair *pair)
{
	put_interval(cells[0], pair->simulated);
	put_interval(cells[1], pair->real);
	snprintf(cells[2], CELL, isfinite(pair->ratio) ? "%.2f" : "–", pair->ratio);
	snprintf(cells[3], CELL, "%s", pair->off ? "off" : "");
}

void trial_beside_print(FILE *out, const struct trial *simulated, const struct trial *real)
{
	size_t off = 0, all = 0;

	fprintf(out, "\n%-24s %-16s %-18s %20s %20s %6s\n", "scenario", "law or policy", "figure",
		"simulated", "real", "ratio");
	for (size_t i = 0; i < simulated->scenario_count * simulated->arm_count; i++)
		for (size_t m = 0; m < LAID; m++) {
			const size_t scenario = i / simulated->arm_count,
				     arm = i % simulated->arm_count;
			char cells[4][CELL];
			struct pair pair;

			if (!pair_of(&pair, simulated, real, scenario, arm, laid[m]))
				continue;
			all++;
			off += pair.off;
			put_cells(cells, &pair);
			fprintf(out, "%-24s %-16s %-18s %20s %20s %6s %s\n",
				simulated->scenarios[scenario].name, simulated->arms[arm].name,
				trial_metric_name(laid[m]), cells[0], cells[1], cells[2],
				cells[3]);
		}
	fprintf(out, "%zu of %zu figures are off by more than %.0f %%\n", off, all,
		100 * TRIAL_BESIDE_BOUND);
}

static void put_scenario(struct html *html, const struct trial *simulated,
			 const struct trial *real, size_t scenario)
{
	static const char *const columns[] = {"law or policy", "figure", "simulated",
					      "real",	       "ratio",	 "off"};

	html_subsection(html, simulated->scenarios[scenario].name);
	html_table_begin(html, "Mean over runs ± 95 % confidence.", columns, 6);
	for (size_t arm = 0; arm < simulated->arm_count; arm++)
		for (size_t m = 0; m < LAID; m++) {
			char text[4][CELL];
			const char *cells[] = {simulated->arms[arm].name,
					       trial_metric_label(laid[m]),
					       text[0],
					       text[1],
					       text[2],
					       text[3]};
			struct pair pair;

			if (!pair_of(&pair, simulated, real, scenario, arm, laid[m]))
				continue;
			put_cells(text, &pair);
			html_table_row(html, cells, 6);
		}
	html_table_end(html);
}

/* Both trials, to be told of at the head of their page. */
struct both {
	const struct trial *simulated, *real;
};

static void put_head(struct html *html, void *context)
{
	const struct both *both = context;

	html_section(html, "Simulator and reality");
	html_paragraph(html,
		       "The same network, traffic and laws: simulated, and with the stacks of a "
		       "kernel on either side of aqmllm route. The ratio is simulated over real, "
		       "and off where they differ by more than %.0f %%. Marks and drops below "
		       "%g %% on both sides have none.",
		       100 * TRIAL_BESIDE_BOUND, LEAST_PERCENT);
	for (size_t s = 0; s < both->simulated->scenario_count; s++)
		put_scenario(html, both->simulated, both->real, s);
}

/* Arms in pairs, over outcomes that stay their owners'. */
static int join(struct trial *joined, const struct both *both, struct error *error)
{
	const struct trial *simulated = both->simulated;
	int code = 0;

	*joined = *simulated;
	joined->arm_count = 0;
	joined->outcomes = calloc(2 * trial_runs(simulated) + 1, sizeof(*joined->outcomes));
	if (joined->outcomes == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a page");
	for (size_t i = 0; code == 0 && i < 2 * simulated->arm_count; i++) {
		struct trial_arm arm = simulated->arms[i / 2];

		code = trial_arm_call(&arm, error, "%s, %s", simulated->arms[i / 2].name,
				      i % 2 ? "real" : "simulated");
		if (code == 0)
			code = trial_add_arm(joined, &arm, error);
	}
	for (size_t s = 0; code == 0 && s < joined->scenario_count; s++)
		for (size_t i = 0; i < joined->arm_count; i++)
			for (size_t seed = 0; seed < joined->seeds; seed++)
				joined->outcomes[(s * joined->arm_count + i) * joined->seeds +
						 seed] =
					*trial_outcome_of(i % 2 ? both->real : simulated, s, i / 2,
							  seed);
	return code;
}

/* A report of `trial` in `folder`/`name`. */
static int write_page(struct trial_report report, const struct trial *trial, const char *name,
		      struct error *error)
{
	const char *parent = report.folder;
	char folder[4096];
	struct results results;
	int code = file_join(folder, sizeof(folder), parent, name, error);

	results_init(&results);
	report.folder = folder;
	if (code == 0)
		code = trial_results(trial, &results, error);
	if (code == 0)
		code = trial_report_write(&report, trial, &results, error);
	results_free(&results);
	return code;
}

int trial_beside_write(const struct trial_report *report, const struct trial *simulated,
		       const struct trial *real, struct error *error)
{
	struct both both = {simulated, real};
	struct trial *joined = calloc(1, sizeof(*joined));
	struct trial_report page = *report;
	int code = joined ? join(joined, &both, error)
			  : error_set(error, ERR_NO_MEMORY, "out of memory for a page");

	page.pairs = NULL;
	page.unpaired = true;
	page.how = "Runs were real: stacks of a kernel, on either side of aqmllm route, which kept "
		   "them.";
	page.subtitle = "Queue management of real packets";
	if (code == 0)
		code = write_page(page, real, "real", error);
	page.how = "Simulated runs are pure functions of scenario, law, policy and seed; real ones "
		   "are what they were.";
	page.subtitle = "Queue management of simulated and of real packets";
	page.head = put_head;
	page.head_context = &both;
	if (code == 0)
		code = write_page(page, joined, "beside", error);
	if (joined)
		free(joined->outcomes);
	free(joined);
	return code;
}
