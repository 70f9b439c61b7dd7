/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Returns and weights of recorded rows, beside sums written out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "learn/advantage.h"

#define ROWS 6

static const double reward[ROWS] = {1, 4, -2, 8, 3, 5};
static const uint8_t done[ROWS] = {0, 0, 0, 1, 0, 0}; /* an episode of four rows, one of two */
static const float value[ROWS] = {0.5f, -1, 2, 3, 1, 4};
static const struct advantage_rows rows = {reward, done, ROWS};

/* Where row `t`'s episode ends. */
static size_t end_of(size_t t)
{
	while (t + 1 < ROWS && !done[t])
		t++;
	return t;
}

/* The n-step return: n rewards, then the value of what comes after them. */
static double steps_return(size_t t, size_t n, double gamma)
{
	const size_t end = end_of(t);
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += (1 - gamma) * pow(gamma, (double)i) * reward[t + i];
	return sum + pow(gamma, (double)n) * (double)value[t + n > end ? end : t + n];
}

/* (1 - lambda) sum of lambda^(n - 1) x n-step returns, the last of which has the rest. */
static void lambda_returns_mix_steps(void **state)
{
	static const double gammas[] = {0.5, 0.9}, lambdas[] = {0, 0.3, 0.95, 1};
	float returned[ROWS];

	(void)state;
	for (int g = 0; g < 2; g++) {
		for (int l = 0; l < 4; l++) {
			advantage_returns(&rows, value, gammas[g], lambdas[l], returned);
			for (size_t t = 0; t < ROWS; t++) {
				const size_t most = end_of(t) - t + 1;
				double mixed = 0, left = 1;

				for (size_t n = 1; n < most; n++) {
					mixed += (1 - lambdas[l]) * left *
						 steps_return(t, n, gammas[g]);
					left *= lambdas[l];
				}
				mixed += left * steps_return(t, most, gammas[g]);
				assert_float_equal(returned[t], mixed, 1e-5);
			}
		}
	}
}

/* A reward that is always the same is its own return. */
static void returns_have_the_rewards_size(void **state)
{
	static const double same[ROWS] = {7, 7, 7, 7, 7, 7};
	static const float right[ROWS] = {7, 7, 7, 7, 7, 7};
	const struct advantage_rows steady = {same, done, ROWS};
	float returned[ROWS];

	(void)state;
	advantage_returns(&steady, right, 0.999, 0.9, returned);
	for (size_t t = 0; t < ROWS; t++)
		assert_float_equal(returned[t], 7, 1e-5);
}

static struct advantage_weights weigh(const float advantage[4], double beta, double most,
				      float weight[4])
{
	memcpy(weight, advantage, 4 * sizeof(*weight));
	return advantage_weigh(weight, 4, beta, most);
}

static void weights_follow_advantages(void **state)
{
	struct advantage_weights weights;
	float weight[4];

	(void)state;
	/* The mean advantage is 2 and the deviation 1: exp(1) and exp(3), by their mean. */
	weights = weigh((float[]){1, 3, 1, 3}, 1, 1000, weight);
	assert_float_equal(weights.deviation, 1, 1e-6);
	assert_float_equal(weight[1] / weight[0], exp(2), 1e-4);
	assert_float_equal(weight[0] + weight[1], 2, 1e-5);
	assert_float_equal(weights.effective,
			   pow(exp(1) + exp(3), 2) / (2 * (exp(2) + exp(6))), 1e-6);
	assert_float_equal(weights.bounded, 0, 0);
	/* Half as sharp. */
	weigh((float[]){1, 3, 1, 3}, 2, 1000, weight);
	assert_float_equal(weight[1] / weight[0], exp(1), 1e-4);
	/* The bound is on what the exponential gives. */
	weights = weigh((float[]){1, 3, 1, 3}, 1, 2 * exp(1), weight);
	assert_float_equal(weight[1] / weight[0], 2, 1e-4);
	assert_float_equal(weights.bounded, 0.5, 0);
	/* A large beta imitates. */
	weights = weigh((float[]){1, 3, 1, 3}, 1e9, 20, weight);
	assert_float_equal(weight[1] / weight[0], 1, 1e-6);
	assert_float_equal(weights.effective, 1, 1e-6);
}

/* Where all went worse than expected by far, no exponential has a number left. */
static void weights_of_rows_all_far_below(void **state)
{
	struct advantage_weights weights;
	float weight[4];

	(void)state;
	weights = weigh((float[]){-1000, -1001, -1000, -1001}, 1, 20, weight);
	assert_float_equal(weights.deviation, 0.5, 1e-6);
	assert_float_equal(weight[1] / weight[0], exp(-2), 1e-6);
	assert_float_equal(weight[0] + weight[1], 2, 1e-5);
	assert_true(weights.effective > 0.5 && weights.effective < 1);
	assert_float_equal(weights.bounded, 0, 0);
}

/* What was expected exactly has no advantage, and none counts more than another. */
static void nothing_to_prefer(void **state)
{
	struct advantage_weights weights;
	float weight[4];

	(void)state;
	weights = weigh((float[]){0, 0, 0, 0}, 1, 20, weight);
	assert_float_equal(weights.deviation, 0, 0);
	for (size_t t = 0; t < 4; t++)
		assert_float_equal(weight[t], 1, 0);
}

static void explained_is_a_share_of_variance(void **state)
{
	static const float returned[4] = {1, 2, 3, 4}, shifted[4] = {2, 3, 4, 5};
	static const float half[4] = {1, 1, 3, 3}, mean[4] = {2.5f, 2.5f, 2.5f, 2.5f};

	(void)state;
	assert_float_equal(advantage_explained(returned, shifted, 4), 1, 1e-6);
	assert_float_equal(advantage_explained(returned, mean, 4), 0, 1e-6);
	/* Rests 0, 1, 0, 1: variance 1/4 of 5/4. */
	assert_float_equal(advantage_explained(returned, half, 4), 0.8, 1e-6);
	assert_float_equal(advantage_explained(mean, returned, 4), 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lambda_returns_mix_steps),
		cmocka_unit_test(returns_have_the_rewards_size),
		cmocka_unit_test(weights_follow_advantages),
		cmocka_unit_test(weights_of_rows_all_far_below),
		cmocka_unit_test(nothing_to_prefer),
		cmocka_unit_test(explained_is_a_share_of_variance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
