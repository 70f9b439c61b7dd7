/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines on a grid of dots, bars of eighths.
 *
 * A character in braille holds 2 x 4 dots; without Unicode, or without colours
 * and with several series, it holds one, and the series is its letter.
 */
#include "report/chart.h"

#include <math.h>
#include <string.h>

#define MAX_WIDTH 200
#define MAX_HEIGHT 50
#define NAME_WIDTH 14

struct canvas {
	int width, height;     /* characters */
	int fine_x, fine_y;    /* dots in a character */
	unsigned char dots[MAX_HEIGHT][MAX_WIDTH];
	signed char owner[MAX_HEIGHT][MAX_WIDTH]; /* series drawn last; -1: none */
	double x_low, x_high, y_low, y_high;
	bool log_x;
};

static const char letters[] = "*+ox#@%&";
static const int colours[] = {34, 31, 32, 35, 33, 36, 37, 90};

static double x_of(const struct canvas *canvas, double x)
{
	return canvas->log_x ? log10(x) : x;
}

static bool shown(const struct canvas *canvas, const struct figure_series *series, size_t i)
{
	return isfinite(series->x[i]) && isfinite(series->y[i]) &&
	       (!canvas->log_x || series->x[i] > 0);
}

static void widen(double value, double *low, double *high)
{
	if (!(*low <= value))
		*low = value;
	if (!(*high >= value))
		*high = value;
}

/* Ranges of both axes; a range of nothing is opened a little. */
static void find_ranges(struct canvas *canvas, const struct figure *figure)
{
	canvas->x_low = canvas->x_high = canvas->y_low = canvas->y_high = NAN;
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct figure_series *series = &figure->series[s];

		for (size_t i = 0; i < series->count; i++) {
			if (!shown(canvas, series, i))
				continue;
			widen(x_of(canvas, series->x[i]), &canvas->x_low, &canvas->x_high);
			widen(series->y[i], &canvas->y_low, &canvas->y_high);
		}
	}
	if (figure->from_zero)
		widen(0, &canvas->y_low, &canvas->y_high);
	if (figure->y_low != figure->y_high) {
		canvas->y_low = figure->y_low;
		canvas->y_high = figure->y_high;
	}
	if (!(canvas->x_high > canvas->x_low))
		canvas->x_high = canvas->x_low + 1;
	if (!(canvas->y_high > canvas->y_low))
		canvas->y_high = canvas->y_low + 1;
}

static void set_dot(struct canvas *canvas, int x, int y, int series)
{
	/* Bits of a braille character by row, left and right (Unicode chapter 21.1). */
	static const unsigned char bits[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
	const int column = x / canvas->fine_x, row = y / canvas->fine_y;

	if (x < 0 || y < 0 || column >= canvas->width || row >= canvas->height)
		return;
	canvas->dots[row][column] |= bits[y % canvas->fine_y][x % canvas->fine_x];
	canvas->owner[row][column] = (signed char)series;
}

/* Dot coordinates of a point; y grows downwards. */
static double dot_x(const struct canvas *canvas, double x)
{
	return (x_of(canvas, x) - canvas->x_low) / (canvas->x_high - canvas->x_low) *
	       (canvas->width * canvas->fine_x - 1);
}

static double dot_y(const struct canvas *canvas, double y)
{
	return (canvas->y_high - y) / (canvas->y_high - canvas->y_low) *
	       (canvas->height * canvas->fine_y - 1);
}

static void draw_segment(struct canvas *canvas, double x0, double y0, double x1, double y1,
			 int series)
{
	const double steps = fmin(fmax(fabs(x1 - x0), fabs(y1 - y0)), 4000);

	for (double step = 0; step <= steps; step++) {
		const double share = steps > 0 ? step / steps : 0;

		set_dot(canvas, (int)lround(x0 + share * (x1 - x0)),
			(int)lround(y0 + share * (y1 - y0)), series);
	}
}

static void draw_series(struct canvas *canvas, const struct figure_series *series, int index)
{
	for (size_t i = 0; i < series->count; i++) {
		const size_t before = i > 0 && shown(canvas, series, i - 1) ? i - 1 : i;

		if (shown(canvas, series, i))
			draw_segment(canvas, dot_x(canvas, series->x[before]),
				     dot_y(canvas, series->y[before]), dot_x(canvas, series->x[i]),
				     dot_y(canvas, series->y[i]), index);
	}
}

/* A braille character: U+2800 and its dots, in UTF-8. */
static void put_dots(FILE *out, unsigned char dots)
{
	fputc(0xe2, out);
	fputc(0xa0 | dots >> 6, out);
	fputc(0x80 | (dots & 0x3f), out);
}

static void put_cell(FILE *out, const struct canvas *canvas, const struct chart_style *style,
		     int row, int column)
{
	const int owner = canvas->owner[row][column];

	if (owner < 0) {
		fputc(' ', out);
		return;
	}
	if (style->colour)
		fprintf(out, "\x1b[%dm", colours[owner % 8]);
	if (canvas->fine_x > 1)
		put_dots(out, canvas->dots[row][column]);
	else
		fputc(letters[owner % 8], out);
	if (style->colour)
		fputs("\x1b[0m", out);
}

static void put_canvas(FILE *out, const struct canvas *canvas, const struct chart_style *style)
{
	const char *axis = style->unicode ? "\xe2\x94\x82" : "|";

	for (int row = 0; row < canvas->height; row++) {
		const double share = (double)row / (canvas->height - 1);
		const double y = canvas->y_high * (1 - share) + canvas->y_low * share;

		if (row % 4 == 0 || row == canvas->height - 1)
			fprintf(out, "%9.4g %s", y, axis);
		else
			fprintf(out, "%9s %s", "", axis);
		for (int column = 0; column < canvas->width; column++)
			put_cell(out, canvas, style, row, column);
		fputc('\n', out);
	}
}

static double x_value(const struct canvas *canvas, double share)
{
	const double x = canvas->x_low + share * (canvas->x_high - canvas->x_low);

	return canvas->log_x ? pow(10, x) : x;
}

static void put_x_axis(FILE *out, const struct canvas *canvas, const struct figure *figure,
		       const struct chart_style *style)
{
	char middle[160];
	const int half = canvas->width / 2;

	fprintf(out, "%9s %s", "", style->unicode ? "\xe2\x94\x94" : "+");
	for (int i = 0; i < canvas->width; i++)
		fputs(style->unicode ? "\xe2\x94\x80" : "-", out);
	snprintf(middle, sizeof(middle), "%.4g %s%s%s", x_value(canvas, 0.5),
		 figure->x_label ? "(" : "", figure->x_label ? figure->x_label : "",
		 figure->x_label ? ")" : "");
	fprintf(out, "\n%10s %-*.4g%-*s%9.4g\n", "", half, x_value(canvas, 0),
		canvas->width - half - 9, middle, x_value(canvas, 1));
}

static void put_legend(FILE *out, const struct figure *figure, const struct chart_style *style,
		       bool lettered)
{
	fprintf(out, "%10s", "");
	for (size_t s = 0; s < figure->series_count; s++) {
		fputc(' ', out);
		if (style->colour)
			fprintf(out, "\x1b[%dm", colours[s % 8]);
		if (lettered)
			fputc(letters[s % 8], out);
		else
			fputs("\xe2\x94\x81\xe2\x94\x81", out);
		if (style->colour)
			fputs("\x1b[0m", out);
		fprintf(out, " %s ", figure->series[s].name);
	}
	fputc('\n', out);
}

static void put_lines(FILE *out, const struct figure *figure, const struct chart_style *style)
{
	const bool fine = style->unicode && (style->colour || figure->series_count == 1);
	struct canvas canvas = {
		.width = style->width > MAX_WIDTH ? MAX_WIDTH : style->width,
		.height = style->height > MAX_HEIGHT ? MAX_HEIGHT : style->height,
		.fine_x = fine ? 2 : 1,
		.fine_y = fine ? 4 : 1,
		.log_x = figure->log_x,
	};

	memset(canvas.owner, -1, sizeof(canvas.owner));
	find_ranges(&canvas, figure);
	if (isnan(canvas.x_low)) {
		fputs("          (nothing to show)\n", out);
		return;
	}
	for (size_t s = 0; s < figure->series_count; s++)
		draw_series(&canvas, &figure->series[s], (int)s);
	put_canvas(out, &canvas, style);
	put_x_axis(out, &canvas, figure, style);
	if (figure->series_count > 1 || !fine)
		put_legend(out, figure, style, !fine);
}

void chart_put_bar(FILE *out, double share, int width, bool unicode)
{
	/* U+2588 is full, U+2589 to U+258F seven eighths to one. */
	const int steps = unicode ? 8 : 1;
	const double cut = share > 0 ? (share < 1 ? share : 1) : 0;
	const int filled = (int)lround(cut * width * steps);
	int used = filled / steps;

	for (int i = 0; i < used; i++)
		fputs(unicode ? "\xe2\x96\x88" : "#", out);
	if (filled % steps) {
		fprintf(out, "\xe2\x96%c", 0x90 - filled % steps);
		used++;
	}
	fprintf(out, "%*s", width - used, "");
}

void chart_put_spark(FILE *out, const double *values, size_t count, double high, bool unicode)
{
	static const char ascii[] = "_.:-=+*#";

	for (size_t i = 0; i < count; i++) {
		const double share = high > 0 ? values[i] / high : 0;
		const int level = share >= 1 ? 7 : share > 0 ? (int)(share * 8) : 0;

		if (isnan(values[i]))
			fputc(' ', out);
		else if (unicode)
			fprintf(out, "\xe2\x96%c", 0x81 + level);
		else
			fputc(ascii[level], out);
	}
}

static double bar_end(const struct figure *figure, size_t series)
{
	const struct figure_series *one = &figure->series[series];

	return figure->kind == FIGURE_BOXES ? one->box.median : one->bar.mean;
}

static void put_bars(FILE *out, const struct figure *figure, const struct chart_style *style)
{
	double high = 0;

	for (size_t s = 0; s < figure->series_count; s++)
		if (bar_end(figure, s) > high)
			high = bar_end(figure, s);
	for (size_t s = 0; s < figure->series_count; s++) {
		const struct figure_series *series = &figure->series[s];
		const double end = bar_end(figure, s);

		fprintf(out, "%-*.*s ", NAME_WIDTH, NAME_WIDTH, series->name);
		if (!isfinite(end)) {
			fputs("-\n", out);
			continue;
		}
		if (style->colour)
			fprintf(out, "\x1b[%dm", colours[s % 8]);
		chart_put_bar(out, high > 0 ? end / high : 0, style->width / 2, style->unicode);
		if (style->colour)
			fputs("\x1b[0m", out);
		if (figure->kind == FIGURE_BOXES)
			fprintf(out, " %.4g (%.4g to %.4g)\n", end, series->box.p5,
				series->box.p95);
		else if (isfinite(series->bar.half_width))
			fprintf(out, " %.4g +- %.2g\n", end, series->bar.half_width);
		else
			fprintf(out, " %.4g\n", end);
	}
}

void chart_put(FILE *out, const struct figure *figure, const struct chart_style *style)
{
	const bool same = strcmp(figure->title, figure->y_label) == 0;

	fprintf(out, "%s%s%s%s%s\n", style->colour ? "\x1b[1m" : "", figure->title,
		same ? "" : "; ", same ? "" : figure->y_label, style->colour ? "\x1b[0m" : "");
	if (figure->kind == FIGURE_LINES || figure->kind == FIGURE_POINTS)
		put_lines(out, figure, style);
	else
		put_bars(out, figure, style);
}
