/* SPDX-License-Identifier: BSD-2-Clause */
/* Mean and variance beside sums written out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "learn/moments.h"

static const float a[4] = {1, 2, 4, 9}, b[4] = {1, 1, 1, 5};

static void of_one_and_of_differences(void **state)
{
	struct moments moments = moments_of(a, NULL, 4);

	(void)state;
	assert_float_equal(moments.mean, 4, 0);
	assert_float_equal(moments.variance, (9 + 4 + 0 + 25) / 4.0, 0);
	moments = moments_of(a, b, 4); /* 0, 1, 3, 4 */
	assert_float_equal(moments.mean, 2, 0);
	assert_float_equal(moments.variance, (4 + 1 + 1 + 4) / 4.0, 0);
	moments = moments_of(a, NULL, 1);
	assert_float_equal(moments.variance, 0, 0);
}

/* A million times the deviation: the square of the mean has no digits left for the variance. */
static void a_mean_far_from_zero(void **state)
{
	static const float far[4] = {16000001, 16000003, 16000001, 16000003};
	float many[4000];
	struct moments moments;

	(void)state;
	for (int i = 0; i < 4000; i++)
		many[i] = far[i % 4];
	moments = moments_of(many, NULL, 4000);
	assert_float_equal(moments.mean, 16000002, 0);
	assert_float_equal(moments.variance, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_one_and_of_differences),
		cmocka_unit_test(a_mean_far_from_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
