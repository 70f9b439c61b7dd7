/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The numbers of a figure, a line a point, box or bar.
 */
#include <math.h>
#include <stdio.h>

#include "report/figure.h"

/* A text in a CSV cell: quoted, with quotes doubled. */
static void put_cell(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "%.9g", value);
}

static void put_lines_csv(FILE *out, const struct figure *figure)
{
	fputs("series,x,y\n", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct figure_series *series = &figure->series[s];

		for (size_t i = 0; i < series->count; i++) {
			put_cell(out, series->name);
			fputc(',', out);
			put_number(out, series->x[i]);
			fputc(',', out);
			put_number(out, series->y[i]);
			fputc('\n', out);
		}
	}
	for (size_t l = 0; l < figure->line_count; l++) {
		put_cell(out, figure->lines[l].name);
		fputs(",,", out);
		put_number(out, figure->lines[l].y);
		fputc('\n', out);
	}
}

static void put_boxes_csv(FILE *out, const struct figure *figure)
{
	fputs("series,p5,q1,median,q3,p95,mean\n", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct box *box = &figure->series[s].box;
		const double cells[] = {box->p5, box->q1,  box->median,
					box->q3, box->p95, box->mean};

		put_cell(out, figure->series[s].name);
		for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++) {
			fputc(',', out);
			put_number(out, cells[i]);
		}
		fputc('\n', out);
	}
}

static void put_bars_csv(FILE *out, const struct figure *figure)
{
	fputs("series,mean,half_width_95,runs\n", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct interval *bar = &figure->series[s].bar;

		put_cell(out, figure->series[s].name);
		fputc(',', out);
		put_number(out, bar->mean);
		fputc(',', out);
		put_number(out, bar->half_width);
		fprintf(out, ",%zu\n", bar->count);
	}
}

void figure_put_csv(FILE *out, const struct figure *figure)
{
	if (figure->kind == FIGURE_LINES || figure->kind == FIGURE_POINTS)
		put_lines_csv(out, figure);
	else if (figure->kind == FIGURE_BOXES)
		put_boxes_csv(out, figure);
	else
		put_bars_csv(out, figure);
}
