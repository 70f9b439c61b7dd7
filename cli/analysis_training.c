/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Training, read back: how |J - J*| shrinks, and eq. 9 beside it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/analysis.h"
#include "cli/policy_label.h"
#include "report/contraction.h"
#include "report/table.h"

/* One run's record. */
struct training {
	const char *name, *column;
	double *values; /* (count); owned */
	size_t count;
};

/* Drops rows without a value; false: none is left. */
static bool keep_finite(double *values, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++)
		if (isfinite(values[i]))
			values[kept++] = values[i];
	*count = kept;
	return kept > 0;
}

static int read_column(struct training *training, const char *path, const char *column,
		       struct error *error)
{
	struct table_column cells = {.name = column};
	int code = table_read(path, &cells, 1, &training->count, error);

	if (code)
		return code;
	training->column = column;
	if (!keep_finite(cells.cells, &training->count)) {
		table_free(&cells, 1);
		return error_at(error, ERR_INVALID, path, 0, column,
				"no row has a value; name another column by --column");
	}
	training->values = cells.cells;
	return 0;
}

/* Records that there are, and what of each is J: the first column that has values. */
static const struct {
	const char *file, *columns[2];
} records[] = {
	{"metrics.csv", {"held_out_log_loss", "train_loss"}}, /* aqmllm train */
	{"progress.csv", {"held_back", "reward_mean"}},	      /* aqmllm reinforce */
};

static int find_record(const char *folder, char *path, size_t size, struct error *error)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		const int code = file_join(path, size, folder, records[i].file, error);

		if (code)
			return code;
		if (file_exists(path))
			return (int)i;
	}
	return error_at(error, ERR_NOT_FOUND, folder, 0, "--run",
			"holds no record of a training run: neither %s nor %s", records[0].file,
			records[1].file);
}

int analysis_check_record(const char *folder, struct error *error)
{
	char path[4200];
	const int record = find_record(folder, path, sizeof(path), error);

	return record < 0 ? record : 0;
}

static int training_read(struct training *training, const char *label, const char *folder,
			 const char *column, struct error *error)
{
	struct error first = {0};
	char path[4200];
	const int record = find_record(folder, path, sizeof(path), error);

	*training = (struct training){.name = label};
	if (record < 0)
		return record;
	if (column)
		return read_column(training, path, column, error);
	if (read_column(training, path, records[record].columns[0], &first) == 0)
		return 0;
	return read_column(training, path, records[record].columns[1], error);
}

static const struct findings_column columns[] = {
	{"run", "run"},
	{"measure", "J"},
	{"epochs", "values"},
	{"first", "J_0"},
	{"last", "J_last"},
	{"limit", "J* (fit)"},
	{"rate", "rho"},
	{"rate_low", "95 % from"},
	{"rate_high", "to"},
	{"explained", "R²"},
	{"lambda", "lambda"},
	{"needed", "eq. 9 needs"},
};

static void judge(struct findings *findings, const struct training *training,
		  const struct contraction *fit)
{
	if (isnan(fit->rate))
		findings_verdict(findings, "%s: %zu values are too few to fit a rate: %d at least",
				 training->name, training->count, CONTRACTION_LEAST);
	else if (fit->explained < 0.5)
		findings_verdict(findings,
				 "%s: no contraction is visible: J* + A rho^k explains %.0f %% of "
				 "the variation of %s",
				 training->name, 100 * fit->explained, training->column);
	else
		findings_verdict(findings,
				 "%s: |J_k - J*| shrinks by a factor %.4g a step (95 %%: %.4g to "
				 "%.4g), half-life %.3g steps",
				 training->name, fit->rate, fit->rate_bounds.low,
				 fit->rate_bounds.high, log(0.5) / log(fit->rate));
	if (fit->needed >= 1)
		findings_verdict(findings,
				 "%s: at value %zu |J_k - J*| is no smaller than at the first: no "
				 "lambda > 0 makes eq. 9 true of this run",
				 training->name, fit->worst + 1);
	else if (fit->needed > 0)
		findings_verdict(findings,
				 "%s: eq. 9 holds at every step up to a factor of %.4g a step "
				 "(value %zu needs it), not at the fitted rate",
				 training->name, fit->needed, fit->worst + 1);
}

/* |J_k - J*|, the fit and eq. 9 with the factor it needs. */
static int draw(struct findings *findings, const struct training *training,
		const struct contraction *fit, size_t index, struct error *error)
{
	struct figure *figure = calloc(1, sizeof(*figure));
	const size_t count = training->count;
	double *memory = calloc(4 * count + 1, sizeof(*memory));
	static const char *const names[] = {"|J - J*|, measured", "fit", "eq. 9, least factor"};
	char name[64], title[128];
	const double start = fabs(training->values[0] - fit->limit);

	if (!figure || !memory) {
		free(figure);
		free(memory);
		return error_set(error, ERR_NO_MEMORY, "out of memory for a figure");
	}
	for (size_t k = 0; k < count; k++) {
		memory[k] = (double)k + 1;
		memory[count + k] = fabs(training->values[k] - fit->limit);
		memory[2 * count + k] = fabs(fit->amplitude) * pow(fit->rate, (double)k);
		memory[3 * count + k] = start * pow(fit->needed, (double)k);
	}
	for (size_t s = 0; s < 3; s++)
		figure->series[figure->series_count++] = (struct figure_series){
			.name = names[s], .x = memory, .y = memory + (s + 1) * count,
			.count = count};
	snprintf(title, sizeof(title), "%.60s: |%.30s - J*|", training->name, training->column);
	snprintf(name, sizeof(name), "contraction-%zu", index + 1);
	figure->kind = FIGURE_LINES;
	figure->title = title;
	figure->x_label = "epoch or generation with a value";
	figure->y_label = training->column;
	figure->from_zero = true;
	findings_figure(findings, figure, name, "Distance from the fitted limit over training");
	free(memory);
	free(figure);
	return 0;
}

static int tell(struct findings *findings, const char *label, const char *folder,
		const char *column, double gamma, size_t index, struct error *error)
{
	struct training training;
	struct contraction fit;
	int code = training_read(&training, label, folder, column, error);

	if (code)
		return code;
	fit = contraction_of(training.values, training.count);
	findings_row(findings, (const struct findings_cell[]){
				       {training.name, 0},
				       {training.column, 0},
				       {NULL, (double)training.count},
				       {NULL, training.values[0]},
				       {NULL, training.values[training.count - 1]},
				       {NULL, fit.limit},
				       {NULL, fit.rate},
				       {NULL, fit.rate_bounds.low},
				       {NULL, fit.rate_bounds.high},
				       {NULL, fit.explained},
				       {NULL, (1 - fit.rate) / gamma},
				       {NULL, fit.needed},
			       });
	judge(findings, &training, &fit);
	if (!isnan(fit.rate))
		code = draw(findings, &training, &fit, index, error);
	free(training.values);
	return code;
}

int analysis_training(const char *const *folders, size_t count, const char *column, double gamma,
		      struct findings *findings, struct error *error)
{
	int code = 0;

	findings_section(findings, "Contraction over training");
	findings_say(findings,
		     "J_k = J* + A rho^k fitted by least squares to a column of the run's record, "
		     "k counting the epochs or generations that have a value; intervals: "
		     "bootstrap of the residuals. Eq. 9 "
		     "of the paper, |J_k - J*| <= (1 - gamma lambda)^k |J_0 - J*|, leaves lambda "
		     "open: (1 - rho) / gamma is what the fit makes of it with gamma %g, and the "
		     "last column is the smallest factor with which the inequality holds at every "
		     "one. J of a run of train is a supervised loss, which is not the return that "
		     "eq. 9 speaks of; of reinforce it is the reward on networks held back.",
		     gamma);
	findings_table(findings, "training", "Fitted contraction", columns,
		       sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; code == 0 && i < count; i++)
		code = tell(findings, policy_label(folders, count, i), folders[i], column, gamma, i,
			    error);
	if (code == 0)
		findings_table_end(findings);
	return code;
}
