/* SPDX-License-Identifier: BSD-2-Clause */
/* AdamW against its formula written out once per element in double; clipping; frozen tensors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "learn/adamw.h"
#include "tensor/threads.h"

#define COUNT 5

struct fixture {
	float value[COUNT], gradient[COUNT], frozen[2];
	struct backbone_param params[2];
};

static void set_up(struct fixture *f)
{
	*f = (struct fixture){.value = {1, -2, 0.5f, 3, 0},
			      .gradient = {0.3f, -4, 1e-7f, 0, 2},
			      .frozen = {7, 8}};
	f->params[0] = (struct backbone_param){.value = f->frozen, .count = 2};
	f->params[1] =
		(struct backbone_param){.value = f->value, .gradient = f->gradient, .count = COUNT};
}

static void follows_the_formula(void **state)
{
	struct fixture f;
	struct adamw adamw;
	double p[COUNT], m[COUNT] = {0}, v[COUNT] = {0};
	float gradient[COUNT];

	(void)state;
	set_up(&f);
	memcpy(gradient, f.gradient, sizeof(gradient));
	for (int i = 0; i < COUNT; i++)
		p[i] = f.value[i];
	assert_int_equal(adamw_init(&adamw, &adamw_defaults, f.params, 2, NULL), 0);
	for (int k = 1; k <= 7; k++) {
		const double rate = 1e-2 * k;

		gradient[0] = 0.1f * (float)k;
		memcpy(f.gradient, gradient, sizeof(gradient));
		adamw_step(&adamw, f.params, 2, rate, 0.5f);
		for (int i = 0; i < COUNT; i++) {
			const double g = 0.5 * gradient[i];

			assert_true(f.gradient[i] == 0);

			p[i] *= 1 - rate * 1e-4;
			m[i] = 0.9 * m[i] + 0.1 * g;
			v[i] = 0.999 * v[i] + 0.001 * g * g;
			p[i] -= rate * (m[i] / (1 - pow(0.9, k))) /
				(sqrt(v[i] / (1 - pow(0.999, k))) + 1e-8);
			assert_true(fabs(p[i] - f.value[i]) < 2e-6);
		}
	}
	assert_true(f.frozen[0] == 7 && f.frozen[1] == 8);
	assert_int_equal(adamw.steps, 7);
	adamw_free(&adamw);
}

static void zero_gradient_still_decays(void **state)
{
	struct fixture f;
	struct adamw adamw;

	(void)state;
	set_up(&f);
	assert_int_equal(adamw_init(&adamw, &adamw_defaults, f.params, 2, NULL), 0);
	adamw_step(&adamw, f.params, 2, 0.5, 1);
	assert_true(fabs(f.value[3] - 3 * (1 - 0.5 * 1e-4)) < 1e-6);
	adamw_free(&adamw);
}

static void clips_to_the_norm(void **state)
{
	struct fixture f;
	const double norm = sqrt(0.3 * 0.3 + 16 + 4);

	(void)state;
	set_up(&f);
	assert_true(fabs(gradients_clip(f.params, 2, 0.25) - norm) < 1e-6);
	assert_true(fabs(gradients_norm(f.params, 2) - 0.25) < 1e-6);
	assert_true(fabs(gradients_clip(f.params, 2, 0.5) - 0.25) < 1e-6);
	assert_true(fabs(gradients_norm(f.params, 2) - 0.25) < 1e-6);
	gradients_clip(f.params, 2, 0);
	assert_true(fabs(gradients_norm(f.params, 2) - 0.25) < 1e-6);
	gradients_zero(f.params, 2);
	assert_true(gradients_norm(f.params, 2) == 0);
	assert_int_equal(gradients_elements(f.params, 2), COUNT);
}

/* Some hundred blocks and a bit: the norm is that of a plain sum, on any number of threads. */
static void threads_do_not_change_the_norm(void **state)
{
	const int64_t count = 7000001;
	float *gradient = malloc((size_t)count * sizeof(float));
	const struct backbone_param param = {.gradient = gradient, .count = count};
	double norm[3], sum = 0;

	(void)state;
	assert_non_null(gradient);
	for (int64_t i = 0; i < count; i++) {
		gradient[i] = (float)(i % 1013) * 1e-3f;
		sum += (double)gradient[i] * (double)gradient[i];
	}
	for (int threads = 1; threads <= 3; threads++) {
		tensor_threads_set(threads);
		norm[threads - 1] = gradients_norm(&param, 1);
	}
	tensor_threads_set(1);
	assert_true(norm[0] == norm[1] && norm[0] == norm[2]);
	assert_true(fabs(norm[0] - sqrt(sum)) < 1e-9 * norm[0]);
	free(gradient);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_formula),
		cmocka_unit_test(zero_gradient_still_decays),
		cmocka_unit_test(clips_to_the_norm),
		cmocka_unit_test(threads_do_not_change_the_norm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
