/* SPDX-License-Identifier: BSD-2-Clause */
/* Evolution strategies on functions whose top is known; ranks by hand; resumed to the same bits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/rng.h"
#include "base/test_folder.h"
#include "learn/evolution.h"

#define COUNT 20

static const struct evolution_options options = {
	.seed = 7, .pairs = 16, .sigma = 0.1, .rate = 0.05, .beta1 = 0.9, .beta2 = 0.99};

static void assert_close(double value, double expected, double by)
{
	if (!(fabs(value - expected) <= by))
		fail_msg("%.9g is not within %g of %.9g", value, by, expected);
}

static void ranks_by_hand(void **state)
{
	const double fitness[5] = {3, 1, 3, NAN, 2}, order[4] = {10, -1, 1e9, 0};
	double ranks[5];

	(void)state;
	evolution_ranks(fitness, 5, ranks);
	assert_close(ranks[0], 3.5 / 4 - 0.5, 1e-15);
	assert_close(ranks[1], 1.0 / 4 - 0.5, 1e-15);
	assert_close(ranks[2], 3.5 / 4 - 0.5, 1e-15);
	assert_close(ranks[3], -0.5, 0);
	assert_close(ranks[4], 0, 1e-15);
	evolution_ranks(order, 4, ranks);
	assert_close(ranks[0], 2.0 / 3 - 0.5, 1e-15);
	assert_close(ranks[1], -0.5, 0);
	assert_close(ranks[2], 0.5, 0);
	assert_close(ranks[3], 1.0 / 3 - 0.5, 1e-15);
}

/* -|x - 1|^2; a NULL generator: without noise. */
static double sphere(const float *x, struct rng *noise, double size)
{
	double value = 0;

	for (int i = 0; i < COUNT; i++)
		value -= ((double)x[i] - 1) * ((double)x[i] - 1);
	return noise ? value + size * rng_normal(noise) : value;
}

static void climb(struct evolution *evolution, int generations, struct rng *noise, double size)
{
	double fitness[2 * 64];
	float x[COUNT];

	for (int g = 0; g < generations; g++) {
		for (size_t i = 0; i < evolution_candidates(evolution); i++) {
			evolution_candidate(evolution, i, x);
			fitness[i] = sphere(x, noise, size);
		}
		evolution_step(evolution, fitness);
	}
}

static struct evolution open_at_zero(const struct evolution_options *chosen)
{
	const float zero[COUNT] = {0};
	struct evolution evolution;

	assert_int_equal(evolution_open(&evolution, chosen, zero, COUNT, NULL), 0);
	return evolution;
}

static void pairs_are_antithetic_and_normal(void **state)
{
	struct evolution evolution = open_at_zero(&options);
	double sum = 0, squares = 0;
	float a[COUNT], b[COUNT];

	(void)state;
	for (size_t pair = 0; pair < options.pairs; pair++) {
		evolution_candidate(&evolution, 2 * pair, a);
		evolution_candidate(&evolution, 2 * pair + 1, b);
		for (int i = 0; i < COUNT; i++) {
			assert_true(a[i] == -b[i] && a[i] != 0);
			sum += (double)a[i];
			squares += (double)a[i] * (double)a[i];
		}
	}
	assert_close(sum / 320, 0, 4 * 0.1 / sqrt(320));
	assert_close(sqrt(squares / 320), 0.1, 4 * 0.1 / sqrt(640));
	evolution_free(&evolution);
}

/* Along a line fitness c x the expected gradient by ranks points along c and nowhere else. */
static void the_gradient_points_up(void **state)
{
	struct evolution_options many = options;
	struct evolution evolution;
	double fitness[2 * 64];
	float x[COUNT];

	(void)state;
	many.pairs = 64;
	many.beta1 = 0;
	evolution = open_at_zero(&many);
	for (size_t i = 0; i < 128; i++) {
		evolution_candidate(&evolution, i, x);
		fitness[i] = 3 * (double)x[4];
	}
	assert_true(evolution_step(&evolution, fitness) > 0);
	for (int i = 0; i < COUNT; i++)
		if (i != 4)
			assert_true(fabs(evolution.ascent[i]) < 0.5 * evolution.ascent[4]);
	assert_close((double)evolution.theta[4], 0.05, 1e-6); /* Adam's first step: the rate */
	evolution_free(&evolution);
}

static void a_sphere_is_climbed(void **state)
{
	struct evolution evolution = open_at_zero(&options);

	(void)state;
	climb(&evolution, 200, NULL, 0);
	assert_int_equal(evolution.generation, 200);
	assert_true(sphere(evolution.theta, NULL, 0) > -0.02 * COUNT);
	evolution_free(&evolution);
}

/* Noise as large as a candidate's typical distance from its parent's fitness at the start. */
static void noise_does_not_stop_it(void **state)
{
	struct evolution_options many = options;
	struct evolution evolution;
	struct rng noise;

	(void)state;
	many.pairs = 64;
	evolution = open_at_zero(&many);
	rng_seed(&noise, 3);
	climb(&evolution, 200, &noise, 1);
	assert_true(sphere(evolution.theta, NULL, 0) > -0.1 * COUNT);
	evolution_free(&evolution);
}

static void where_nothing_differs_nothing_moves(void **state)
{
	struct evolution evolution = open_at_zero(&options);
	double fitness[32] = {0};

	(void)state;
	assert_close(evolution_step(&evolution, fitness), 0, 0);
	for (int i = 0; i < COUNT; i++)
		assert_true(evolution.theta[i] == 0);
	evolution_free(&evolution);
}

static void a_checkpoint_goes_on_to_the_same_bits(void **state)
{
	struct evolution whole = open_at_zero(&options), part = open_at_zero(&options);
	struct checkpoint_field fields[EVOLUTION_FIELDS];
	char path[TEST_PATH_BYTES];

	(void)state;
	assert_int_equal(test_folder_make(), 0);
	test_path(path, "state");
	climb(&whole, 30, NULL, 0);
	climb(&part, 11, NULL, 0);
	evolution_fields(&part, fields);
	assert_int_equal(checkpoint_save(path, fields, EVOLUTION_FIELDS, "sphere", NULL), 0);
	evolution_free(&part);
	part = open_at_zero(&options);
	evolution_fields(&part, fields);
	assert_int_equal(checkpoint_load(path, fields, EVOLUTION_FIELDS, "sphere", NULL), 0);
	evolution_resumed(&part);
	climb(&part, 19, NULL, 0);
	assert_memory_equal(part.theta, whole.theta, COUNT * sizeof(float));
	evolution_free(&part);
	evolution_free(&whole);
	assert_int_equal(test_folder_remove(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranks_by_hand),
		cmocka_unit_test(pairs_are_antithetic_and_normal),
		cmocka_unit_test(the_gradient_points_up),
		cmocka_unit_test(a_sphere_is_climbed),
		cmocka_unit_test(noise_does_not_stop_it),
		cmocka_unit_test(where_nothing_differs_nothing_moves),
		cmocka_unit_test(a_checkpoint_goes_on_to_the_same_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
