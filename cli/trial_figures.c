/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Series out of runs.  Bins before the end of warm-up are shown over time and
 * left out of distributions.
 */
#include "cli/trial_figures.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "report/figure.h"

#define CDF_POINTS 200
#define OVER_TIME_SERIES 8 /* more lines over time cannot be told apart */

/* Series of one figure and the memory behind them. */
struct canvas {
	struct figure figure;
	double *memory[2 * FIGURE_MAX_SERIES];
	size_t memories;
};

static const struct {
	const char *name, *caption;
} figures[] = {
#define TRIAL_FIGURE_ROW(name, caption) {#name, caption},
	TRIAL_FIGURE_TABLE(TRIAL_FIGURE_ROW)
#undef TRIAL_FIGURE_ROW
};

void trial_figure_name(const struct trial *trial, size_t scenario, enum trial_figure figure,
		       char *name, size_t size)
{
	snprintf(name, size, "%s-%s", trial->scenarios[scenario].name, figures[figure].name);
	for (char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
			*c = '_';
}

const char *trial_figure_caption(enum trial_figure figure)
{
	return figures[figure].caption;
}

static double *canvas_memory(struct canvas *canvas, size_t count)
{
	double *memory = calloc(count + 1, sizeof(*memory));

	if (memory)
		canvas->memory[canvas->memories++] = memory;
	return memory;
}

static void canvas_free(struct canvas *canvas)
{
	for (size_t i = 0; i < canvas->memories; i++)
		free(canvas->memory[i]);
}

static struct figure_series *add_series(struct canvas *canvas, const char *name)
{
	struct figure_series *series = &canvas->figure.series[canvas->figure.series_count++];

	series->name = name;
	return series;
}

static bool is_delay(enum trial_figure figure)
{
	return figure == TRIAL_FIGURE_qdelay_time || figure == TRIAL_FIGURE_qdelay_box ||
	       figure == TRIAL_FIGURE_qdelay_cdf;
}

static int add_over_time(struct canvas *canvas, const struct trial *trial, size_t scenario,
			 size_t arm, bool delay)
{
	const struct trial_outcome *run = trial_outcome_of(trial, scenario, arm, 0);
	struct figure_series *series;
	double *x, *y;

	if (arm >= OVER_TIME_SERIES)
		return 0;
	x = canvas_memory(canvas, run->bin_count);
	y = canvas_memory(canvas, run->bin_count);
	if (!x || !y)
		return ERR_NO_MEMORY;
	for (uint64_t i = 0; i < run->bin_count; i++) {
		x[i] = ((double)i + 0.5) * run->bin_s;
		y[i] = delay ? run->qdelay_ms[i] : run->utilisation[i];
	}
	series = add_series(canvas, trial->arms[arm].name);
	series->x = x;
	series->y = y;
	series->count = run->bin_count;
	return 0;
}

/* The delays of all seeds of an arm in one histogram; the caller frees it. */
static struct histogram *merge_delays(const struct trial *trial, size_t scenario, size_t arm)
{
	struct histogram *all = calloc(1, sizeof(*all));

	for (size_t seed = 0; all && seed < trial->seeds; seed++)
		trial_delays_merge(all, &trial_outcome_of(trial, scenario, arm, seed)->qdelay_ns);
	return all;
}

/* Utilisation of all bins after warm-up, ascending; the caller frees it. */
static double *merge_utilisation(const struct trial *trial, size_t scenario, size_t arm,
				 size_t *count)
{
	const struct trial_outcome *first = trial_outcome_of(trial, scenario, arm, 0);
	double *values = calloc(first->bin_count * trial->seeds + 1, sizeof(*values));

	*count = 0;
	for (size_t seed = 0; values && seed < trial->seeds; seed++) {
		const struct trial_outcome *run = trial_outcome_of(trial, scenario, arm, seed);

		for (uint64_t i = 0; i < run->bin_count; i++)
			if ((double)i * run->bin_s >= run->warmup_s)
				values[(*count)++] = run->utilisation[i];
	}
	return values;
}

static struct box delay_box(const struct histogram *delays)
{
	if (delays->count == 0)
		return (struct box){NAN, NAN, NAN, NAN, NAN, NAN};
	return (struct box){
		.p5 = histogram_quantile(delays, 0.05) / 1e6,
		.q1 = histogram_quantile(delays, 0.25) / 1e6,
		.median = histogram_quantile(delays, 0.5) / 1e6,
		.q3 = histogram_quantile(delays, 0.75) / 1e6,
		.p95 = histogram_quantile(delays, 0.95) / 1e6,
		.mean = histogram_mean(delays) / 1e6,
	};
}

/* Points (value, share of values up to it). */
static int add_cdf(struct canvas *canvas, const char *name, const struct histogram *delays,
		   const double *sorted, size_t count)
{
	struct figure_series *series;
	double *x = canvas_memory(canvas, CDF_POINTS), *y = canvas_memory(canvas, CDF_POINTS);

	if (!x || !y)
		return ERR_NO_MEMORY;
	for (int i = 0; i < CDF_POINTS; i++) {
		y[i] = (double)i / (CDF_POINTS - 1);
		x[i] = delays ? histogram_quantile(delays, y[i]) / 1e6
			      : statistics_quantile(sorted, count, y[i]);
	}
	series = add_series(canvas, name);
	series->x = x;
	series->y = y;
	series->count = CDF_POINTS;
	return 0;
}

static int add_delay_shape(struct canvas *canvas, const struct trial *trial, size_t scenario,
			   size_t arm, bool cdf)
{
	struct histogram *delays = merge_delays(trial, scenario, arm);
	int code = 0;

	if (delays == NULL)
		return ERR_NO_MEMORY;
	if (cdf)
		code = add_cdf(canvas, trial->arms[arm].name, delays, NULL, 0);
	else
		add_series(canvas, trial->arms[arm].name)->box = delay_box(delays);
	free(delays);
	return code;
}

static int add_utilisation_shape(struct canvas *canvas, const struct trial *trial, size_t scenario,
				 size_t arm, bool cdf)
{
	size_t count;
	double *values = merge_utilisation(trial, scenario, arm, &count);
	struct box box;
	int code = 0;

	if (values == NULL)
		return ERR_NO_MEMORY;
	box = statistics_box(values, count);
	if (cdf)
		code = add_cdf(canvas, trial->arms[arm].name, NULL, values, count);
	else
		add_series(canvas, trial->arms[arm].name)->box = box;
	free(values);
	return code;
}

static int add_arm(struct canvas *canvas, const struct trial *trial, size_t scenario, size_t arm,
		   enum trial_figure figure)
{
	const bool delay = is_delay(figure);

	if (figure == TRIAL_FIGURE_qdelay_time || figure == TRIAL_FIGURE_utilisation_time)
		return add_over_time(canvas, trial, scenario, arm, delay);
	if (delay)
		return add_delay_shape(canvas, trial, scenario, arm,
				       figure == TRIAL_FIGURE_qdelay_cdf);
	return add_utilisation_shape(canvas, trial, scenario, arm,
				     figure == TRIAL_FIGURE_utilisation_cdf);
}

/* Kind and labels. */
static void lay_out(struct figure *figure, enum trial_figure which, const char *scenario)
{
	const char *quantity = is_delay(which) ? "queue delay, ms" : "utilisation";

	figure->title = scenario;
	figure->y_label = quantity;
	switch (which) {
	case TRIAL_FIGURE_qdelay_time:
	case TRIAL_FIGURE_utilisation_time:
		figure->x_label = "time, s";
		break;
	case TRIAL_FIGURE_qdelay_cdf:
	case TRIAL_FIGURE_utilisation_cdf:
		figure->x_label = quantity;
		figure->y_label = "share of packets";
		if (which == TRIAL_FIGURE_utilisation_cdf)
			figure->y_label = "share of bins";
		figure->y_high = 1;
		break;
	default:
		figure->kind = FIGURE_BOXES;
	}
}

static int write_figure(const struct trial *trial, size_t scenario, enum trial_figure which,
			const char *folder, struct error *error)
{
	struct canvas *canvas = calloc(1, sizeof(*canvas));
	char name[200];
	int code = canvas ? 0 : ERR_NO_MEMORY;

	trial_figure_name(trial, scenario, which, name, sizeof(name));
	if (canvas)
		lay_out(&canvas->figure, which, trial->scenarios[scenario].name);
	for (size_t arm = 0; code == 0 && arm < trial->arm_count && arm < FIGURE_MAX_SERIES; arm++)
		code = add_arm(canvas, trial, scenario, arm, which);
	if (code)
		error_set(error, code, "out of memory for a figure");
	else
		code = figure_write(&canvas->figure, folder, name, error);
	if (canvas)
		canvas_free(canvas);
	free(canvas);
	return code;
}

/* Figures being drawn at once; each job has its own error. */
struct drawing {
	const struct trial *trial;
	const char *folder;
	struct error *errors; /* (figures) */
};

static int draw(void *context, size_t index)
{
	const struct drawing *drawing = context;
	const struct trial *trial = drawing->trial;

	if (trial->stop && trial->stop(trial->context))
		return error_set(&drawing->errors[index], ERR_INTERRUPTED,
				 "interrupted at the report");
	return write_figure(trial, index / TRIAL_FIGURES,
			    (enum trial_figure)(index % TRIAL_FIGURES), drawing->folder,
			    &drawing->errors[index]);
}

int trial_figures_write(const struct trial *trial, size_t scenarios, const char *folder,
			unsigned threads, struct error *error)
{
	const size_t count = scenarios * TRIAL_FIGURES;
	struct drawing drawing = {trial, folder, calloc(count + 1, sizeof(*drawing.errors))};
	int code;

	if (drawing.errors == NULL)
		return error_set(error, ERR_NO_MEMORY, "out of memory for figures");
	code = parallel_for(count, threads, draw, &drawing);
	for (size_t i = 0; i < count; i++) {
		/* What stopped the drawing matters more than that pictures cannot be had. */
		if (drawing.errors[i].code && (code == 0 || code == ERR_UNSUPPORTED))
			code = drawing.errors[i].code;
		if (drawing.errors[i].code == code && error && error->code == 0)
			*error = drawing.errors[i];
	}
	free(drawing.errors);
	return code;
}
