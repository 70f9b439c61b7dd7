/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures as a gnuplot script, one alone or several as panels of one picture,
 * whose file is replaced atomically.
 *
 * Colours are Okabe and Ito's set, which colour-blind readers can tell apart.
 */
#include "report/figure.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "report/gnuplot.h"

#define WIDTH 820 /* of a figure, in pixels of SVG */
#define HEIGHT 400
#define PANEL_WIDTH 560
#define PANEL_HEIGHT 310
#define PNG_SCALE 2 /* pixels of PNG for one of SVG */

static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
				      "#E69F00", "#56B4E9", "#7F7F7F", "#000000"};

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

/* What goes into one picture. */
struct picture {
	const struct figure *panels;
	size_t count;
	const char *title;
	bool png;
};

static int file_of(char *path, size_t size, const char *folder, const char *name,
		   const char *suffix, struct error *error)
{
	char file[256];

	if (snprintf(file, sizeof(file), "%s%s", name, suffix) >= (int)sizeof(file))
		return error_set(error, ERR_RANGE, "the name of a figure is too long");
	return file_join(path, size, folder, file, error);
}

/* A text in gnuplot's single quotes: nothing but the quote is special; control characters go. */
static void put_text(FILE *out, const char *text)
{
	fputc('\'', out);
	for (; *text; text++) {
		if (*text == '\'')
			fputc('\'', out);
		if ((unsigned char)*text >= ' ')
			fputc(*text, out);
	}
	fputc('\'', out);
}

static void put_label(FILE *out, const char *what, const char *text)
{
	fprintf(out, "set %s ", what);
	put_text(out, text);
	fputc('\n', out);
}

static void put_terminal(FILE *out, bool png, int width, int height)
{
	if (png)
		fprintf(out,
			"set terminal pngcairo size %d,%d font 'sans,10' fontscale %d linewidth %d "
			"pointscale %d background 'white' noenhanced\n",
			width * PNG_SCALE, height * PNG_SCALE, PNG_SCALE, PNG_SCALE, PNG_SCALE);
	else
		fprintf(out,
			"set terminal svg size %d,%d dynamic font 'Helvetica,Arial,sans-serif,13' "
			"background 'white' noenhanced\n",
			width, height);
	fputs("set border 3 lc rgb '#666666'\nset tics nomirror\nset style data lines\n"
	      "set grid ytics lc rgb '#dddddd' lt 1 lw 1\n",
	      out);
}

static bool is_plane(const struct figure *figure)
{
	return figure->kind == FIGURE_LINES || figure->kind == FIGURE_POINTS;
}

/* Forgets what the figure before may have set. */
static void put_header(FILE *out, const struct figure *figure, const struct picture *picture)
{
	const bool panel = picture->count > 1;

	fputs("unset logscale\nset xrange [*:*]\nset yrange [*:*]\nset xtics norotate autofreq\n",
	      out);
	if (panel && figure->series_count + figure->line_count < 2)
		fputs("unset key\n", out);
	else if (panel)
		fputs("set key above right horizontal Left reverse samplen 1.5 width 1\n", out);
	else
		fprintf(out, "set key outside right top vertical Left reverse samplen 2 width %d\n",
			picture->png ? 1 : -1);
	/* Above a panel stands its key; its axes say the rest. */
	put_label(out, "title", panel && is_plane(figure) ? "" : figure->title);
	put_label(out, "xlabel", figure->x_label ? figure->x_label : "");
	put_label(out, "ylabel", strcmp(figure->y_label, figure->title) ? figure->y_label : "");
	if (figure->log_x)
		fputs("set logscale x\n", out);
	if (figure->log_y)
		fputs("set logscale y\n", out);
	if (figure->y_low != figure->y_high)
		fprintf(out, "set yrange [%.9g:%.9g]\n", figure->y_low, figure->y_high);
	else if (!is_plane(figure) || figure->from_zero)
		fputs("set yrange [0:*]\n", out);
}

static void put_lines_data(FILE *out, const struct figure *figure)
{
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct figure_series *series = &figure->series[s];

		fprintf(out, "$d%zu << EOD\n", s);
		for (size_t i = 0; i < series->count; i++) {
			if (isfinite(series->x[i]) && isfinite(series->y[i]))
				fprintf(out, "%.9g %.9g\n", series->x[i], series->y[i]);
			else
				fputc('\n', out);
		}
		fputs("EOD\n", out);
	}
}

static void put_lines_plot(FILE *out, const struct figure *figure)
{
	put_lines_data(out, figure);
	fputs("plot ", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		fprintf(out, "%s$d%zu using 1:2 with %s lc rgb '%s' title ", s ? ", " : "", s,
			figure->kind == FIGURE_POINTS ? "points pt 7 ps 0.7"
			: figure->points	      ? "linespoints lw 1.6 pt 7 ps 0.9"
						      : "lines lw 1.6",
			colours[s % COLOURS]);
		put_text(out, figure->series[s].name);
	}
	for (size_t l = 0; l < figure->line_count; l++) {
		fprintf(out, "%s%.9g with lines dt 2 lw 1.2 lc rgb '%s' title ",
			l || figure->series_count ? ", " : "", figure->lines[l].y,
			colours[COLOURS - 1 - l % COLOURS]);
		put_text(out, figure->lines[l].name);
	}
	fputc('\n', out);
}

/* Names below the boxes or bars, turned when there are many. */
static void put_names(FILE *out, const struct figure *figure)
{
	fprintf(out, "unset key\nset xtics %s(",
		figure->series_count > 5 ? "rotate by -25 " : "");
	for (size_t s = 0; s < figure->series_count; s++) {
		if (s)
			fputs(", ", out);
		put_text(out, figure->series[s].name);
		fprintf(out, " %zu", s + 1);
	}
	fprintf(out, ")\nset xrange [0.4:%zu.6]\nset boxwidth 0.5\n", figure->series_count);
}

static void put_boxes_plot(FILE *out, const struct figure *figure)
{
	put_names(out, figure);
	fputs("set style fill solid 0.35\n", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct box *box = &figure->series[s].box;

		fprintf(out, "$d%zu << EOD\n", s);
		if (isfinite(box->median))
			fprintf(out, "%zu %.9g %.9g %.9g %.9g %.9g %.9g\n", s + 1, box->p5, box->q1,
				box->median, box->q3, box->p95, box->mean);
		fputs("EOD\n", out);
	}
	fputs("plot ", out);
	for (size_t s = 0; s < figure->series_count; s++)
		fprintf(out,
			"%s$d%zu using 1:3:2:6:5 with candlesticks whiskerbars 0.4 lw 1.4 lc rgb "
			"'%s', $d%zu using 1:4:4:4:4 with candlesticks lw 2.4 lc rgb '#222222', "
			"$d%zu using 1:7 with points pt 2 ps 0.7 lc rgb '#222222'",
			s ? ", " : "", s, colours[s % COLOURS], s, s);
	fputc('\n', out);
}

static void put_bars_plot(FILE *out, const struct figure *figure)
{
	put_names(out, figure);
	fputs("set style fill solid 0.6\n", out);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct interval *bar = &figure->series[s].bar;

		fprintf(out, "$d%zu << EOD\n", s);
		if (isfinite(bar->mean))
			fprintf(out, "%zu %.9g %.9g\n", s + 1, bar->mean,
				isfinite(bar->half_width) ? bar->half_width : 0);
		fputs("EOD\n", out);
	}
	fputs("plot ", out);
	for (size_t s = 0; s < figure->series_count; s++)
		fprintf(out,
			"%s$d%zu using 1:2 with boxes lc rgb '%s', $d%zu using "
			"1:($2-$3):(0):(2*$3) with vectors heads size graph 0.012,90 lw 1.6 "
			"lc rgb '#222222'",
			s ? ", " : "", s, colours[s % COLOURS], s);
	fputc('\n', out);
}

static void put_figure(FILE *out, const struct figure *figure, const struct picture *picture)
{
	put_header(out, figure, picture);
	if (is_plane(figure))
		put_lines_plot(out, figure);
	else if (figure->kind == FIGURE_BOXES)
		put_boxes_plot(out, figure);
	else
		put_bars_plot(out, figure);
}

static void put_picture(FILE *out, const void *context)
{
	const struct picture *picture = context;
	const size_t columns = picture->count > 1 ? 2 : 1;
	const size_t rows = (picture->count + columns - 1) / columns;

	if (picture->count == 1) {
		put_terminal(out, picture->png, WIDTH, HEIGHT);
		put_figure(out, &picture->panels[0], picture);
		return;
	}
	put_terminal(out, picture->png, (int)columns * PANEL_WIDTH, (int)rows * PANEL_HEIGHT);
	fprintf(out, "set multiplot layout %zu,%zu title ", rows, columns);
	put_text(out, picture->title);
	fputs(picture->png ? " font 'sans,12'\n" : " font ',16'\n", out);
	for (size_t p = 0; p < picture->count; p++)
		put_figure(out, &picture->panels[p], picture);
	fputs("unset multiplot\n", out);
}

static int write_csv(const struct figure *figure, const char *path, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	figure_put_csv(file.stream, figure);
	code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

static int write_picture(const struct picture *picture, const char *path, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	code = gnuplot_run(put_picture, picture, fileno(file.stream), error);
	if (code == 0)
		code = file_replace_commit(&file, error);
	if (code)
		file_replace_abort(&file);
	return code;
}

int figure_write(const struct figure *figure, const char *folder, const char *name,
		 struct error *error)
{
	const struct picture picture = {.panels = figure, .count = 1};
	char csv[4096], svg[4096];
	int code = file_of(csv, sizeof(csv), folder, name, ".csv", error);

	if (code == 0)
		code = file_of(svg, sizeof(svg), folder, name, ".svg", error);
	if (code == 0)
		code = write_csv(figure, csv, error);
	return code ? code : write_picture(&picture, svg, error);
}

/* The CSV beside a picture: of a panel, with the panel's name. */
static int csv_beside(char *csv, size_t size, const char *path, const char *panel,
		      struct error *error)
{
	const int stem = (int)(strlen(path) - strlen(".svg"));

	if (snprintf(csv, size, "%.*s%s%s.csv", stem, path, panel ? "-" : "", panel ? panel : "") >=
	    (int)size)
		return error_at(error, ERR_RANGE, path, 0, NULL, "path is too long");
	return 0;
}

int figure_save(const struct figure *panels, size_t count, const char *title, const char *path,
		struct error *error)
{
	const struct picture picture = {panels, count, title, file_has_suffix(path, ".png")};
	char csv[4200];
	int code = 0;

	if (!picture.png && !file_has_suffix(path, ".svg"))
		return error_at(error, ERR_INVALID, path, 0, NULL,
				"is not a picture we can draw; end its name in .svg or .png");
	for (size_t p = 0; code == 0 && p < count; p++) {
		code = csv_beside(csv, sizeof(csv), path, count > 1 ? panels[p].name : NULL, error);
		if (code == 0)
			code = write_csv(&panels[p], csv, error);
	}
	return code ? code : write_picture(&picture, path, error);
}
