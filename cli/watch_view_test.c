/* SPDX-License-Identifier: BSD-2-Clause */
/* A live view fits its terminal, whatever its size, and shows what it was told. */
#include "cli/watch_view.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char text[1 << 16];

/* Characters of the longest line; colours and the later bytes of a character count nothing. */
static int widest(int *lines)
{
	int width = 0, most = 0;

	*lines = 0;
	for (const char *at = text; *at; at++) {
		if (*at == '\x1b') {
			at += strcspn(at, "m");
		} else if (*at == '\n') {
			most = width > most ? width : most;
			width = 0;
			++*lines;
		} else {
			width += ((unsigned char)*at & 0xc0) != 0x80;
		}
	}
	return most;
}

static void draw(struct watch_view *view, struct watch_size size)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	memset(text, 0, sizeof(text));
	watch_view_draw(view, out, &size);
	fclose(out);
}

static struct scenario *many_flows(void)
{
	struct scenario *scenario = calloc(1, sizeof(*scenario));

	assert_non_null(scenario);
	strcpy(scenario->name, "a scenario with a name that is longer than most of them are");
	scenario->duration_s = 60;
	scenario->group_count = 1;
	strcpy(scenario->groups[0].cc, "cubic");
	scenario->groups[0].count = 40;
	return scenario;
}

static void add_bins(struct watch_view *view, int count)
{
	struct sim_flow_bin flows[40];
	struct sim_bin bin = {.utilisation = 0.75, .p_base = 0.25, .marks = {3, 1, 4}};

	for (int i = 0; i < 40; i++)
		flows[i] = (struct sim_flow_bin){i, 20 + i, 1448.0 * i};
	for (int i = 1; i <= count; i++) {
		const struct sim_moment moment = {0.1 * i, &bin, flows, 40};

		bin.qdelay_ms[AQM_QUEUE_L] = i % 7 ? 0.25 : NAN;
		bin.qdelay_ms[AQM_QUEUE_C] = i;
		watch_view_add(view, &moment);
	}
}

static void it_fits(void **state)
{
	static const struct watch_size sizes[] = {
		{80, 24, true, true},   {40, 10, true, false}, {200, 60, false, true},
		{100, 30, false, false}, {40, 1, true, true},
	};
	struct scenario *scenario = many_flows();
	struct watch_view view;

	(void)state;
	assert_int_equal(watch_view_init(&view, scenario, "dualpi2", 1), 0);
	for (int bins = 0; bins < 600; bins += 299) {
		add_bins(&view, bins);
		for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			int lines;

			draw(&view, sizes[s]);
			if (sizes[s].columns >= 80)
				assert_in_range(widest(&lines), 60, sizes[s].columns);
			if (sizes[s].rows >= 20)
				assert_in_range(lines, 15, sizes[s].rows);
		}
	}
	watch_view_free(&view);
	free(scenario);
}

static void it_shows_what_was_told(void **state)
{
	struct scenario *scenario = many_flows();
	struct watch_view view;

	(void)state;
	assert_int_equal(watch_view_init(&view, scenario, "dualpi2", 7), 0);
	add_bins(&view, 20);
	draw(&view, (struct watch_size){120, 24, false, false});
	assert_non_null(strstr(text, "2.0 of 60 s, as fast as it goes"));
	assert_non_null(strstr(text, " 75.0 %"));
	assert_non_null(strstr(text, "0.250 ms"));
	assert_non_null(strstr(text, "20.000 ms"));
	assert_non_null(strstr(text, "   30.0 ")); /* marks of C a second */
	/* Ten rows for flows: the largest, the largest first. */
	assert_non_null(strstr(text, "   39  cubic                  39.000      59.0        56.5"));
	assert_non_null(strstr(text, "   30  cubic"));
	assert_null(strstr(text, "   29  cubic"));
	watch_view_free(&view);
	free(scenario);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_fits),
		cmocka_unit_test(it_shows_what_was_told),
	};

	return cmocka_run_group_tests_name("watch_view", tests, NULL, NULL);
}
