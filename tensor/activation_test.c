/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Activations against libm in double, over the whole range that matters and
 * the edges where exp() leaves f32; gradients against difference quotients.
 */
#include "tensor/test_support.h"

#include "tensor/activation.h"
#include "tensor/vector.h"

#define COUNT 4001

static double gelu_exact(double x)
{
	return 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

static double gelu_slope(double x)
{
	return (gelu_exact(x + 1e-6) - gelu_exact(x - 1e-6)) / 2e-6;
}

static double silu_exact(double x)
{
	return x / (1 + exp(-x));
}

/* From -40 to 40, and far outside. */
static float *ramp(void)
{
	float *x = test_zeros(COUNT);

	for (int64_t i = 0; i < COUNT; i++)
		x[i] = (float)(i - COUNT / 2) * 0.02f;
	x[0] = -1e30f;
	x[1] = 1e30f;
	x[2] = -200;
	x[3] = 200;
	return x;
}

static void exp_is_accurate(void **state)
{
	(void)state;
	for (double x = -86.5; x < 87.5; x += 0.0137) {
		const double wanted = exp((double)(float)x);

		assert_true(fabs(vector_exp((float)x) - wanted) <= 3e-7 * wanted);
	}
	assert_true(vector_exp(0) == 1);
	assert_true(vector_exp(-1e30f) > 0 && vector_exp(-1e30f) < 1e-37f);
	assert_true(vector_exp(1e30f) > 1e38f && isfinite(vector_exp(1e30f)));
	assert_true(isnan(vector_exp(NAN)));
}

static void gelu_equals_formula(void **state)
{
	float *x = ramp(), *y = test_zeros(COUNT), *d = test_zeros(COUNT), *one = test_zeros(COUNT);

	(void)state;
	for (int64_t i = 0; i < COUNT; i++)
		one[i] = 1;
	gelu_new_forward(y, x, COUNT);
	gelu_new_backward(d, one, x, COUNT);
	assert_true(fabsf(y[0]) < 1e-6f && y[1] == 1e30f);
	for (int64_t i = 2; i < COUNT; i++) {
		assert_true(fabs(y[i] - gelu_exact(x[i])) <= 4e-7 * (1 + fabs(x[i])));
		assert_true(fabs(d[i] - gelu_slope(x[i])) <= 3e-6);
	}
	free(x);
	free(y);
	free(d);
	free(one);
}

static void relu_cuts_at_zero(void **state)
{
	float *x = ramp(), *y = test_zeros(COUNT), *d = test_zeros(COUNT), *one = test_zeros(COUNT);

	(void)state;
	for (int64_t i = 0; i < COUNT; i++)
		one[i] = 1;
	relu_forward(y, x, COUNT);
	relu_backward(d, one, x, COUNT);
	for (int64_t i = 0; i < COUNT; i++) {
		assert_true(y[i] == (x[i] > 0 ? x[i] : 0));
		assert_true(d[i] == (x[i] > 0 ? 1.0f : 0.0f));
	}
	x[5] = NAN; /* a fault must not be hidden */
	relu_forward(x, x, COUNT);
	assert_true(isnan(x[5]) && x[6] == y[6]);
	free(x);
	free(y);
	free(d);
	free(one);
}

struct gate {
	float *in, *out, *slope;
	void (*forward)(float *out, const float *in, int64_t rows, int64_t width);
};

#define ROWS 5
#define WIDTH 19

static double gate_loss(void *context)
{
	struct gate *gate = context;

	gate->forward(gate->out, gate->in, ROWS, WIDTH);
	return test_product(gate->out, gate->slope, ROWS * WIDTH);
}

static void gates_equal_formula(void **state)
{
	static const struct {
		void (*forward)(float *out, const float *in, int64_t rows, int64_t width);
		void (*backward)(float *d_in, const float *d_out, const float *in, int64_t rows,
				 int64_t width);
		double (*exact)(double x);
	} gates[] = {
		{silu_gate_forward, silu_gate_backward, silu_exact},
		{gelu_gate_forward, gelu_gate_backward, gelu_exact},
	};
	struct gate gate = {test_normal(ROWS * 2 * WIDTH), test_zeros(ROWS * WIDTH),
			    test_normal(ROWS * WIDTH), NULL};
	float *d_in = test_zeros(ROWS * 2 * WIDTH);

	(void)state;
	for (size_t form = 0; form < sizeof(gates) / sizeof(gates[0]); form++) {
		gate.forward = gates[form].forward;
		gate_loss(&gate);
		for (int64_t i = 0; i < ROWS * WIDTH; i++) {
			const float *row = gate.in + i / WIDTH * 2 * WIDTH;
			const double wanted = gates[form].exact(row[i % WIDTH]) *
					      row[WIDTH + i % WIDTH];

			assert_true(fabs(gate.out[i] - wanted) < 1e-6 * (1 + fabs(wanted)));
		}
		gates[form].backward(d_in, gate.slope, gate.in, ROWS, WIDTH);
		test_gradient("gate", gate.in, d_in, ROWS * 2 * WIDTH, 5e-3, 2e-3, gate_loss,
			      &gate);
	}
	free(gate.in);
	free(gate.out);
	free(gate.slope);
	free(d_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exp_is_accurate),
		cmocka_unit_test(gelu_equals_formula),
		cmocka_unit_test(relu_cuts_at_zero),
		cmocka_unit_test(gates_equal_formula),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
