/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The twin's attention against its text, and its gradients against differences.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aqm/ref/student.h"
#include "base/rng.h"
#include "learn/student_attention.h"

#define WIDTH 5
#define WINDOW 4
#define SAID (3 * WIDTH + WINDOW)
#define STEPS 9

/* A fixed weighting of all that comes out in all steps, of what was said in them. */
static double loss_of(float said[STEPS][SAID], float weighting[STEPS][WIDTH],
		      struct student_attention_tape *tapes)
{
	struct student_attention_past past = {0};
	double loss = 0;

	for (int step = 0; step < STEPS; step++) {
		float y[WIDTH];

		student_attention_forward(WIDTH, WINDOW, said[step], &past, y, &tapes[step]);
		for (int i = 0; i < WIDTH; i++)
			loss += (double)weighting[step][i] * (double)y[i];
	}
	return loss;
}

/* `deep`: how far apart scores are; beyond 8 octaves some count as no less. */
static void check_gradients(struct rng *rng, double deep)
{
	static struct student_attention_tape tapes[STEPS], other[STEPS];
	struct student_attention_past d_past = {0};
	float said[STEPS][SAID], weighting[STEPS][WIDTH], d_said[STEPS][SAID];
	const float width = 5e-3f;
	int cut = 0, wrong = 0;

	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < SAID; i++)
			said[step][i] = (float)(rng_normal(rng) * (i >= 3 * WIDTH ? deep : 0.6));
		for (int i = 0; i < WIDTH; i++)
			weighting[step][i] = (float)rng_normal(rng);
	}
	loss_of(said, weighting, tapes);
	for (int step = STEPS - 1; step >= 0; step--) {
		student_attention_backward(WIDTH, WINDOW, said[step], weighting[step], &tapes[step],
					   &d_past, d_said[step]);
		for (int lag = 0; lag < WINDOW; lag++)
			cut += tapes[step].rise[lag] == 0;
	}
	for (int step = 0; step < STEPS; step++) {
		for (int i = 0; i < SAID; i++) {
			const float was = said[step][i];
			double above, below, off;

			said[step][i] = was + width;
			above = loss_of(said, weighting, other);
			said[step][i] = was - width;
			below = loss_of(said, weighting, other);
			said[step][i] = was;
			off = fabs((above - below) / (2 * (double)width) -
				   (double)d_said[step][i]) /
			      (1 + fabs((double)d_said[step][i]));
			/* Powers have a kink of 2 % at whole octaves. */
			assert_true(off < 0.02);
			wrong += off > 2e-3;
		}
	}
	assert_true(wrong <= STEPS * SAID / 25);
	assert_true(deep < 2 ? cut == 0 : cut > 0);
}

static void gradients_are_those_of_differences(void **state)
{
	struct rng rng;

	(void)state;
	rng_seed(&rng, 4);
	for (int round = 0; round < 20; round++)
		check_gradients(&rng, 1);
	check_gradients(&rng, 6);
}

static void it_is_the_text(void **state)
{
	struct student_attention_past past = {0};
	static struct student_attention_tape tape;
	struct rng rng;

	(void)state;
	rng_seed(&rng, 5);
	for (int step = 0; step < 50; step++) {
		double query[WIDTH], lag[WINDOW], heeded[WIDTH];
		double key[WINDOW * WIDTH], value[WINDOW * WIDTH];
		float said[SAID], y[WIDTH];

		for (int i = 0; i < SAID; i++)
			said[i] = (float)(2 * rng_normal(&rng));
		student_attention_forward(WIDTH, WINDOW, said, &past, y, &tape);
		for (int i = 0; i < WIDTH; i++)
			query[i] = (double)said[i];
		for (int i = 0; i < WINDOW; i++)
			lag[i] = (double)said[3 * WIDTH + i];
		for (int i = 0; i < WINDOW * WIDTH; i++) {
			key[i] = (double)past.key[i];
			value[i] = (double)past.value[i];
		}
		oracle_student_heed(WIDTH, WINDOW, query, key, value, lag, heeded);
		for (int i = 0; i < WIDTH; i++) {
			assert_true(past.key[i] == said[WIDTH + i]);
			/* Powers of two are 0.4 % off, and values may be as far as 6 apart. */
			assert_true(fabs((double)y[i] - heeded[i]) < 0.02);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gradients_are_those_of_differences),
		cmocka_unit_test(it_is_the_text),
	};

	return cmocka_run_group_tests_name("student attention, float", tests, NULL, NULL);
}
