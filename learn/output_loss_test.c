/* SPDX-License-Identifier: BSD-2-Clause */
/* The loss of settings against its definition, its gradient against differences. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "learn/output_loss.h"

#define ROWS 6
#define WIDTH 4

/* The third output is nobody's. */
static void fill(float *outputs, float *teacher)
{
	for (int i = 0; i < ROWS * WIDTH; i++) {
		outputs[i] = i % WIDTH == 2 ? 0 : (float)(1.5 * sin(1.7 * i));
		teacher[i] = i % WIDTH == 2 ? 0 : (float)(2 * cos(0.9 * i));
	}
}

static struct distill_terms terms_of(double correlation, const float *outputs, const float *teacher,
				     float *d)
{
	struct distill_terms terms;
	struct arena arena;

	arena_init(&arena);
	assert_int_equal(output_loss(correlation, &arena, outputs, teacher, ROWS, WIDTH, &terms, d),
			 0);
	arena_free(&arena);
	return terms;
}

/* Products of centred rows, straight from the text. */
static void gram(const float *x, double out[ROWS][ROWS])
{
	double mean[WIDTH] = {0};

	for (int i = 0; i < ROWS * WIDTH; i++)
		mean[i % WIDTH] += (double)x[i] / ROWS;
	for (int a = 0; a < ROWS; a++)
		for (int b = 0; b < ROWS; b++) {
			out[a][b] = 0;
			for (int c = 0; c < WIDTH; c++)
				out[a][b] += ((double)x[a * WIDTH + c] - mean[c]) *
					     ((double)x[b * WIDTH + c] - mean[c]);
		}
}

static void equals_its_definition(void **state)
{
	float outputs[ROWS * WIDTH], teacher[ROWS * WIDTH];
	double s[ROWS][ROWS], g[ROWS][ROWS], above = 0, below = 0, squares = 0;
	struct distill_terms terms;

	(void)state;
	fill(outputs, teacher);
	for (int i = 0; i < ROWS * WIDTH; i++)
		squares += pow((double)outputs[i] - (double)teacher[i], 2) / ROWS;
	gram(outputs, s);
	gram(teacher, g);
	for (int a = 0; a < ROWS; a++)
		for (int b = 0; b < ROWS; b++) {
			above += pow(s[a][b] - g[a][b], 2);
			below += pow(g[a][b], 2);
		}
	terms = terms_of(3, outputs, teacher, NULL);
	assert_true(fabs(terms.plain - squares) < 1e-9);
	assert_true(fabs(terms.correlation - above / below) < 1e-9 && above / below > 0.1);
	assert_true(terms_of(0, outputs, teacher, NULL).correlation == 0);
}

static void gradient_matches_differences(void **state)
{
	static const double weights[] = {0, 2};
	float outputs[ROWS * WIDTH], teacher[ROWS * WIDTH], d[ROWS * WIDTH];

	(void)state;
	fill(outputs, teacher);
	for (int w = 0; w < 2; w++) {
		terms_of(weights[w], outputs, teacher, d);
		for (int i = 0; i < ROWS * WIDTH; i++) {
			const float keep = outputs[i];
			struct distill_terms up, down;
			double step;

			outputs[i] = keep + 1e-2f;
			step = (double)outputs[i];
			up = terms_of(weights[w], outputs, teacher, NULL);
			outputs[i] = keep - 1e-2f;
			step -= (double)outputs[i];
			down = terms_of(weights[w], outputs, teacher, NULL);
			outputs[i] = keep;
			assert_true(fabs((up.plain - down.plain +
					  weights[w] * (up.correlation - down.correlation)) / step -
					 (double)d[i]) < 2e-3);
			/* What nobody sets is left where it is. */
			assert_true(i % WIDTH != 2 || d[i] == 0);
		}
	}
}

/* An equal has nothing to learn; where a teacher always says the same nothing is divided by 0. */
static void extremes_are_finite(void **state)
{
	float outputs[ROWS * WIDTH], teacher[ROWS * WIDTH], d[ROWS * WIDTH];
	struct distill_terms terms;

	(void)state;
	fill(outputs, teacher);
	terms = terms_of(1, teacher, teacher, d);
	assert_true(terms.plain == 0 && fabs(terms.correlation) < 1e-9);
	for (int i = 0; i < ROWS * WIDTH; i++) {
		assert_true(fabs((double)d[i]) < 1e-6);
		teacher[i] = 1;
	}
	terms = terms_of(1, outputs, teacher, d);
	assert_true(isfinite(terms.plain) && isfinite(terms.correlation) && terms.correlation > 1);
	for (int i = 0; i < ROWS * WIDTH; i++)
		assert_true(isfinite(d[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_its_definition),
		cmocka_unit_test(gradient_matches_differences),
		cmocka_unit_test(extremes_are_finite),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
