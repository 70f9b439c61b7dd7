/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page is written from top to bottom: what a reader wants first stands
 * first.  The first arm of a trial is the law alone, which all others are
 * compared with.
 */
#include "cli/trial_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/training_curve.h"
#include "cli/trial_figures.h"
#include "cli/trial_pairs_tell.h"
#include "cli/trial_results.h"
#include "report/figure.h"
#include "report/html.h"

#define CELL 48
#define COLUMNS_MAX 12

/* What the page is made of, passed along. */
struct page {
	struct trial_report *report;
	const struct trial *trial;
	const struct results *results;
	struct html *html;
	char figures[4096]; /* folder */
};

/* "1.23 ± 0.04", or a count. */
static void put_interval(char *cell, struct interval interval, int digits)
{
	if (interval.count == 0 || !isfinite(interval.mean))
		snprintf(cell, CELL, "–");
	else if (isfinite(interval.half_width))
		snprintf(cell, CELL, "%.*f ± %.*f", digits, interval.mean, digits,
			 interval.half_width);
	else
		snprintf(cell, CELL, "%.*f", digits, interval.mean);
}

static int digits_of(enum trial_metric metric)
{
	if (metric >= TRIAL_decisions)
		return 0;
	if (metric == TRIAL_utilisation || metric == TRIAL_jain)
		return 4;
	return metric == TRIAL_drop_percent || metric == TRIAL_mark_percent ? 3 : 2;
}

static void put_table(struct page *page, size_t scenario, const enum trial_metric *metrics,
		      size_t count, const char *caption)
{
	const struct trial *trial = page->trial;
	const char *columns[COLUMNS_MAX] = {"queue managed by"};

	for (size_t m = 0; m < count; m++)
		columns[m + 1] = trial_metric_label(metrics[m]);
	html_table_begin(page->html, caption, columns, count + 1);
	for (size_t arm = 0; arm < trial->arm_count; arm++) {
		char text[COLUMNS_MAX][CELL];
		const char *cells[COLUMNS_MAX] = {trial->arms[arm].name};

		for (size_t m = 0; m < count; m++) {
			put_interval(text[m],
				     results_interval(
					     page->results, trial->scenarios[scenario].name,
					     trial->arms[arm].name, trial_metric_name(metrics[m])),
				     digits_of(metrics[m]));
			cells[m + 1] = text[m];
		}
		html_table_row(page->html, cells, count + 1);
	}
	html_table_end(page->html);
}

/* Differences from the first arm on the same seeds. */
static void put_differences(struct page *page, size_t scenario)
{
	static const enum trial_metric metrics[] = {TRIAL_utilisation, TRIAL_qdelay_ms_mean,
						    TRIAL_qdelay_ms_p99, TRIAL_goodput_mbps};
	const size_t count = sizeof(metrics) / sizeof(metrics[0]);
	const struct trial *trial = page->trial;
	const char *columns[COLUMNS_MAX] = {"minus the law alone"};

	for (size_t m = 0; m < count; m++)
		columns[m + 1] = trial_metric_label(metrics[m]);
	html_table_begin(page->html,
			 "Paired differences: same seeds, mean ± 95 % confidence. An interval "
			 "that holds 0 shows no difference.",
			 columns, count + 1);
	for (size_t arm = 1; arm < trial->arm_count; arm++) {
		char text[COLUMNS_MAX][CELL];
		const char *cells[COLUMNS_MAX] = {trial->arms[arm].name};

		for (size_t m = 0; m < count; m++) {
			put_interval(text[m],
				     results_paired(page->results, trial->scenarios[scenario].name,
						    trial->arms[arm].name, trial->arms[0].name,
						    trial_metric_name(metrics[m])),
				     digits_of(metrics[m]));
			cells[m + 1] = text[m];
		}
		html_table_row(page->html, cells, count + 1);
	}
	html_table_end(page->html);
}

static bool has_policy(const struct trial *trial)
{
	for (size_t arm = 0; arm < trial->arm_count; arm++)
		if (trial->arms[arm].policy)
			return true;
	return false;
}

static void put_tables(struct page *page, size_t scenario)
{
	static const enum trial_metric queues[] = {TRIAL_utilisation,	   TRIAL_qdelay_ms_mean,
						   TRIAL_qdelay_ms_p50,	   TRIAL_qdelay_ms_p99,
						   TRIAL_l_qdelay_ms_mean, TRIAL_l_qdelay_ms_p99,
						   TRIAL_c_qdelay_ms_mean, TRIAL_c_qdelay_ms_p99};
	static const enum trial_metric deeds[] = {
		TRIAL_drop_percent, TRIAL_mark_percent, TRIAL_goodput_mbps,
		TRIAL_jain,	    TRIAL_rtt_ms_mean,	TRIAL_decisions,
		TRIAL_late,	    TRIAL_overridden,	TRIAL_differed};

	put_table(page, scenario, queues, sizeof(queues) / sizeof(queues[0]),
		  "Queues: mean over seeds ± 95 % confidence (Student's t). Delays are sojourn "
		  "times of packets that left.");
	put_table(page, scenario, deeds, sizeof(deeds) / sizeof(deeds[0]),
		  "What was done, and what the flows got of it. Asked: packets put to the policy; "
		  "late: it was still deciding when the next was due; guarded: the guard kept the "
		  "law's verdict; differed: packets that fared otherwise than the law had in "
		  "store. A student that moves settings is guarded on packets that left under "
		  "settings cut; students and policies of settings are not set beside the law's "
		  "own verdicts.");
	if (page->trial->arm_count > 1 && !page->report->unpaired)
		put_differences(page, scenario);
}

/* Draws, and puts the picture in; without gnuplot only the data. */
static int put_figure(struct page *page, const char *name, const char *caption, int code,
		      struct error *error)
{
	char svg[4300], link[300];

	if (code == ERR_UNSUPPORTED) {
		page->report->without_pictures = true;
		error_clear(error);
	} else if (code) {
		return code;
	}
	snprintf(svg, sizeof(svg), "%s/%s.svg", page->figures, name);
	snprintf(link, sizeof(link), "figures/%s.csv", name);
	html_figure(page->html, svg, link, caption);
	return 0;
}

static int put_scenario(struct page *page, size_t index, struct error *error)
{
	const struct scenario *scenario = &page->trial->scenarios[index];
	int code = 0;

	html_section(page->html, scenario->name);
	html_paragraph(page->html,
		       "%g Mbit/s, %g ms one way, %" PRIu64
		       " flows, law %s; %g s a run, of which the first %g s are left out; %" PRIu64
		       " seed%s from %" PRIu64 ".",
		       scenario->rate_mbps, scenario->delay_ms, scenario_flows(scenario),
		       scenario->aqm, scenario->duration_s, scenario->warmup_s, page->trial->seeds,
		       page->trial->seeds == 1 ? "" : "s", page->trial->first_seed);
	put_tables(page, index);
	for (int f = 0; code == 0 && f < TRIAL_FIGURES && index < page->report->pictured; f++) {
		char name[200];

		trial_figure_name(page->trial, index, (enum trial_figure)f, name, sizeof(name));
		code = put_figure(page, name, trial_figure_caption((enum trial_figure)f), 0, error);
	}
	return code;
}

/* Runs of the trial that show one policy, its cost summed. */
static struct policy_cost cost_of(const struct trial *trial, const char *policy)
{
	struct policy_cost sum = {0};

	for (size_t arm = 0; arm < trial->arm_count; arm++) {
		if (!trial->arms[arm].policy || strcmp(trial->arms[arm].policy, policy) != 0)
			continue;
		for (size_t s = 0; s < trial->scenario_count; s++)
			for (size_t seed = 0; seed < trial->seeds; seed++) {
				const struct policy_cost *cost =
					&trial_outcome_of(trial, s, arm, seed)->cost;

				sum.decisions += cost->decisions;
				sum.wall_ns += cost->wall_ns;
				sum.parameters = cost->parameters;
				sum.trainable = cost->trainable;
				sum.memory_bytes = cost->memory_bytes;
			}
	}
	return sum;
}

static void put_cost_row(struct page *page, const struct trial_arm *arm)
{
	const char *policy = arm->policy;
	const struct policy_cost cost = cost_of(page->trial, policy);
	struct training_curve curve;
	char text[6][CELL];
	const char *cells[7] = {arm->label, text[0], text[1], text[2],
				text[3],    text[4], text[5]};
	double seconds = 0;

	if (training_curve_read(&curve, policy, NULL) == 0) {
		for (size_t i = 0; i < curve.count; i++)
			seconds += curve.epochs[i].seconds;
	}
	snprintf(text[0], CELL, "%.3f M", (double)cost.parameters / 1e6);
	snprintf(text[1], CELL, "%.3f M (%.1f %%)", (double)cost.trainable / 1e6,
		 cost.parameters ? 100 * (double)cost.trainable / (double)cost.parameters : 0);
	snprintf(text[2], CELL, "%.1f MB", (double)cost.memory_bytes / 1e6);
	snprintf(text[3], CELL, "%.3f ms",
		 cost.decisions ? (double)cost.wall_ns / (double)cost.decisions / 1e6 : 0);
	snprintf(text[4], CELL, "%" PRIu64, cost.decisions);
	snprintf(text[5], CELL, seconds > 0 ? "%.1f s, %zu epochs" : "–", seconds, curve.count);
	html_table_row(page->html, cells, 7);
	training_curve_free(&curve);
}

/* True for the first arm that has its policy. */
static bool is_first_of_policy(const struct trial *trial, size_t arm)
{
	if (trial->arms[arm].policy == NULL)
		return false;
	for (size_t before = 0; before < arm; before++)
		if (trial->arms[before].policy &&
		    strcmp(trial->arms[before].policy, trial->arms[arm].policy) == 0)
			return false;
	return true;
}

static void put_costs(struct page *page)
{
	static const char *const columns[] = {"policy",	      "parameters",    "trained",
					      "memory",	      "decision time", "decisions",
					      "training time"};

	html_section(page->html, "Cost");
	html_table_begin(
		page->html,
		"Decision time: wall clock of one decision, mean over all runs, which "
		"shared this machine's cores with each other (paper: 39 to 41 ms on an A40 "
		"GPU). Memory: weights, key/value cache and scratch of one policy.",
		columns, 7);
	for (size_t arm = 0; arm < page->trial->arm_count; arm++)
		if (is_first_of_policy(page->trial, arm))
			put_cost_row(page, &page->trial->arms[arm]);
	html_table_end(page->html);
}

/* Columns of an epoch as one series. */
static void curve_series(struct figure *figure, const struct training_curve *curve,
			 const char *name, size_t offset, double *x, double *y)
{
	struct figure_series *series = &figure->series[figure->series_count++];

	for (size_t i = 0; i < curve->count; i++) {
		x[i] = curve->epochs[i].epoch;
		memcpy(&y[i], (const char *)&curve->epochs[i] + offset, sizeof(double));
	}
	*series = (struct figure_series){.name = name, .x = x, .y = y, .count = curve->count};
}

#define EPOCH_COLUMN(name) offsetof(struct trainer_epoch, name)

static int draw_curve(struct page *page, const struct training_curve *curve, const char *name,
		      bool loss, double *memory, struct error *error)
{
	struct figure figure = {
		.title = loss ? "loss per epoch" : "accuracy per epoch",
		.x_label = "epoch",
		.y_label = loss ? "cross-entropy, nats" : "share",
	};
	double *x = memory, *y[3] = {memory + curve->count, memory + 2 * curve->count,
				     memory + 3 * curve->count};

	if (loss) {
		curve_series(&figure, curve, "training, as weighted", EPOCH_COLUMN(train_loss), x,
			     y[0]);
		curve_series(&figure, curve, "held out", EPOCH_COLUMN(held_out_log_loss), x, y[1]);
	} else {
		curve_series(&figure, curve, "accuracy, training", EPOCH_COLUMN(train_accuracy), x,
			     y[0]);
		curve_series(&figure, curve, "accuracy, held out", EPOCH_COLUMN(held_out_accuracy),
			     x, y[1]);
		curve_series(&figure, curve, "balanced, held out",
			     EPOCH_COLUMN(held_out_balanced_accuracy), x, y[2]);
		figure.y_high = 1.02;
	}
	if (!loss && curve->has_baselines) {
		const struct metrics_summary *two = &curve->baselines[BASELINE_two_comparisons];

		figure.lines[figure.line_count++] = (struct figure_line){
			"always enqueue", curve->baselines[BASELINE_majority].accuracy};
		figure.lines[figure.line_count++] =
			(struct figure_line){"two comparisons", two->accuracy};
		figure.lines[figure.line_count++] =
			(struct figure_line){"two comparisons, balanced", two->balanced_accuracy};
	}
	return figure_write(&figure, page->figures, name, error);
}

static int put_curve(struct page *page, const struct trial_arm *arm, struct error *error)
{
	static const char *const captions[] = {
		"Accuracy per epoch (paper: figure 10), beside rules that know nothing of "
		"learning. Nearly all packets are enqueued, so accuracy alone says little; "
		"balanced accuracy is the mean recall of the actions that occur.",
		"Loss per epoch (paper: figure 9).",
	};
	struct training_curve curve;
	double *memory;
	int code = training_curve_read(&curve, arm->policy, error);

	if (code || curve.count == 0)
		return code;
	training_curve_score(&curve, arm->policy);
	memory = calloc(4 * curve.count, sizeof(*memory));
	if (memory == NULL)
		code = error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
	else
		html_subsection(page->html, arm->label);
	for (int loss = 1; code == 0 && loss >= 0; loss--) {
		char name[200];

		snprintf(name, sizeof(name), "training-%.100s-%s", arm->label,
			 loss ? "loss" : "accuracy");
		for (char *slash; (slash = strchr(name, '/')) != NULL;)
			*slash = '-';
		code = draw_curve(page, &curve, name, loss, memory, error);
		code = put_figure(page, name, captions[loss], code, error);
	}
	free(memory);
	training_curve_free(&curve);
	return code;
}

static int put_training(struct page *page, struct error *error)
{
	int code = 0;

	html_section(page->html, "Training");
	for (size_t arm = 0; code == 0 && arm < page->trial->arm_count; arm++)
		if (is_first_of_policy(page->trial, arm))
			code = put_curve(page, &page->trial->arms[arm], error);
	return code;
}

static void put_ending(struct page *page)
{
	html_section(page->html, "Again");
	html_paragraph(page->html, "%s This page comes from:",
		       page->report->how ? page->report->how
					 : "Runs are pure functions of scenario, law, policy and "
					   "seed; only decision and training times are measured.");
	html_verbatim(page->html, page->report->command);
	html_paragraph(page->html,
		       "All numbers: results.csv and results.sqlite beside this page (scenario, "
		       "seed, aqm, metric, value); the data of every figure: figures/.");
	if (page->report->pictured < page->trial->scenario_count)
		html_paragraph(page->html,
			       "Pictures show the first %zu of %zu scenarios; --pictures N shows "
			       "more.",
			       page->report->pictured, page->trial->scenario_count);
	if (page->report->without_pictures)
		html_note(page->html, "There are no pictures because gnuplot was not found; their "
				      "data are in figures/. Install gnuplot-nox and repeat.");
}

/* Before all scenarios: the suite as a whole. */
static void put_suite(struct page *page)
{
	static const enum trial_metric metrics[] = {TRIAL_utilisation, TRIAL_qdelay_ms_mean,
						    TRIAL_qdelay_ms_p99, TRIAL_goodput_mbps,
						    TRIAL_jain};
	const size_t count = sizeof(metrics) / sizeof(metrics[0]);
	const char *columns[COLUMNS_MAX] = {"queue managed by"};

	html_section(page->html, "The suite");
	for (size_t m = 0; m < count; m++)
		columns[m + 1] = trial_metric_label(metrics[m]);
	for (int paired = 0; paired < (page->report->unpaired ? 1 : 2); paired++) {
		char caption[200];

		snprintf(caption, sizeof(caption),
			 "%s over %zu scenarios, each by its mean over seeds; ± 95 %% confidence "
			 "(Student's t) over scenarios.",
			 paired ? "Difference from the first row's law, paired by seed" : "Mean",
			 page->trial->scenario_count);
		html_table_begin(page->html, caption, columns, count + 1);
		for (size_t arm = (size_t)paired; arm < page->trial->arm_count; arm++) {
			char text[COLUMNS_MAX][CELL];
			const char *cells[COLUMNS_MAX] = {page->trial->arms[arm].name};

			for (size_t m = 0; m < count; m++) {
				put_interval(text[m],
					     trial_suite_interval(page->trial, page->results, arm,
								  metrics[m], paired),
					     digits_of(metrics[m]));
				cells[m + 1] = text[m];
			}
			html_table_row(page->html, cells, count + 1);
		}
		html_table_end(page->html);
	}
}

static int draw_figures(struct page *page, struct error *error)
{
	const size_t all = page->trial->scenario_count;
	const size_t most = page->report->pictured;
	int code;

	page->report->pictured = most < all ? most : all;
	code = trial_figures_write(page->trial, page->report->pictured, page->figures,
				   page->report->threads, error);
	if (code != ERR_UNSUPPORTED)
		return code;
	page->report->without_pictures = true;
	error_clear(error);
	return 0;
}

static int fill_page(struct page *page, struct error *error)
{
	int code = draw_figures(page, error);

	if (page->report->head)
		page->report->head(page->html, page->report->head_context);
	if (page->report->notes) {
		html_details_begin(page->html, "How these policies came about");
		html_verbatim(page->html, page->report->notes);
		html_details_end(page->html);
	}
	if (code == 0 && page->report->pairs)
		code = trial_pairs_page(page->html, page->report->pairs, page->figures,
					&page->report->without_pictures, error);
	if (page->trial->scenario_count > 1)
		put_suite(page);
	for (size_t s = 0; code == 0 && s < page->trial->scenario_count; s++)
		code = put_scenario(page, s, error);
	if (code == 0 && has_policy(page->trial)) {
		put_costs(page);
		code = put_training(page, error);
	}
	put_ending(page);
	return code;
}

int trial_report_write(struct trial_report *report, const struct trial *trial,
		       const struct results *results, struct error *error)
{
	struct page page = {.report = report, .trial = trial, .results = results};
	char path[4096];
	int code = file_join(page.figures, sizeof(page.figures), report->folder, "figures", error);

	if (code == 0)
		code = file_join(path, sizeof(path), report->folder, "report.html", error);
	if (code == 0)
		code = file_make_folders(page.figures, error);
	if (code)
		return code;
	page.html = html_open(report->title,
			      report->subtitle ? report->subtitle
					       : "Queue management compared in closed loop, on "
						 "paired seeds");
	if (page.html == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for the report");
	code = fill_page(&page, error);
	if (code) {
		html_close(page.html, NULL, NULL);
		return code;
	}
	return html_close(page.html, path, error);
}
