/* SPDX-License-Identifier: BSD-2-Clause */
/* Distillation losses against their definitions, their gradients against differences. */
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "learn/distill_loss.h"

#define ROWS 7
#define CLASSES 3

static void fill(float *logits, float *teacher)
{
	for (int r = 0; r < ROWS; r++) {
		double sum = 0;

		for (int c = 0; c < CLASSES; c++) {
			logits[r * CLASSES + c] = (float)(1.5 * sin(1.7 * (r * CLASSES + c)));
			teacher[r * CLASSES + c] = (float)exp(2 * sin(0.9 * (r + 4 * c)));
			sum += (double)teacher[r * CLASSES + c];
		}
		for (int c = 0; c < CLASSES; c++)
			teacher[r * CLASSES + c] /= (float)sum;
	}
}

static struct distill_terms terms_of(const struct distill_loss *loss, const float *logits,
				     const float *teacher, float *d)
{
	struct distill_terms terms;
	struct arena arena;

	arena_init(&arena);
	assert_int_equal(
		distill_loss(loss, &arena, logits, teacher, ROWS, CLASSES, &terms, d), 0);
	arena_free(&arena);
	return terms;
}

/* softmax(ln(p) / T), and the same of logits, straight from the text. */
static void soft(const float *x, bool logits, double temperature, double *out)
{
	double sum = 0;

	for (int c = 0; c < CLASSES; c++) {
		const double log_p = logits ? (double)x[c] : log((double)x[c]);

		out[c] = exp(log_p / temperature);
		sum += out[c];
	}
	for (int c = 0; c < CLASSES; c++)
		out[c] /= sum;
}

static void gram(const float *x, bool logits, double temperature, double out[ROWS][ROWS])
{
	double rows[ROWS][CLASSES], mean[CLASSES] = {0};

	for (int r = 0; r < ROWS; r++) {
		soft(x + r * CLASSES, logits, temperature, rows[r]);
		for (int c = 0; c < CLASSES; c++)
			mean[c] += rows[r][c] / ROWS;
	}
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < ROWS; j++) {
			out[i][j] = 0;
			for (int c = 0; c < CLASSES; c++)
				out[i][j] += (rows[i][c] - mean[c]) * (rows[j][c] - mean[c]);
		}
}

static void equals_its_definition(void **state)
{
	const struct distill_loss loss = {.temperature = 2.5, .correlation = 3};
	float logits[ROWS * CLASSES], teacher[ROWS * CLASSES];
	double student_s[ROWS][ROWS], teacher_s[ROWS][ROWS], kl = 0, above = 0, below = 0;
	struct distill_terms terms;

	(void)state;
	fill(logits, teacher);
	for (int r = 0; r < ROWS; r++) {
		double p[CLASSES], q[CLASSES];

		soft(teacher + r * CLASSES, false, 2.5, p);
		soft(logits + r * CLASSES, true, 2.5, q);
		for (int c = 0; c < CLASSES; c++)
			kl += 2.5 * 2.5 * p[c] * log(p[c] / q[c]) / ROWS;
	}
	gram(logits, true, 2.5, student_s);
	gram(teacher, false, 2.5, teacher_s);
	for (int i = 0; i < ROWS; i++)
		for (int j = 0; j < ROWS; j++) {
			above += pow(student_s[i][j] - teacher_s[i][j], 2);
			below += pow(teacher_s[i][j], 2);
		}
	terms = terms_of(&loss, logits, teacher, NULL);
	assert_true(fabs(terms.plain - kl) < 1e-9);
	assert_true(fabs(terms.correlation - above / below) < 1e-9);
	assert_true(above / below > 0.1);
}

static void gradient_matches_differences(void **state)
{
	const struct distill_loss losses[] = {{.temperature = 1}, {.temperature = 3},
					      {.temperature = 1, .correlation = 2},
					      {.temperature = 4, .correlation = 5}};
	float logits[ROWS * CLASSES], teacher[ROWS * CLASSES], d[ROWS * CLASSES];

	(void)state;
	fill(logits, teacher);
	for (size_t l = 0; l < sizeof(losses) / sizeof(losses[0]); l++) {
		terms_of(&losses[l], logits, teacher, d);
		for (int i = 0; i < ROWS * CLASSES; i++) {
			const float keep = logits[i];
			struct distill_terms up, down;
			double step, difference;

			logits[i] = keep + 1e-2f;
			step = (double)logits[i];
			up = terms_of(&losses[l], logits, teacher, NULL);
			logits[i] = keep - 1e-2f;
			step -= (double)logits[i];
			down = terms_of(&losses[l], logits, teacher, NULL);
			logits[i] = keep;
			difference = up.plain - down.plain +
				     losses[l].correlation * (up.correlation - down.correlation);
			assert_true(fabs(difference / step - (double)d[i]) < 2e-4);
		}
	}
}

/* A student that says what its teacher says has nothing to learn, however sure both are. */
static void nothing_to_learn_from_an_equal(void **state)
{
	const struct distill_loss loss = {.temperature = 2, .correlation = 1};
	float logits[ROWS * CLASSES], teacher[ROWS * CLASSES], d[ROWS * CLASSES];
	struct distill_terms terms;

	(void)state;
	fill(logits, teacher);
	for (int i = 0; i < ROWS * CLASSES; i++)
		logits[i] = (float)log((double)teacher[i]) + 5;
	terms = terms_of(&loss, logits, teacher, d);
	assert_true(fabs(terms.plain) < 1e-6 && fabs(terms.correlation) < 1e-6);
	for (int i = 0; i < ROWS * CLASSES; i++)
		assert_true(fabs((double)d[i]) < 1e-5);
}

/* Certain teachers and constant batches are finite. */
static void survives_extremes(void **state)
{
	const struct distill_loss loss = {.temperature = 2, .correlation = 1};
	float logits[ROWS * CLASSES], teacher[ROWS * CLASSES] = {0}, d[ROWS * CLASSES];
	struct distill_terms terms;

	(void)state;
	for (int i = 0; i < ROWS * CLASSES; i++)
		logits[i] = i % CLASSES == 1 ? 400 : -400;
	for (int r = 0; r < ROWS; r++)
		teacher[r * CLASSES] = 1;
	terms = terms_of(&loss, logits, teacher, d);
	assert_true(isfinite(terms.plain) && terms.plain > 1000 && fabs(terms.correlation) < 1e-9);
	for (int i = 0; i < ROWS * CLASSES; i++)
		assert_true(isfinite(d[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_its_definition),
		cmocka_unit_test(gradient_matches_differences),
		cmocka_unit_test(nothing_to_learn_from_an_equal),
		cmocka_unit_test(survives_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
