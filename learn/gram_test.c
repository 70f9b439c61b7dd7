/* SPDX-License-Identifier: BSD-2-Clause */
/* Where there is no room for a batch (what it comes to: output_loss_test, distill_loss_test). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/error.h"
#include "learn/gram.h"

/* Under UBSan also: no pointer is made from memory that is not there. */
static void says_that_memory_is_out(void **state)
{
	const int64_t rows = ((int64_t)1 << 60) - 1; /* no object is that large */
	const double one = 1;
	struct gram_options options = {.weight = 1, .least_square = 1};
	double difference = 0, d_student = 0;
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_int_equal(gram_difference(&arena, &options, &one, &one, rows, 1, &difference,
					 &d_student),
			 ERR_NO_MEMORY);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_that_memory_is_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
