/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LayerNorm and RMSNorm against their formulas in double, and their gradients
 * against difference quotients.
 */
#include "tensor/test_support.h"

#include "tensor/norm.h"

#define ROWS 6
#define WIDTH 37

struct norm_case {
	bool centred;
	struct norm_shape shape;
	float *in, *weight, *bias, *out, *stats, *slope;
};

static void case_make(struct norm_case *c, bool centred)
{
	*c = (struct norm_case){.centred = centred, .shape = {ROWS, WIDTH, 1e-5f}};
	c->in = test_normal(ROWS * WIDTH);
	for (int64_t i = 0; i < WIDTH; i++)
		c->in[i] += 3; /* a mean that matters */
	c->weight = test_normal(WIDTH);
	c->bias = test_normal(WIDTH);
	c->out = test_zeros(ROWS * WIDTH);
	c->stats = test_zeros(ROWS * 2);
	c->slope = test_normal(ROWS * WIDTH);
}

static void case_free(struct norm_case *c)
{
	free(c->in);
	free(c->weight);
	free(c->bias);
	free(c->out);
	free(c->stats);
	free(c->slope);
}

static double case_loss(void *context)
{
	struct norm_case *c = context;

	if (c->centred)
		layernorm_forward(c->out, c->stats, c->in, c->weight, c->bias, &c->shape);
	else
		rmsnorm_forward(c->out, c->stats, c->in, c->weight, &c->shape);
	return test_product(c->out, c->slope, ROWS * WIDTH);
}

static void row_check(const struct norm_case *c, int64_t row)
{
	const float *in = c->in + row * WIDTH;
	double mean = 0, square = 0, scale;

	for (int64_t i = 0; i < WIDTH; i++)
		mean += in[i] / (double)WIDTH;
	if (!c->centred)
		mean = 0;
	for (int64_t i = 0; i < WIDTH; i++)
		square += (in[i] - mean) * (in[i] - mean) / WIDTH;
	scale = 1 / sqrt(square + 1e-5);
	for (int64_t i = 0; i < WIDTH; i++) {
		const double wanted = (in[i] - mean) * scale * c->weight[i] +
				      (c->centred ? c->bias[i] : 0);

		assert_true(fabs(wanted - c->out[row * WIDTH + i]) < 1e-5);
	}
	assert_true(fabs(c->stats[2 * row] - mean) < 1e-5);
	assert_true(fabs(c->stats[2 * row + 1] - scale) < 1e-5);
}

static void forward_equals_formula(void **state)
{
	(void)state;
	for (int centred = 0; centred < 2; centred++) {
		struct norm_case c;

		case_make(&c, centred);
		case_loss(&c);
		for (int64_t row = 0; row < ROWS; row++)
			row_check(&c, row);
		case_free(&c);
	}
}

/* A row of equal numbers has no variance: the result is the bias, not NaN. */
static void constant_rows_survive(void **state)
{
	struct norm_case c;

	(void)state;
	case_make(&c, true);
	for (int64_t i = 0; i < WIDTH; i++)
		c.in[i] = 4;
	case_loss(&c);
	test_close("bias", c.out, c.bias, WIDTH, 1e-6);
	case_free(&c);
}

static void gradients_are_slopes(void **state)
{
	(void)state;
	for (int centred = 0; centred < 2; centred++) {
		float *d_in = test_normal(ROWS * WIDTH), *before = test_copy(d_in, ROWS * WIDTH);
		float *d_weight = test_zeros(WIDTH), *d_bias = test_zeros(WIDTH);
		struct norm_case c;

		case_make(&c, centred);
		case_loss(&c);
		norm_backward_input(d_in, c.slope, c.in, c.stats, c.weight, centred, &c.shape);
		norm_backward_weight(d_weight, centred ? d_bias : NULL, c.slope, c.in, c.stats,
				     &c.shape);
		for (int64_t i = 0; i < ROWS * WIDTH; i++)
			d_in[i] -= before[i]; /* backward adds */
		test_gradient("in", c.in, d_in, ROWS * WIDTH, 5e-3, 3e-3, case_loss, &c);
		test_gradient("weight", c.weight, d_weight, WIDTH, 0.05, 1e-3, case_loss, &c);
		if (centred)
			test_gradient("bias", c.bias, d_bias, WIDTH, 0.05, 1e-3, case_loss, &c);
		case_free(&c);
		free(d_in);
		free(before);
		free(d_weight);
		free(d_bias);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_equals_formula),
		cmocka_unit_test(constant_rows_survive),
		cmocka_unit_test(gradients_are_slopes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
