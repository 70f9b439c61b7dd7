/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Margins found by disturbance beside those that a loop is known to have:
 * L(s) = K e^(-s T) / s, whose crossover is K, phase margin 90 - K T (in
 * degrees) and gain margin pi / (2 K T).
 *
 * The loop is made of packets and drawn signals, as a queue is: every signal
 * lowers x by one, x rises with time, and the law signals with a probability
 * that follows x a delay later.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "report/loop_gain.h"
#include "sim/perturbation.h"

#define RUNS 24
#define PACKETS_PER_S 1000
#define SPAN_S 120
#define CALM_S 20 /* before counting */
#define GAIN 2.0  /* K, 1/s */
#define DELAY_S 0.3
#define CHANCE 0.2 /* the law's, at rest */

static const double pi = 3.14159265358979;

static double complex known(double hz)
{
	const double complex s = 2 * pi * hz * I;

	return GAIN * cexp(-s * DELAY_S) / s;
}

static void margins_of_known_gains(void **state)
{
	double complex gains[200];
	double hz[200];
	struct loop_margins margins;

	(void)state;
	for (int i = 0; i < 200; i++) {
		hz[i] = 0.05 * pow(1.02, i);
		gains[i] = known(hz[i]);
	}
	margins = loop_margins_of(hz, gains, 200);
	assert_true(fabs(margins.crossover_hz - GAIN / (2 * pi)) < 1e-3);
	assert_true(fabs(margins.phase_deg - (90 - GAIN * DELAY_S * 180 / pi)) < 0.05);
	assert_true(fabs(margins.turn_hz - 1 / (4 * DELAY_S)) < 1e-3);
	assert_true(fabs(margins.gain - pi / (2 * GAIN * DELAY_S)) < 2e-3);
	assert_true(margins.modulus > 0.5 && margins.modulus < 1 - 1 / margins.gain);
	/* What is not looked at is not found. */
	margins = loop_margins_of(hz, gains, 20);
	assert_true(isnan(margins.crossover_hz) && isnan(margins.gain));
}

/* One disturbed run. */
static void run(const struct perturbation_plan *plan, struct perturbation_sums *sums)
{
	enum { LATE = (int)(DELAY_S * PACKETS_PER_S) };
	const int packets = (CALM_S + SPAN_S) * PACKETS_PER_S;
	const double slope = GAIN / PACKETS_PER_S; /* of the chance over x */
	struct perturbation_state state;
	double past[LATE] = {0}, x = 0;
	struct rng rng;

	rng_seed(&rng, plan->seed + 1000);
	perturbation_begin(&state, plan);
	for (int i = 0; i < packets; i++) {
		const double chance = CHANCE + slope * past[i % LATE];
		const enum aqm_verdict verdict =
			rng_uniform(&rng) < chance ? AQM_MARK : AQM_PASS;
		const uint64_t now_ns = (uint64_t)i * 1000000000 / PACKETS_PER_S;

		past[i % LATE] = x;
		x += CHANCE;
		if (perturbation_pass(&state, now_ns, AQM_ECT0, verdict) == AQM_MARK)
			x -= 1;
	}
	*sums = state.sums;
}

static void disturbance_finds_the_gain_of_a_known_loop(void **state)
{
	static double complex given[RUNS * PERTURBATION_MAX_TONES];
	static double complex met[RUNS * PERTURBATION_MAX_TONES];
	struct loop_runs runs = {given, met, RUNS, 0};
	double hz[PERTURBATION_MAX_TONES];
	double complex gains[PERTURBATION_MAX_TONES];
	struct loop_margins margins;
	size_t all[RUNS];

	(void)state;
	for (size_t r = 0; r < RUNS; r++) {
		struct perturbation_plan plan = {
			.begin_s = CALM_S, .end_s = CALM_S + SPAN_S, .seed = r};
		struct perturbation_sums sums;

		perturbation_plan_make(&plan, 0.1, 1.5, 10, 0.8);
		run(&plan, &sums);
		runs.tones = plan.count;
		for (size_t i = 0; i < plan.count; i++) {
			given[r * plan.count + i] = sums.law[i];
			met[r * plan.count + i] = sums.met[i];
			hz[i] = plan.tones[i].hz;
		}
		all[r] = r;
		assert_true(fabs(sums.met_signals / (CHANCE * SPAN_S * PACKETS_PER_S) - 1) < 0.02);
	}
	assert_int_equal(runs.tones, 10);
	for (size_t i = 0; i < runs.tones; i++) {
		const double error = loop_gain_error(&runs, i);

		gains[i] = loop_gain(&runs, i, all, RUNS);
		assert_true(cabs(gains[i] - known(hz[i])) < 4 * error);
		assert_true(error < 0.1 * cabs(known(hz[i])) + 0.03);
	}
	margins = loop_margins_of(hz, gains, runs.tones);
	assert_true(fabs(margins.phase_deg - (90 - GAIN * DELAY_S * 180 / pi)) < 4);
	assert_true(fabs(margins.gain / (pi / (2 * GAIN * DELAY_S)) - 1) < 0.1);
	assert_true(fabs(margins.crossover_hz / (GAIN / (2 * pi)) - 1) < 0.05);
}

static void a_plan_keeps_its_depth_and_whole_periods(void **state)
{
	struct perturbation_plan plan = {.begin_s = 5, .end_s = 60, .seed = 3};
	double highest = 0;

	(void)state;
	perturbation_plan_make(&plan, 0.05, 5, 12, 0.7);
	assert_true(plan.count >= 10 && plan.count <= 12);
	for (double t = 5; t < 60; t += 1e-3)
		highest = fmax(highest, fabs(perturbation_at(&plan, t)));
	assert_true(highest > 0.69 && highest < 0.71);
	for (size_t i = 0; i < plan.count; i++) {
		const double periods = plan.tones[i].hz * 55;

		assert_true(fabs(periods - round(periods)) < 1e-9);
		assert_true((int)round(periods) % 2 == 1);
		assert_true(i == 0 || plan.tones[i].hz > plan.tones[i - 1].hz);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(margins_of_known_gains),
		cmocka_unit_test(disturbance_finds_the_gain_of_a_known_loop),
		cmocka_unit_test(a_plan_keeps_its_depth_and_whole_periods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
