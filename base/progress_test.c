/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/progress: the text at the start, on the way, at the end and
 * past it, without a total, and in a buffer that is too small.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/progress.h"

static void texts_are_as_promised(void **state)
{
	static const struct {
		uint64_t done, total;
		double elapsed_s;
		const char *note, *expected;
	} cases[] = {
		{ 0, 10, 0, NULL, "run [....................]   0%" },
		{ 5, 10, 12, "loss 0.5",
		  "run [##########..........]  50%  00:12 left  loss 0.5" },
		{ 10, 10, 60, "", "run [####################] 100%  00:00 left" },
		{ 30, 10, 60, NULL, "run [####################] 100%  00:00 left" },
		{ 1, 1000, 10, NULL, "run [....................]   0%  2:46:30 left" },
		{ 1, UINT64_MAX, 1e9, NULL, "run [....................]   0%  99:59:59 left" },
		{ 42, 0, 5, "x", "run 42  x" },
		{ 42, 0, 5, NULL, "run 42" },
	};
	char text[200];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(progress_text(text, sizeof(text), "run", cases[i].done,
						  cases[i].total, cases[i].elapsed_s,
						  cases[i].note),
				    cases[i].expected);
}

static void a_small_buffer_is_respected(void **state)
{
	char text[12];

	(void)state;
	memset(text, 'x', sizeof(text));
	progress_text(text, 8, "long label", 1, 2, 3, "note");
	assert_int_equal(strlen(text), 7);
	assert_int_equal(text[8], 'x');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_as_promised),
		cmocka_unit_test(a_small_buffer_is_respected),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
