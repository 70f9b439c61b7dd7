/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A figure as a gnuplot script on gnuplot's standard input; no shell is
 * involved.  The picture comes from its standard output into a file that is
 * replaced atomically.
 *
 * Colours are Okabe and Ito's set, which colour-blind readers can tell apart.
 */
#include "report/figure.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define NOT_THERE 127 /* exit status of a child that could not become gnuplot */

static const char *const colours[] = {"#0072B2", "#D55E00", "#009E73", "#CC79A7",
				      "#E69F00", "#56B4E9", "#7F7F7F", "#000000"};

#define COLOURS (sizeof(colours) / sizeof(colours[0]))

static int file_of(char *path, size_t size, const char *folder, const char *name,
		   const char *suffix, struct error *error)
{
	char file[256];

	if (snprintf(file, sizeof(file), "%s%s", name, suffix) >= (int)sizeof(file))
		return error_set(error, ERR_RANGE, "the name of a figure is too long");
	return file_join(path, size, folder, file, error);
}

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

static int write_csv(const struct figure *figure, const char *path, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	if (figure->kind == FIGURE_LINES)
		put_lines_csv(file.stream, figure);
	else if (figure->kind == FIGURE_BOXES)
		put_boxes_csv(file.stream, figure);
	else
		put_bars_csv(file.stream, figure);
	return file_replace_commit(&file, error);
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

static void put_header(FILE *out, const struct figure *figure)
{
	fputs("set terminal svg size 820,400 dynamic font 'Helvetica,Arial,sans-serif,13' "
	      "background 'white' noenhanced\n"
	      "set border 3 lc rgb '#666666'\nset tics nomirror\nset style data lines\n"
	      "set grid ytics lc rgb '#dddddd' lt 1 lw 1\n"
	      "set key outside right top vertical Left reverse samplen 2 width -1\n",
	      out);
	put_label(out, "title", figure->title);
	put_label(out, "xlabel", figure->x_label ? figure->x_label : "");
	put_label(out, "ylabel", figure->y_label);
	if (figure->log_x)
		fputs("set logscale x\n", out);
	if (figure->y_low != figure->y_high)
		fprintf(out, "set yrange [%.9g:%.9g]\n", figure->y_low, figure->y_high);
	else if (figure->kind != FIGURE_LINES)
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
		fprintf(out, "%s$d%zu using 1:2 with lines lw 1.6 lc rgb '%s' title ",
			s ? ", " : "", s, colours[s % COLOURS]);
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
			"%s$d%zu using 1:2 with boxes lc rgb '%s', $d%zu using 1:2:3 with "
			"yerrorbars pt 0 lw 1.6 lc rgb '#222222'",
			s ? ", " : "", s, colours[s % COLOURS], s);
	fputc('\n', out);
}

static void put_script(FILE *out, const struct figure *figure)
{
	put_header(out, figure);
	if (figure->kind == FIGURE_LINES)
		put_lines_plot(out, figure);
	else if (figure->kind == FIGURE_BOXES)
		put_boxes_plot(out, figure);
	else
		put_bars_plot(out, figure);
}

/* In the child: stdin from the pipe, stdout to the picture, then gnuplot. */
static void become_gnuplot(const int pipe_ends[2], int picture)
{
	dup2(pipe_ends[0], STDIN_FILENO);
	dup2(picture, STDOUT_FILENO);
	/* Its remarks on ranges and empty data help nobody; its exit status is looked at. */
	if (freopen("/dev/null", "w", stderr) == NULL)
		_exit(NOT_THERE);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	execlp("gnuplot", "gnuplot", "-", (char *)NULL);
	_exit(NOT_THERE);
}

/* Waits for gnuplot and says what became of it. */
static int reap(pid_t child, struct error *error)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(error, "gnuplot", "cannot wait for");
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_THERE)
		return error_set(error, ERR_UNSUPPORTED,
				 "pictures need gnuplot; install the package gnuplot-nox");
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(error, ERR_FAILED, "gnuplot failed");
	return 0;
}

static int run_gnuplot(const struct figure *figure, int picture, struct error *error)
{
	int ends[2];
	pid_t child;
	FILE *script;
	void (*before)(int);

	if (pipe(ends))
		return error_errno(error, "gnuplot", "cannot start");
	child = fork();
	if (child == 0)
		become_gnuplot(ends, picture);
	close(ends[0]);
	script = child > 0 ? fdopen(ends[1], "w") : NULL;
	if (script == NULL) {
		close(ends[1]);
		return child > 0 ? reap(child, error)
				 : error_errno(error, "gnuplot", "cannot start");
	}
	/* A child that is not there closes the pipe early. */
	before = signal(SIGPIPE, SIG_IGN);
	put_script(script, figure);
	fclose(script);
	signal(SIGPIPE, before);
	return reap(child, error);
}

static int write_picture(const struct figure *figure, const char *path, struct error *error)
{
	struct file_replace file;
	int code = file_replace_open(&file, path, error);

	if (code)
		return code;
	code = run_gnuplot(figure, fileno(file.stream), error);
	if (code == 0)
		return file_replace_commit(&file, error);
	file_replace_abort(&file);
	return code;
}

int figure_write(const struct figure *figure, const char *folder, const char *name,
		 struct error *error)
{
	char csv[4096], svg[4096];
	int code = file_of(csv, sizeof(csv), folder, name, ".csv", error);

	if (code == 0)
		code = file_of(svg, sizeof(svg), folder, name, ".svg", error);
	if (code == 0)
		code = write_csv(figure, csv, error);
	return code ? code : write_picture(figure, svg, error);
}
