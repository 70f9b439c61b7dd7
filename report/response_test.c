/* SPDX-License-Identifier: BSD-2-Clause */
/* Step responses and contractions with answers that are known. */
#include "report/step_response.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"
#include "report/contraction.h"

/* y = 1 - e^-z t (cos w t + z/w sin w t): overshoot e^(-pi z/w), settles within b at ln(1/b)/z. */
static void a_second_order_step_overshoots_and_settles(void **state)
{
	enum { COUNT = 2000 };
	const struct step_response_options options = {0.01, 200, 0.05, 0, 300};
	const double decay = 1, turn = 3;
	double values[COUNT];
	struct step_response response;

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		const double t = 0.01 * i;

		values[i] = 10 - 10 * exp(-decay * t) *
					(cos(turn * t) + decay / turn * sin(turn * t));
	}
	response = step_response_of(values, COUNT, &options);
	assert_true(fabs(response.final - 10) < 1e-3);
	assert_true(fabs(response.overshoot - 10 * exp(-acos(-1) * decay / turn)) < 0.01);
	assert_true(fabs(response.undershoot - 10) < 1e-3 && fabs(response.band - 0.5) < 1e-4);
	/* The last half turn that leaves the band has its extreme at 2 pi / w: 1.23. */
	assert_true(response.settling_s > 2 * acos(-1) / turn);
	assert_true(response.settling_s < 3 * acos(-1) / turn);
}

static void what_ends_outside_has_not_settled(void **state)
{
	double values[100];
	const struct step_response_options options = {1, 10, 0.1, 0, 8};

	(void)state;
	for (int i = 0; i < 100; i++)
		values[i] = i % 2 ? 5 : 15;
	assert_true(isinf(step_response_of(values, 100, &options).settling_s));
	for (int i = 0; i < 100; i++)
		values[i] = i < 40 ? 20 : 10;
	assert_true(step_response_of(values, 100, &options).settling_s == 40);
	for (int i = 0; i < 100; i++)
		values[i] = 10;
	assert_true(step_response_of(values, 100, &options).settling_s == 0);
	assert_true(isnan(step_response_of(values, 0, &options).final));
	/* One that leaves the band again later had settled, if it held for long enough. */
	for (int i = 0; i < 100; i++)
		values[i] = i < 5 || i == 12 || i == 60 ? 20 : 10;
	assert_true(step_response_of(values, 100, &options).settling_s == 13);
}

static void a_geometric_sequence_gives_its_rate(void **state)
{
	static const double rates[] = {0.3, 0.8, 0.95, 0.99};
	double values[60];
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (size_t r = 0; r < 4; r++) {
		struct contraction fit;

		for (int k = 0; k < 60; k++)
			values[k] = 0.2 + 0.5 * pow(rates[r], k);
		fit = contraction_of(values, 60);
		assert_true(fabs(fit.rate - rates[r]) < 1e-4);
		assert_true(fabs(fit.limit - 0.2) < 1e-3 && fabs(fit.amplitude - 0.5) < 1e-3);
		assert_true(fit.explained > 0.999999);
		/* Where the last terms are below the fit's precision, that is all that is seen. */
		if (rates[r] > 0.7)
			assert_true(fabs(fit.needed - rates[r]) < 1e-3);
		for (int k = 0; k < 60; k++)
			values[k] += 0.01 * rng_normal(&rng);
		fit = contraction_of(values, 60);
		assert_true(fit.rate_bounds.low < rates[r] && rates[r] < fit.rate_bounds.high);
	}
}

static void what_rises_first_needs_more_than_one(void **state)
{
	const double values[] = {1, 1.8, 0.9, 0.45, 0.22, 0.11, 0.06, 0.03, 0.01, 0.005};
	const struct contraction fit = contraction_of(values, 10);

	(void)state;
	assert_true(fit.needed > 1 && fit.worst == 1);
	assert_true(isnan(contraction_of(values, CONTRACTION_LEAST - 1).rate));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_order_step_overshoots_and_settles),
		cmocka_unit_test(what_ends_outside_has_not_settled),
		cmocka_unit_test(a_geometric_sequence_gives_its_rate),
		cmocka_unit_test(what_rises_first_needs_more_than_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
