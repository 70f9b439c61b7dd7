/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/rng: the published algorithm by a hand-computed first step,
 * moments and uniformity within five standard errors, and independence of
 * children from what else is drawn.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"

/* From state {1,2,3,4}: rotl(1 + 4, 23) + 1 = 41943041, then worked by hand from the definition. */
static void the_generator_is_xoshiro256plusplus(void **state)
{
	struct rng rng = { .state = { 1, 2, 3, 4 } };

	(void)state;
	assert_int_equal(rng_u64(&rng), 41943041);
	assert_int_equal(rng.state[0], 7);
	assert_int_equal(rng.state[1], 0);
	assert_int_equal(rng.state[2], 262146);
	assert_int_equal(rng.state[3], UINT64_C(6) << 45);
}

static void seeds_and_labels_tell_runs_apart(void **state)
{
	struct rng a, b, child, sibling, again;

	(void)state;
	rng_seed(&a, 0);
	rng_seed(&b, 1);
	assert_true(rng_u64(&a) != rng_u64(&b));
	rng_seed(&a, 7);
	rng_seed(&b, 7);
	child = rng_split(&a, 1);
	sibling = rng_split(&a, 2);
	again = rng_split(&b, 1);
	assert_memory_equal(&a, &b, sizeof(a)); /* splitting does not advance */
	assert_memory_equal(&child, &again, sizeof(child));
	assert_true(rng_u64(&child) != rng_u64(&sibling));
}

static void moments_are_right(void **state)
{
	const int n = 200000;
	double uniform = 0, normal = 0, square = 0, exponential = 0;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int i = 0; i < n; i++) {
		const double u = rng_uniform(&rng), g = rng_normal(&rng);

		assert_true(u >= 0 && u < 1);
		uniform += u;
		normal += g;
		square += g * g;
		exponential += rng_exponential(&rng);
	}
	assert_true(fabs(uniform / n - 0.5) < 5 * sqrt(1.0 / 12 / n));
	assert_true(fabs(normal / n) < 5 * sqrt(1.0 / n));
	assert_true(fabs(square / n - 1) < 5 * sqrt(2.0 / n));
	assert_true(fabs(exponential / n - 1) < 5 * sqrt(1.0 / n));
}

static void below_is_uniform_and_in_bound(void **state)
{
	const int n = 70000;
	int counts[7] = { 0 };
	struct rng rng;

	(void)state;
	rng_seed(&rng, 6);
	for (int i = 0; i < n; i++)
		counts[rng_below(&rng, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_true(fabs(counts[i] - n / 7.0) < 5 * sqrt(n / 7.0));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(rng_below(&rng, 1), 0);
		assert_true(rng_below(&rng, UINT64_MAX) < UINT64_MAX);
	}
}

static void a_shuffle_is_a_permutation(void **state)
{
	uint32_t items[100];
	bool seen[100] = { false };
	struct rng rng;
	int moved = 0;

	(void)state;
	rng_seed(&rng, 8);
	for (uint32_t i = 0; i < 100; i++)
		items[i] = i;
	rng_shuffle(&rng, items, 100);
	for (uint32_t i = 0; i < 100; i++) {
		assert_false(seen[items[i]]);
		seen[items[i]] = true;
		moved += items[i] != i;
	}
	assert_true(moved > 80);
	rng_shuffle(&rng, items, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_generator_is_xoshiro256plusplus),
		cmocka_unit_test(seeds_and_labels_tell_runs_apart),
		cmocka_unit_test(moments_are_right),
		cmocka_unit_test(below_is_uniform_and_in_bound),
		cmocka_unit_test(a_shuffle_is_a_permutation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
