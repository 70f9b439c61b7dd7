/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Parameters by name: defaults, units, ranges, choices, and what an error says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/ops.h"

static void every_default_is_in_its_range(void **state)
{
	(void)state;
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		void *params = malloc((*law)->params_size + 1);

		assert_int_equal(aqm_params_default(*law, params, NULL), 0);
		for (const struct aqm_param *p = (*law)->params; p->name; p++) {
			double value, given = strtod(p->default_text, NULL);

			assert_int_equal(aqm_params_get(*law, params, p->name, &value), 0);
			if (p->choices)
				continue;
			assert_true(given >= p->min && given <= p->max);
			assert_true(fabs(value - given) <= 1e-4 * fmax(1, fabs(given)));
			assert_true(strlen(p->doc) > 5);
		}
		if ((*law)->check)
			assert_int_equal((*law)->check(params, NULL), 0);
		free(params);
	}
}

static void both_ends_of_every_range_are_taken(void **state)
{
	(void)state;
	for (const struct aqm_ops *const *law = aqm_all; *law; law++) {
		void *params = malloc((*law)->params_size + 1);

		assert_int_equal(aqm_params_default(*law, params, NULL), 0);
		for (const struct aqm_param *p = (*law)->params; p->name && !p->choices; p++) {
			char text[128];

			snprintf(text, sizeof(text), "%s=%.17g", p->name, p->min);
			assert_int_equal(aqm_params_set(*law, params, text, NULL), 0);
			snprintf(text, sizeof(text), "%s=%.17g", p->name, p->max);
			assert_int_equal(aqm_params_set(*law, params, text, NULL), 0);
			snprintf(text, sizeof(text), "%s=%.17g", p->name, p->max * 1.01 + 1);
			assert_int_equal(aqm_params_set(*law, params, text, NULL), ERR_INVALID);
		}
		free(params);
	}
}

static void several_are_set_in_their_order(void **state)
{
	const struct aqm_ops *law = aqm_find("dualpi2");
	void *params = malloc(law->params_size + 1);
	struct error error = {0};
	double target_ms, k;

	(void)state;
	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	assert_int_equal(aqm_params_set_all(law, params, NULL, NULL), 0);
	assert_int_equal(aqm_params_set_all(law, params, "k=3:target_ms=5:k=4", NULL), 0);
	assert_int_equal(aqm_params_get(law, params, "target_ms", &target_ms), 0);
	assert_int_equal(aqm_params_get(law, params, "k", &k), 0);
	assert_true(target_ms == 5 && k == 4);
	assert_int_equal(aqm_params_set_all(law, params, "k=2:goal=5:k=1", &error), ERR_INVALID);
	assert_string_equal(error.field, "goal=5");
	assert_int_equal(aqm_params_set_all(law, params, "k=2::k=1", &error), ERR_INVALID);
	free(params);
}

static void errors_name_the_parameter(void **state)
{
	static const char *const bad[] = {
		"target_ms=-1",	  "target_ms=x", "target_ms=",	"target_ms=nan",    "target",
		"target_ms=1e99", "nothing=1",	 "profile=bsd", "limit_packets=1.5"};
	const struct aqm_ops *law = aqm_find("dualpi2");
	void *params = malloc(law->params_size + 1);

	(void)state;
	assert_int_equal(aqm_params_default(law, params, NULL), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct error error = {0};

		assert_int_equal(aqm_params_set(law, params, bad[i], &error), ERR_INVALID);
		assert_int_equal(strncmp(error.field, bad[i], strcspn(bad[i], "=")), 0);
		assert_true(strlen(error.text) > 5);
	}
	free(params);
}

static void profiles_of_dualpi2_are_those_of_linux_and_the_rfc(void **state)
{
	static const struct {
		const char *profile, *name;
		double value;
	} rows[] = {{"linux", "tupdate_ms", 16},  {"linux", "alpha", 0.160071},
		    {"linux", "beta", 3.197783},  {"rfc9332", "tupdate_ms", 15},
		    {"rfc9332", "alpha", 0.15},	  {"rfc9332", "beta", 3.0},
		    {"linux", "target_ms", 15},	  {"linux", "k", 2},
		    {"linux", "step_ms", 1},	  {"linux", "limit_packets", 10000},
		    {"rfc9332", "target_ms", 15}, {"linux", "c_protection_percent", 10}};
	const struct aqm_ops *law = aqm_find("dualpi2");
	void *params = malloc(law->params_size + 1);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		double value;

		assert_int_equal(aqm_params_default(law, params, NULL), 0);
		snprintf(text, sizeof(text), "profile=%s", rows[i].profile);
		assert_int_equal(aqm_params_set(law, params, text, NULL), 0);
		assert_int_equal(aqm_params_get(law, params, rows[i].name, &value), 0);
		if (fabs(value - rows[i].value) >= 2e-4)
			fail_msg("%s %s: %g, not %g", rows[i].profile, rows[i].name, value,
				 rows[i].value);
	}
	free(params);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_default_is_in_its_range),
		cmocka_unit_test(both_ends_of_every_range_are_taken),
		cmocka_unit_test(several_are_set_in_their_order),
		cmocka_unit_test(errors_name_the_parameter),
		cmocka_unit_test(profiles_of_dualpi2_are_those_of_linux_and_the_rfc),
	};

	return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
