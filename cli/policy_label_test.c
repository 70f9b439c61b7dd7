/* SPDX-License-Identifier: BSD-2-Clause */
/* Labels by hand: of paths that end alike, of one that is the end of another, of the same twice. */
#include "cli/policy_label.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define LABEL(paths, index) policy_label(paths, sizeof(paths) / sizeof(*(paths)), index)

static void as_short_as_it_can_be(void **state)
{
	const char *const paths[] = {"runs/one", "two", "runs/atwo"};

	(void)state;
	assert_string_equal(LABEL(paths, 0), "one");
	assert_string_equal(LABEL(paths, 1), "two");
	assert_string_equal(LABEL(paths, 2), "atwo");
}

static void as_long_as_it_must_be(void **state)
{
	const char *const paths[] = {"x/a/student", "x/b/student", "/y/a/student", "student",
				     "/z/student"};

	(void)state;
	assert_string_equal(LABEL(paths, 0), "x/a/student");
	assert_string_equal(LABEL(paths, 1), "b/student");
	assert_string_equal(LABEL(paths, 2), "y/a/student");
	assert_string_equal(LABEL(paths, 3), "student");
	assert_string_equal(LABEL(paths, 4), "z/student");
}

static void a_path_twice_has_one_label(void **state)
{
	const char *const paths[] = {"x/student", "x/student"};

	(void)state;
	assert_string_equal(LABEL(paths, 0), "student");
	assert_string_equal(LABEL(paths, 1), "student");
}

static void longer_until_it_is_the_path(void **state)
{
	const char *path = "/x/y/z", *label = policy_label(&path, 1, 0);

	(void)state;
	assert_string_equal(label, "z");
	assert_string_equal(label = policy_label_longer(path, label), "y/z");
	assert_string_equal(label = policy_label_longer(path, label), "x/y/z");
	assert_string_equal(label = policy_label_longer(path, label), "/x/y/z");
	assert_ptr_equal(policy_label_longer(path, label), path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_short_as_it_can_be),
		cmocka_unit_test(as_long_as_it_must_be),
		cmocka_unit_test(a_path_twice_has_one_label),
		cmocka_unit_test(longer_until_it_is_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
