/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/error: the table, the line a user sees, and that hostile text
 * cannot put control characters into it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"

static void every_code_has_text_and_status(void **state)
{
	(void)state;
	assert_string_equal(error_text(ERR_NOT_FOUND), "no such file or name");
	assert_int_equal(error_exit_status(ERR_OK), 0);
	assert_int_equal(error_exit_status(ERR_INVALID), 2);
	assert_int_equal(error_exit_status(ERR_NOT_FOUND), 2);
	assert_int_equal(error_exit_status(ERR_IO), 1);
	assert_int_equal(error_exit_status(-9999), 1);
	assert_int_equal(error_exit_status(17), 0);
	assert_string_equal(error_text(-9999), "unknown error");
}

static void places_are_shown_when_known(void **state)
{
	static const struct {
		const char *file, *field, *expected;
		long line;
	} cases[] = {
		{ "a.yaml", "rate_mbps", "a.yaml:7: rate_mbps: is bad", 7 },
		{ "a.yaml", NULL, "a.yaml: is bad", 0 },
		{ NULL, "rate_mbps", "rate_mbps: is bad", 0 },
		{ NULL, NULL, "line 7: is bad", 7 },
		{ NULL, NULL, "is bad", 0 },
	};
	struct error error;
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(error_at(&error, ERR_INVALID, cases[i].file, cases[i].line,
					  cases[i].field, "is %s", "bad"),
				 ERR_INVALID);
		assert_string_equal(error_format(&error, text, sizeof(text)), cases[i].expected);
	}
}

static void hostile_text_stays_on_one_clean_line(void **state)
{
	struct error error;
	char text[200];

	(void)state;
	error_set(&error, ERR_INVALID, "%s", "a\nb\x1b[2Jc\x7f");
	assert_string_equal(error_format(&error, text, sizeof(text)), "a?b?[2Jc?");
	error_set(&error, ERR_INVALID, "%s", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	assert_string_equal(error_format(&error, text, sizeof(text)),
			    "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
	/* C1 control, overlong, surrogate, too large, cut short, lone continuation */
	error_set(&error, ERR_INVALID, "%s", "\xc2\x9b|\xc0\xaf|\xed\xa0\x80|\xf5|\xe2\x82|\x80");
	assert_string_equal(error_format(&error, text, sizeof(text)), "??|??|???|?|??|?");
}

static void short_buffers_never_overflow_or_split_characters(void **state)
{
	struct error error;
	char text[8];

	(void)state;
	error_set(&error, ERR_INVALID, "123456\xe2\x82\xac");
	for (size_t size = 1; size <= sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		error_format(&error, text, size);
		assert_true(strlen(text) < size);
		assert_true(strlen(text) <= 6);
	}
	for (size_t i = 0; i < 10; i++) {
		char big[2000];

		memset(big, 'a', sizeof(big) - 1);
		big[sizeof(big) - 1] = '\0';
		error_at(&error, ERR_INVALID, big, 1, big, "%s", big);
	}
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

static void an_error_may_quote_the_one_it_replaces(void **state)
{
	struct error error;

	(void)state;
	error_at(&error, ERR_RANGE, "inner.txt", 3, "k", "too large");
	error_at(&error, ERR_INVALID, error.file, error.line, NULL, "while reading: %s",
		 error.text);
	assert_string_equal(error.file, "inner.txt");
	assert_string_equal(error.text, "while reading: too large");
	assert_int_equal(error.line, 3);
}

static void errno_is_mapped(void **state)
{
	static const int cases[][2] = {
		{ ENOENT, ERR_NOT_FOUND }, { EISDIR, ERR_INVALID }, { ENOSPC, ERR_IO },
		{ ENOMEM, ERR_NO_MEMORY }, { EACCES, ERR_INVALID },
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = cases[i][0];
		assert_int_equal(error_errno(&error, "f", "opening"), cases[i][1]);
		assert_string_equal(error.file, "f");
		assert_non_null(strstr(error.text, "opening: "));
	}
	errno = EIO;
	assert_int_equal(error_errno(NULL, "f", "opening"), ERR_IO);
	error_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_text_and_status),
		cmocka_unit_test(places_are_shown_when_known),
		cmocka_unit_test(hostile_text_stays_on_one_clean_line),
		cmocka_unit_test(short_buffers_never_overflow_or_split_characters),
		cmocka_unit_test(an_error_may_quote_the_one_it_replaces),
		cmocka_unit_test(errno_is_mapped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
