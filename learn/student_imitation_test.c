/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Students that imitate: one that sees what the answer depends on comes near
 * the targets' entropy, a recurrent one finds what lies in the past, and the
 * seed alone decides.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "learn/student_imitation.h"

#define STEPS 6000

static struct imitation_steps steps;

/* Marks when Classic's delay, of this packet or (`late`) of the one before, is above a bound. */
static void steps_make(bool late)
{
	bool before = false;
	struct rng rng;

	steps.seen = calloc(STEPS, sizeof(*steps.seen));
	steps.target = calloc(STEPS, sizeof(*steps.target));
	steps.count = STEPS;
	steps.cut = STEPS * 4 / 5;
	assert_true(steps.seen && steps.target);
	rng_seed(&rng, 5);
	for (int s = 0; s < STEPS; s++) {
		const int delay = (int)rng_below(&rng, 24 * 256);
		const bool now = delay > 12 * 256;
		const float mark = (late ? before : now) ? 0.9f : 0.02f;

		steps.seen[s][AQM_STUDENT_FEATURE_qdelay_c] = (int16_t)delay;
		steps.target[s][AQM_PASS] = 1 - mark;
		steps.target[s][AQM_MARK] = mark;
		before = now;
	}
}

static double learn(const char *layers, uint64_t seed)
{
	static const uint8_t features[] = {AQM_STUDENT_FEATURE_qdelay_c,
					   AQM_STUDENT_FEATURE_qdelay_l};
	const struct imitation_options options = {.epochs = 1, .segments = 4000, .batch = 8,
						  .rate = 1e-2, .seed = seed};
	struct aqm_student_model model;

	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, layers, features, 2,
					     NULL), 0);
	assert_int_equal(student_imitate(&model, &steps, &options, NULL), 0);
	assert_true(student_decision_ns(&model, &steps, 100) > 0);
	return student_imitation_loss(&model, &steps, steps.cut, STEPS) -
	       student_imitation_entropy(&steps, steps.cut, STEPS);
}

static void what_is_seen_is_learned(void **state)
{
	double wide;

	(void)state;
	steps_make(false);
	wide = learn("8", 1);
	assert_true(wide < 0.06);
	assert_true(learn("", 1) > wide); /* a step is no line */
	assert_true(learn("8", 1) == wide);
	assert_true(learn("8", 2) != wide);
	free(steps.seen);
	free(steps.target);
}

static void cells_remember(void **state)
{
	(void)state;
	steps_make(true);
	assert_true(learn("8", 1) > 0.3); /* it sees the wrong packet */
	assert_true(learn("gru16,16", 1) < 0.1);
	free(steps.seen);
	free(steps.target);
}

static void sizes_are_counted(void **state)
{
	static const uint8_t features[] = {AQM_STUDENT_FEATURE_qdelay_c};
	struct aqm_student_model model;

	(void)state;
	assert_int_equal(student_model_shape(&model, AQM_STUDENT_verdict, "4", features, 1, NULL),
			 0);
	assert_true(student_operations(&model) == 1 + 1 * 4 + 4 * 3);
	steps.cut = 10;
	assert_int_equal(student_imitate(&model, &steps, &(struct imitation_options){0}, NULL),
			 ERR_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_seen_is_learned),
		cmocka_unit_test(cells_remember),
		cmocka_unit_test(sizes_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
