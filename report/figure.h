/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures: the numbers as CSV, always, and a picture drawn by gnuplot.
 */
#ifndef REPORT_FIGURE_H
#define REPORT_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"
#include "report/statistics.h"

#define FIGURE_MAX_SERIES 24
#define FIGURE_MAX_LINES 8

enum figure_kind {
	FIGURE_LINES, /* y over x */
	FIGURE_POINTS, /* the same, unconnected */
	FIGURE_BOXES, /* one box a series */
	FIGURE_BARS,  /* one bar a series, with its interval */
};

struct figure_series {
	const char *name;
	const double *x, *y;    /* (count): of lines or points; a NaN leaves a gap */
	size_t count;
	struct box box;
	struct interval bar;
};

/* A horizontal line to compare with. */
struct figure_line {
	const char *name;
	double y;
};

struct figure {
	enum figure_kind kind;
	const char *name;       /* for the file of a panel's numbers */
	const char *title, *x_label, *y_label;
	bool log_x, log_y;
	bool points;            /* lines: every value has a mark of its own */
	bool from_zero;         /* y begins at 0: boxes and bars do anyway */
	double y_low, y_high;   /* range of y; both 0: as the data want it */
	struct figure_series series[FIGURE_MAX_SERIES];
	size_t series_count;
	struct figure_line lines[FIGURE_MAX_LINES];
	size_t line_count;
};

/*
 * Writes `folder`/`name`.csv, then `folder`/`name`.svg.  ERR_UNSUPPORTED when
 * there is no gnuplot: the CSV is there then.  All names are taken as plain text.
 */
int figure_write(const struct figure *figure, const char *folder, const char *name,
		 struct error *error);

/*
 * Writes one figure, or several as panels of one picture under `title` (of one: not used), to
 * `path`, which ends in .svg or .png.  The numbers stand beside it: STEM.csv, or STEM-NAME.csv of
 * every panel.  ERR_UNSUPPORTED as above.
 */
int figure_save(const struct figure *panels, size_t count, const char *title, const char *path,
		struct error *error);

/* The numbers alone. */
void figure_put_csv(FILE *out, const struct figure *figure);

#endif
