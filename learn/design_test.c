/* SPDX-License-Identifier: BSD-2-Clause */
/* Points stay in their ranges and fill them evenly; mistakes are told by name. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "learn/design.h"

static struct design parse(const char *text)
{
	struct design design;
	struct error error = {0};

	if (design_parse(&design, aqm_find("dualpi2"), text, &error) != 0)
		fail_msg("%s: %s", error.field, error.text);
	return design;
}

/* Of 256 points in 8 x 8 cells every cell has its 4, give or take 3. */
static void points_fill_the_plane(void **state)
{
	const struct design design = parse("target_ms=1..40,k=0.5..4");
	int cells[8][8] = {{0}};

	(void)state;
	for (uint64_t i = 0; i < 256; i++) {
		const double u = design_coordinate(&design, 0, i);
		const double v = design_coordinate(&design, 1, i);

		assert_true(u >= 0 && u < 1 && v >= 0 && v < 1);
		cells[(int)(u * 8)][(int)(v * 8)]++;
	}
	for (int i = 0; i < 64; i++)
		assert_true(cells[i / 8][i % 8] >= 1 && cells[i / 8][i % 8] <= 7);
}

/* Along one axis the recurrence is that of the golden ratio. */
static void one_axis_is_the_golden_ratio(void **state)
{
	const struct design design = parse("k=0.5..4");
	double whole;

	(void)state;
	for (uint64_t i = 0; i < 100; i++)
		assert_true(fabs(design_coordinate(&design, 0, i) -
				 modf(0.5 + (double)i * (sqrt(5) - 1) / 2, &whole)) < 1e-12);
}

static void values_stay_in_their_ranges(void **state)
{
	const struct design design = parse("target_ms=1.234567..40,step_ms=0..0.5,"
					   "min_qlen_step=0..2,scheduler=wrr/tsf");
	int low = 0, words[2] = {0}, whole[3] = {0};

	(void)state;
	for (uint64_t i = 0; i < 300; i++) {
		char text[64];
		double value;

		design_value(&design, 0, i, text, sizeof(text));
		value = strtod(text, NULL);
		assert_true(value >= 1.234567 && value <= 40);
		low += value < 7; /* their geometric mean */
		design_value(&design, 1, i, text, sizeof(text));
		value = strtod(text, NULL);
		assert_true(value >= 0 && value <= 0.5);
		design_value(&design, 2, i, text, sizeof(text));
		whole[atoi(text)]++;
		design_value(&design, 3, i, text, sizeof(text));
		words[strcmp(text, "tsf") == 0]++;
	}
	assert_in_range(low, 140, 160);
	assert_in_range(words[0], 140, 160);
	for (int i = 0; i < 3; i++)
		assert_in_range(whole[i], 90, 110);
}

static void the_law_takes_every_point(void **state)
{
	const struct aqm_ops *law = aqm_find("dualpi2");
	const struct design design = parse("target_ms=1..60,k=0.5..8,scheduler=wrr/tsf");
	unsigned char params[4096];
	char point[DESIGN_SETTINGS_BYTES], middle[DESIGN_SETTINGS_BYTES];

	(void)state;
	assert_true(law->params_size <= sizeof(params));
	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	for (uint64_t i = 0; i < 100; i++) {
		char *rest = point, *setting;

		design_point(&design, i, point);
		while ((setting = strsep(&rest, ":")))
			assert_int_equal(aqm_params_set(law, params, setting, NULL), 0);
	}
	design_point(&design, 0, middle);
	assert_string_equal(middle, "target_ms=7.75:k=2:scheduler=tsf");
}

static void mistakes_are_told_by_name(void **state)
{
	static const struct {
		const char *text, *field;
		int code;
	} cases[] = {
		{"goal=1..2", "goal", ERR_INVALID},
		{"k", "k", ERR_INVALID},
		{"k=1", "k", ERR_INVALID},
		{"k=2..1", "k", ERR_INVALID},
		{"k=1..2x", "k", ERR_INVALID},
		{"k=1..2,k=3..4", "k", ERR_INVALID},
		{"k=0.01..2", "k", ERR_RANGE},
		{"scheduler=wrr/best", "scheduler", ERR_INVALID},
	};
	struct design design;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error error = {0};

		assert_int_equal(design_parse(&design, aqm_find("dualpi2"), cases[i].text, &error),
				 cases[i].code);
		assert_string_equal(error.field, cases[i].field);
	}
}

static void usual_ranges(void **state)
{
	struct design design;

	(void)state;
	assert_int_equal(design_usual(&design, aqm_find("dualpi2"), NULL), 0);
	assert_int_equal(design.axis_count, 3);
	assert_int_equal(design_usual(&design, aqm_find("pie"), NULL), 0);
	assert_int_equal(design.axis_count, 1);
	assert_int_equal(design_usual(&design, aqm_find("fifo"), NULL), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_fill_the_plane),
		cmocka_unit_test(one_axis_is_the_golden_ratio),
		cmocka_unit_test(values_stay_in_their_ranges),
		cmocka_unit_test(the_law_takes_every_point),
		cmocka_unit_test(mistakes_are_told_by_name),
		cmocka_unit_test(usual_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
