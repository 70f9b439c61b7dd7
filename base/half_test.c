/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 16-bit numbers: every pattern there and back, and rounding against the
 * nearest of both neighbours.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "base/half.h"
#include "base/rng.h"

static struct rng test_rng = {{1, 2, 3, 4}};

static void every_half_comes_back(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 0x10000; bits++) {
		const uint16_t half = (uint16_t)bits;

		if ((bits & 0x7c00) != 0x7c00 || (bits & 0x3ff) == 0)
			assert_int_equal(f16_from_f32(f16_to_f32(half)), half);
		else
			assert_true(isnan(f16_to_f32(half)));
		if ((bits & 0x7f80) != 0x7f80)
			assert_int_equal(bf16_from_f32(bf16_to_f32(half)), half);
	}
}

static void known_values(void **state)
{
	(void)state;
	assert_true(f16_to_f32(0x3c00) == 1 && f16_to_f32(0xc000) == -2);
	assert_true(f16_to_f32(0x7bff) == 65504 && f16_to_f32(0x0001) == 0x1p-24f);
	assert_true(isinf(f16_to_f32(0x7c00)) && f16_from_f32(65520) == 0x7c00);
	assert_int_equal(f16_from_f32(NAN) & 0x7fff, 0x7e00);
	assert_true(bf16_to_f32(0x3f80) == 1 && bf16_to_f32(0xc040) == -3);
}

/* The distance to the result is not larger than to its neighbours; of two, the even one. */
static void nearest_check(float value, uint16_t half, float (*to_f32)(uint16_t))
{
	const double error = fabs((double)to_f32(half) - value);
	const double above = fabs((double)to_f32((uint16_t)(half + 1)) - value);

	assert_true(error <= above);
	assert_true(error != above || half % 2 == 0);
	if (half & 0x7fff) {
		const double below = fabs((double)to_f32((uint16_t)(half - 1)) - value);

		assert_true(error <= below);
		assert_true(error != below || half % 2 == 0);
	}
}

static float plain_f16(uint16_t half)
{
	return f16_to_f32(half);
}

static float plain_bf16(uint16_t half)
{
	return bf16_to_f32(half);
}

static void rounding_is_to_nearest(void **state)
{
	(void)state;
	for (int i = 0; i < 200000; i++) {
		const float value = (float)(rng_normal(&test_rng) *
					    exp2(20 * rng_normal(&test_rng) / 3 - 8));

		if (fabsf(value) < 65000)
			nearest_check(value, f16_from_f32(value), plain_f16);
		nearest_check(value, bf16_from_f32(value), plain_bf16);
	}
	nearest_check(1 + 0x1p-11f, f16_from_f32(1 + 0x1p-11f), plain_f16);
	nearest_check(1 + 0x1p-8f, bf16_from_f32(1 + 0x1p-8f), plain_bf16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_half_comes_back),
		cmocka_unit_test(known_values),
		cmocka_unit_test(rounding_is_to_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
