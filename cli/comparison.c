/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/comparison.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "report/figure.h"
#include "report/html.h"

enum paper_figure { LOSS, ACCURACY, PARAMETERS, MEMORY, DECISION, TRAINING, FIGURES };

static const struct {
	const char *name, *title, *y_label, *caption;
} drawn[FIGURES] = {
	{"fig09_loss", "Loss per epoch", "held-out log loss (nats)",
	 "Figure 9: loss on rows that were never trained on."},
	{"fig10_accuracy", "Accuracy per epoch", "held-out accuracy",
	 "Figure 10: accuracy beside two rules that learned nothing: the most frequent action, and "
	 "two comparisons that read the label from a log as recorded."},
	{"fig17_parameters", "Trainable parameters", "millions",
	 "Figure 17: all parameters, and those that LoRA, encoder and head train."},
	{"fig18_memory", "Memory of training", "GB, peak of the process",
	 "Figure 18: peak resident memory of the training run (paper: GPU memory)."},
	{"fig19_decision", "Decision time", "ms, median",
	 "Figure 19: one decision in a full window, streaming."},
	{"fig20_training", "Training time", "s", "Figure 20: wall time of the whole training run."},
};

static double backbone_parameters(const struct comparison_arm *arm)
{
	return (double)(arm->decision.cost.parameters - arm->decision.cost.trainable);
}

static double bar_value(const struct comparison_arm *arm, enum paper_figure figure)
{
	switch (figure) {
	case PARAMETERS:
		return (double)arm->decision.cost.trainable / 1e6;
	case MEMORY:
		return arm->train_peak_bytes / 1e9;
	case DECISION:
		return arm->decision.median_ms;
	default:
		return arm->train_s;
	}
}

static void add_bar(struct figure *figure, const char *name, double value)
{
	if (isnan(value))
		return;
	figure->series[figure->series_count++] = (struct figure_series){
		.name = name, .bar = {.mean = value, .half_width = NAN, .count = 1}};
}

static void fill_bars(struct figure *figure, const struct comparison *comparison,
		      enum paper_figure which, char names[][48])
{
	figure->kind = FIGURE_BARS;
	for (size_t i = 0; i < comparison->count; i++) {
		const struct comparison_arm *arm = &comparison->arms[i];
		const bool pairs = which == PARAMETERS || which == MEMORY;
		const double full = which == PARAMETERS ? backbone_parameters(arm) / 1e6
							: arm->full_peak_bytes / 1e9;

		snprintf(names[2 * i], 48, pairs ? "%s, LoRA" : "%s", arm->family->title);
		snprintf(names[2 * i + 1], 48, "%s, whole", arm->family->title);
		add_bar(figure, names[2 * i], bar_value(arm, which));
		if (pairs)
			add_bar(figure, names[2 * i + 1], full);
	}
}

static void add_line(struct figure *figure, const struct comparison_arm *arm,
		     enum baseline baseline, const char *name)
{
	if (arm->curve.has_baselines)
		figure->lines[figure->line_count++] =
			(struct figure_line){name, arm->curve.baselines[baseline].accuracy};
}

/* Curves over epochs; `memory` receives what the series point to, two arrays each. */
static int fill_curves(struct figure *figure, const struct comparison *comparison,
		       enum paper_figure which, double **memory)
{
	figure->kind = FIGURE_LINES;
	figure->x_label = "epoch";
	for (size_t i = 0; i < comparison->count; i++) {
		const struct training_curve *curve = &comparison->arms[i].curve;
		double *x = calloc(2 * curve->count + 2, sizeof(*x));
		double *y = x ? x + curve->count : NULL;

		memory[i] = x;
		if (!x)
			return ERR_NO_MEMORY;
		for (size_t e = 0; e < curve->count; e++) {
			x[e] = curve->epochs[e].epoch;
			y[e] = which == LOSS ? curve->epochs[e].held_out_log_loss
					     : curve->epochs[e].held_out_accuracy;
		}
		figure->series[figure->series_count++] =
			(struct figure_series){.name = comparison->arms[i].family->title,
					       .x = x,
					       .y = y,
					       .count = curve->count};
	}
	if (which == ACCURACY && comparison->count) {
		add_line(figure, &comparison->arms[0], BASELINE_majority, "majority");
		add_line(figure, &comparison->arms[0], BASELINE_two_comparisons, "two comparisons");
	}
	return 0;
}

static int draw(const struct comparison *comparison, enum paper_figure which, const char *folder,
		struct error *error)
{
	struct figure *figure = calloc(1, sizeof(*figure));
	char names[2 * FAMILIES][48];
	double *memory[FAMILIES] = {NULL};
	int code = figure ? 0 : ERR_NO_MEMORY;

	if (code == 0) {
		figure->name = drawn[which].name;
		figure->title = drawn[which].title;
		figure->y_label = drawn[which].y_label;
	}
	if (code == 0 && (which == LOSS || which == ACCURACY))
		code = fill_curves(figure, comparison, which, memory);
	else if (code == 0)
		fill_bars(figure, comparison, which, names);
	code = code ? error_set(error, code, "out of memory for a figure")
		    : figure_write(figure, folder, drawn[which].name, error);
	for (size_t i = 0; i < FAMILIES; i++)
		free(memory[i]);
	free(figure);
	return code;
}

/* Cells of the table: ours, and the paper's where it has one. */
enum column {
	COLUMN_PARAMETERS,
	COLUMN_TRAINABLE,
	COLUMN_ACCURACY,
	COLUMN_BALANCED,
	COLUMN_LOSS,
	COLUMN_MEMORY,
	COLUMN_FULL_MEMORY,
	COLUMN_EPOCH,
	COLUMN_FULL_EPOCH,
	COLUMN_TRAINING,
	COLUMN_DECISION,
	COLUMN_P99,
	COLUMNS
};

static const struct {
	const char *key, *title, *format;
} columns[COLUMNS] = {
	{"parameters", "parameters", "%.0f"},	 {"trainable", "trainable", "%.0f"},
	{"accuracy", "accuracy", "%.4f"},	 {"balanced_accuracy", "balanced", "%.4f"},
	{"log_loss", "log loss", "%.4f"},	 {"memory_gb", "memory, GB", "%.3f"},
	{"full_memory_gb", "whole, GB", "%.3f"}, {"epoch_s", "epoch, s", "%.2f"},
	{"full_epoch_s", "whole, s", "%.2f"},	 {"training_s", "training, s", "%.1f"},
	{"decision_ms", "decision, ms", "%.3f"}, {"decision_p99_ms", "p99, ms", "%.3f"},
};

/* The epoch whose policy was kept. */
static const struct trainer_epoch *kept(const struct training_curve *curve)
{
	const struct trainer_epoch *best = NULL;

	for (size_t i = 0; i < curve->count; i++)
		if (curve->epochs[i].best != 0 || !best)
			best = &curve->epochs[i];
	return best;
}

static double cell(const struct comparison_arm *arm, enum column column)
{
	const struct trainer_epoch *epoch = kept(&arm->curve);
	const double values[COLUMNS] = {
		[COLUMN_PARAMETERS] = backbone_parameters(arm),
		[COLUMN_TRAINABLE] = (double)arm->decision.cost.trainable,
		[COLUMN_ACCURACY] = epoch ? epoch->held_out_accuracy : NAN,
		[COLUMN_BALANCED] = epoch ? epoch->held_out_balanced_accuracy : NAN,
		[COLUMN_LOSS] = epoch ? epoch->held_out_log_loss : NAN,
		[COLUMN_MEMORY] = arm->train_peak_bytes / 1e9,
		[COLUMN_FULL_MEMORY] = arm->full_peak_bytes / 1e9,
		[COLUMN_EPOCH] = arm->lora_epoch_s,
		[COLUMN_FULL_EPOCH] = arm->full_train_s,
		[COLUMN_TRAINING] = arm->train_s,
		[COLUMN_DECISION] = arm->decision.median_ms,
		[COLUMN_P99] = arm->decision.p99_ms,
	};

	return values[column];
}

static void put_cell(char *text, size_t size, const struct comparison_arm *arm, enum column column)
{
	const double value = cell(arm, column);

	if (isnan(value))
		snprintf(text, size, "-");
	else
		snprintf(text, size, columns[column].format, value);
}

static const char *arm_title(const struct comparison *comparison, size_t arm)
{
	const struct family *family = comparison->arms[arm].family;

	return comparison->whole ? family->whole_name : family->title;
}

static void put_table(struct html *html, const struct comparison *comparison)
{
	const char *heads[COLUMNS + 1] = {"backbone"};

	for (int c = 0; c < COLUMNS; c++)
		heads[c + 1] = columns[c].title;
	html_table_begin(html,
			 "Measured here. Accuracy, balanced accuracy and log loss on rows "
			 "held out; memory: peak of the process.",
			 heads, COLUMNS + 1);
	for (size_t i = 0; i < comparison->count; i++) {
		char text[COLUMNS][32];
		const char *cells[COLUMNS + 1] = {arm_title(comparison, i)};

		for (int c = 0; c < COLUMNS; c++) {
			put_cell(text[c], sizeof(text[c]), &comparison->arms[i], (enum column)c);
			cells[c + 1] = text[c];
		}
		html_table_row(html, cells, COLUMNS + 1);
	}
	html_table_end(html);
}

static void put_paper(struct html *html)
{
	static const char *const heads[] = {"backbone", "trained, M", "memory, GB", "decision, ms",
					    "80 epochs, h"};

	html_table_begin(html,
			 "The paper's figures 17 to 20, on an A40 GPU and with the "
			 "pre-trained models. GPT-2 and T5 are trained whole there, OPT and "
			 "Llama 2 with LoRA.",
			 heads, 5);
	for (size_t i = 0; i < FAMILIES; i++) {
		const struct family *family = &families[i];
		const double values[] = {family->paper_trainable_m, family->paper_memory_gb,
					 family->paper_decision_ms, family->paper_training_h};
		char text[4][32];
		const char *cells[5] = {family->whole_name};

		for (int c = 0; c < 4; c++) {
			snprintf(text[c], sizeof(text[c]), "%.4g", values[c]);
			cells[c + 1] = text[c];
		}
		html_table_row(html, cells, 5);
	}
	html_table_end(html);
}

static int put_page(const struct comparison *comparison, const char *folder, const char *figures,
		    struct error *error)
{
	struct html *html = html_open("Four backbones", "figures 9, 10 and 17 to 20 of the paper");
	char path[4300], svg[4300], link[96];

	if (!html)
		return error_set(error, ERR_NO_MEMORY, "out of memory for a report");
	html_note(html, comparison->whole
				? "The paper's shapes with random weights: cost is as with the "
				  "pre-trained ones, accuracy is not."
				: "Small shapes of each family, four layers, with random weights: "
				  "what they cost compares, what they know does not.");
	put_table(html, comparison);
	put_paper(html);
	for (int f = 0; f < FIGURES; f++) {
		snprintf(svg, sizeof(svg), "%s/%s.svg", figures, drawn[f].name);
		snprintf(link, sizeof(link), "figures/%s.csv", drawn[f].name);
		html_figure(html, svg, link, drawn[f].caption);
	}
	html_section(html, "How it was made");
	html_verbatim(html, comparison->notes);
	snprintf(path, sizeof(path), "%s/report.html", folder);
	return html_close(html, path, error);
}

int comparison_write(struct comparison *comparison, const char *folder, struct error *error)
{
	char figures[4200];
	int code = file_join(figures, sizeof(figures), folder, "figures", error);

	if (code == 0)
		code = file_make_folders(figures, error);
	comparison->has_picture = true;
	for (int f = 0; code == 0 && f < FIGURES; f++) {
		code = draw(comparison, (enum paper_figure)f, figures, error);
		if (code == ERR_UNSUPPORTED) {
			comparison->has_picture = false;
			code = 0;
		}
	}
	return code ? code : put_page(comparison, folder, figures, error);
}

static void print_json(const struct comparison *comparison)
{
	json_t *list = json_array();

	for (size_t i = 0; i < comparison->count; i++) {
		json_t *row = json_pack("{s:s}", "backbone", arm_title(comparison, i));

		for (int c = 0; c < COLUMNS; c++) {
			const double value = cell(&comparison->arms[i], (enum column)c);

			json_object_set_new(row, columns[c].key,
					    isnan(value) ? json_null() : json_real(value));
		}
		json_array_append_new(list, row);
	}
	json_dumpf(list, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
	putchar('\n');
	json_decref(list);
}

void comparison_print(const struct comparison *comparison, bool json)
{
	if (json) {
		print_json(comparison);
		return;
	}
	printf("\n%-20s", "");
	for (size_t i = 0; i < comparison->count; i++)
		printf(" %14s", arm_title(comparison, i));
	putchar('\n');
	for (int c = 0; c < COLUMNS; c++) {
		printf("%-20s", columns[c].title);
		for (size_t i = 0; i < comparison->count; i++) {
			char text[32];

			put_cell(text, sizeof(text), &comparison->arms[i], (enum column)c);
			printf(" %14s", text);
		}
		putchar('\n');
	}
}
