/* SPDX-License-Identifier: BSD-2-Clause */
/* Charts, character by character. */
#include "report/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char text[8192];

static FILE *begin(void)
{
	memset(text, 0, sizeof(text));
	return fmemopen(text, sizeof(text), "w");
}

static void a_line_climbs(void **state)
{
	const double x[] = {0, 1, 2}, y[] = {0, 10, 20};
	struct figure figure = {.kind = FIGURE_LINES, .title = "T", .x_label = "t, s",
				.y_label = "ms", .from_zero = true};
	const struct chart_style style = {.width = 12, .height = 3};
	FILE *out = begin();

	(void)state;
	figure.series[figure.series_count++] =
		(struct figure_series){.name = "one", .x = x, .y = y, .count = 3};
	chart_put(out, &figure, &style);
	fclose(out);
	assert_string_equal(text, "T; ms\n"
				  "       20 |         ***\n"
				  "          |   ******   \n"
				  "        0 |***         \n"
				  "          +------------\n"
				  "           0     1 (t, s)        2\n"
				  "           * one \n");
}

/* Braille when one series is alone: a flat line at the bottom is the two lowest dots. */
static void dots_are_braille(void **state)
{
	const double x[] = {0, 1}, y[] = {0, 0};
	struct figure figure = {.kind = FIGURE_LINES, .title = "T", .y_label = "ms",
				.from_zero = true};
	const struct chart_style style = {.width = 10, .height = 3, .unicode = true};
	FILE *out = begin();

	(void)state;
	figure.series[figure.series_count++] =
		(struct figure_series){.name = "one", .x = x, .y = y, .count = 2};
	chart_put(out, &figure, &style);
	fclose(out);
	assert_non_null(strstr(text, "\xe2\xa3\x80\xe2\xa3\x80\xe2\xa3\x80"));
}

/* Nothing, gaps, and values that are not numbers leave a chart and no crash. */
static void strange_series(void **state)
{
	const double x[] = {0, NAN, 2, 1e300}, y[] = {NAN, 1, INFINITY, 1e300};
	struct figure figure = {.kind = FIGURE_LINES, .title = "T", .y_label = "ms", .log_x = true};
	const struct chart_style style = {60, 8, true, true};
	FILE *out = begin();

	(void)state;
	chart_put(out, &figure, &style);
	figure.series[figure.series_count++] =
		(struct figure_series){.name = "one", .x = x, .y = y, .count = 4};
	chart_put(out, &figure, &style);
	figure.kind = FIGURE_BOXES;
	figure.series[0].box = (struct box){NAN, NAN, NAN, NAN, NAN, NAN};
	chart_put(out, &figure, &style);
	fclose(out);
	assert_non_null(strstr(text, "nothing to show"));
}

static void bars_and_sparks(void **state)
{
	const double values[] = {0, 4, NAN, 8, 99};
	FILE *out = begin();

	(void)state;
	chart_put_bar(out, 0.5, 4, false);
	chart_put_bar(out, 0.625, 2, true);
	chart_put_bar(out, 7, 2, false);
	chart_put_bar(out, NAN, 2, false);
	fputc('|', out);
	chart_put_spark(out, values, 5, 8, true);
	chart_put_spark(out, values, 5, 8, false);
	fclose(out);
	assert_string_equal(text, "##  \xe2\x96\x88\xe2\x96\x8e##  |"
				  "\xe2\x96\x81\xe2\x96\x85 \xe2\x96\x88\xe2\x96\x88"
				  "_= ##");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_climbs),
		cmocka_unit_test(dots_are_braille),
		cmocka_unit_test(strange_series),
		cmocka_unit_test(bars_and_sparks),
	};

	return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}
