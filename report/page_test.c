/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures, results and the page, with names that would break careless writers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/test_folder.h"
#include "report/figure.h"
#include "report/html.h"
#include "report/results.h"

static const char hostile[] = "a \"b\" <c> & 'd'; $(e) `f` %n \\";

static char *slurp(const char *folder, const char *name)
{
	char path[4096], *text;
	size_t size;

	assert_int_equal(file_join(path, sizeof(path), folder, name, NULL), 0);
	assert_int_equal(file_read_all(path, &text, &size, NULL), 0);
	return text;
}

static void figures_survive_hostile_names_and_gaps(void **state)
{
	const double x[] = {0, 1, 2}, y[] = {1, NAN, 3};
	struct figure figure = {
		.kind = FIGURE_LINES, .title = hostile, .x_label = "t", .y_label = hostile};
	struct error error = {0};
	char *text;
	int code;

	figure.series[figure.series_count++] =
		(struct figure_series){.name = hostile, .x = x, .y = y, .count = 3};
	figure.series[figure.series_count++] = (struct figure_series){.name = "empty"};
	figure.lines[figure.line_count++] = (struct figure_line){hostile, 2};
	code = figure_write(&figure, *state, "lines", &error);
	text = slurp(*state, "lines.csv");
	assert_non_null(strstr(text, "\"a \"\"b\"\" <c> & 'd'; $(e) `f` %n \\\",1,\n"));
	free(text);
	if (code == ERR_UNSUPPORTED)
		skip();
	assert_int_equal(code, 0);
	text = slurp(*state, "lines.svg");
	assert_non_null(strstr(text, "</svg>"));
	free(text);
}

static void points_stand_alone_on_logarithmic_axes(void **state)
{
	const double x[] = {1, 10, 100}, y[] = {0.5, 1, 2};
	struct figure figure = {.kind = FIGURE_POINTS,
				.title = "points",
				.x_label = "rate",
				.y_label = "ratio",
				.log_x = true,
				.log_y = true};
	char *lines, *points;

	figure.series[figure.series_count++] =
		(struct figure_series){.name = "one", .x = x, .y = y, .count = 3};
	if (figure_write(&figure, *state, "points", NULL) == ERR_UNSUPPORTED)
		skip();
	figure.kind = FIGURE_LINES;
	assert_int_equal(figure_write(&figure, *state, "line", NULL), 0);
	points = slurp(*state, "points.svg");
	lines = slurp(*state, "line.svg");
	/* Ticks of a logarithmic axis; marks, where the other has none. */
	assert_non_null(strstr(points, "100") ? strstr(points, "0.5") : NULL);
	assert_non_null(strstr(points, "use xlink:href='#gpPt6'"));
	assert_null(strstr(lines, "use xlink:href='#gpPt6'"));
	free(lines);
	free(points);
	lines = slurp(*state, "line.csv");
	points = slurp(*state, "points.csv");
	assert_string_equal(lines, points);
	free(lines);
	free(points);
}

static void boxes_and_bars_are_drawn(void **state)
{
	struct figure figure = {.kind = FIGURE_BOXES, .title = "boxes", .y_label = "ms"};
	int code;

	figure.series[figure.series_count++] =
		(struct figure_series){.name = "one", .box = {1, 2, 3, 4, 5, 3}};
	figure.series[figure.series_count++] = (struct figure_series){
		.name = "none", .box = {NAN, NAN, NAN, NAN, NAN, NAN}, .bar = {2, NAN, 1}};
	code = figure_write(&figure, *state, "boxes", NULL);
	if (code == ERR_UNSUPPORTED)
		skip();
	assert_int_equal(code, 0);
	figure.kind = FIGURE_BARS;
	figure.series[0].bar = (struct interval){1, 0.5, 3};
	assert_int_equal(figure_write(&figure, *state, "bars", NULL), 0);
}

static void pages_escape_every_text(void **state)
{
	struct html *html = html_open(hostile, hostile);
	const char *cells[] = {hostile, "1"};
	char path[4096], *text;

	html_section(html, hostile);
	html_paragraph(html, "%s", hostile);
	html_verbatim(html, hostile);
	html_table_begin(html, hostile, cells, 2);
	html_table_row(html, cells, 2);
	html_table_end(html);
	html_figure(html, "no such picture", "data.csv", hostile);
	assert_int_equal(file_join(path, sizeof(path), *state, "page.html", NULL), 0);
	assert_int_equal(html_close(html, path, NULL), 0);
	text = slurp(*state, "page.html");
	assert_null(strstr(text, "<c>"));
	assert_non_null(strstr(text, "&lt;c&gt; &amp; &#39;d&#39;"));
	assert_non_null(strstr(text, "href=\"data.csv\""));
	free(text);
	assert_int_equal(html_close(html_open("t", "s"), NULL, NULL), 0);
}

static void results_pair_by_seed(void **state)
{
	struct results results;
	struct interval paired;
	char path[4096], *text;
	sqlite3 *database;
	sqlite3_stmt *query;

	results_init(&results);
	for (uint64_t seed = 1; seed <= 3; seed++) {
		assert_int_equal(results_add(&results, "s", seed, "law", "m", (double)seed), 0);
		assert_int_equal(results_add(&results, "s", seed, "policy", "m", (double)seed + 2),
				 0);
	}
	assert_int_equal(results_add(&results, "s", 9, "policy", "m", NAN), 0);
	assert_int_equal(results_add(&results, "s", 10, "policy", "m", 5), 0);
	assert_int_equal(results_index(&results), 0);
	assert_int_equal(results_interval(&results, "s", "policy", "m").count, 4);
	paired = results_paired(&results, "s", "policy", "law", "m");
	assert_true(paired.mean == 2 && paired.half_width == 0 && paired.count == 3);
	assert_int_equal(results_interval(&results, "s", "law", "none").count, 0);
	assert_int_equal(file_join(path, sizeof(path), *state, "results.csv", NULL), 0);
	assert_int_equal(results_write_csv(&results, path, NULL), 0);
	text = slurp(*state, "results.csv");
	assert_non_null(strstr(text, "scenario,seed,aqm,metric,value\ns,1,law,m,1\n"));
	assert_non_null(strstr(text, "s,9,policy,m,\n"));
	free(text);
	assert_int_equal(file_join(path, sizeof(path), *state, "results.sqlite", NULL), 0);
	assert_int_equal(results_write_database(&results, path, NULL), 0);
	assert_int_equal(results_write_database(&results, path, NULL), 0);
	assert_int_equal(sqlite3_open(path, &database), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(database, "SELECT count(*), count(value) FROM results",
					    -1, &query, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(query), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(query, 0), 8);
	assert_int_equal(sqlite3_column_int(query, 1), 7);
	sqlite3_finalize(query);
	sqlite3_close(database);
	results_free(&results);
}

static int make_folder(void **state)
{
	*state = test_folder;
	return test_folder_make();
}

static int remove_folder(void **state)
{
	(void)state;
	return test_folder_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_survive_hostile_names_and_gaps),
		cmocka_unit_test(points_stand_alone_on_logarithmic_axes),
		cmocka_unit_test(boxes_and_bars_are_drawn),
		cmocka_unit_test(pages_escape_every_text),
		cmocka_unit_test(results_pair_by_seed),
	};

	return cmocka_run_group_tests_name("page", tests, make_folder, remove_folder);
}
