/* SPDX-License-Identifier: BSD-2-Clause */
/* Cross-entropy against its definition, its gradient against differences; extreme logits. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "learn/loss.h"

static const int32_t labels[4] = {0, 2, 1, 2};
static const float weight[4] = {0.5f, 2, 3, 1};

static void logits_fill(float *logits)
{
	for (int i = 0; i < 12; i++)
		logits[i] = (float)(1.5 * sin(1.7 * i));
}

static void equals_its_definition(void **state)
{
	float logits[12];
	double expected = 0;

	(void)state;
	logits_fill(logits);
	for (int r = 0; r < 4; r++) {
		double sum = 0;

		for (int c = 0; c < 3; c++)
			sum += exp((double)logits[3 * r + c]);
		expected -=
			(double)weight[r] * log(exp((double)logits[3 * r + labels[r]]) / sum) / 4;
	}
	assert_true(fabs(cross_entropy(logits, labels, 4, 3, weight, 1, NULL) - expected) < 1e-12);
}

static void gradient_matches_differences(void **state)
{
	float logits[12], d[12];

	(void)state;
	logits_fill(logits);
	cross_entropy(logits, labels, 4, 3, weight, 0.25, d);
	for (int i = 0; i < 12; i++) {
		const float keep = logits[i];
		double up, down;

		logits[i] = keep + 1e-2f;
		up = cross_entropy(logits, labels, 4, 3, weight, 1, NULL);
		logits[i] = keep - 1e-2f;
		down = cross_entropy(logits, labels, 4, 3, weight, 1, NULL);
		logits[i] = keep;
		assert_true(fabs(0.25 * (up - down) / 2e-2 - (double)d[i]) < 1e-5);
	}
}

/* Soft targets: one-hot ones are labels; the gradient is that of the loss; least at the targets. */
static void soft_targets(void **state)
{
	const double target[6] = {0.2, 0.5, 0.3, 0, 1, 0};
	const float at[3] = {logf(0.2f), logf(0.5f), logf(0.3f)};
	float logits[6] = {0.3f, -1, 2, 0.5f, 0.1f, -0.4f}, d[6];
	const int32_t label = 1;

	(void)state;
	assert_true(fabs(cross_entropy_soft(logits + 3, target + 3, 1, 3, NULL, 1, NULL) -
			 cross_entropy(logits + 3, &label, 1, 3, NULL, 1, NULL)) < 1e-12);
	cross_entropy_soft(logits, target, 2, 3, weight, 0.25, d);
	for (int i = 0; i < 6; i++) {
		const float keep = logits[i];
		double up, down;

		logits[i] = keep + 1e-2f;
		up = cross_entropy_soft(logits, target, 2, 3, weight, 1, NULL);
		logits[i] = keep - 1e-2f;
		down = cross_entropy_soft(logits, target, 2, 3, weight, 1, NULL);
		logits[i] = keep;
		assert_true(fabs(0.25 * (up - down) / 2e-2 - (double)d[i]) < 1e-5);
	}
	cross_entropy_soft(at, target, 1, 3, NULL, 1, d);
	assert_true(fabsf(d[0]) < 1e-6f && fabsf(d[1]) < 1e-6f && fabsf(d[2]) < 1e-6f);
}

static void survives_extremes(void **state)
{
	const float logits[3] = {1000, -1000, 0};
	const int32_t unlikely = 1;
	double probability[3];
	float d[3];

	(void)state;
	assert_true(fabs(cross_entropy(logits, &unlikely, 1, 3, NULL, 1, d) - 2000) < 1e-9);
	assert_true(d[0] == 1 && d[1] == -1 && d[2] == 0);
	softmax_row(logits, 3, probability);
	assert_true(probability[0] == 1 && probability[1] == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_its_definition),
		cmocka_unit_test(gradient_matches_differences),
		cmocka_unit_test(soft_targets),
		cmocka_unit_test(survives_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
