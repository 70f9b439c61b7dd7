/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Affine maps: both layouts against a plain loop, with bias, residual and
 * gaps between rows; gradients against difference quotients; table look-ups.
 */
#include "tensor/test_support.h"

#include "tensor/linear.h"

#define ROWS 13
#define IN 21
#define OUT 34
#define GAP 3

struct affine {
	struct linear_shape shape;
	float *in, *weight, *bias, *residual, *out, *slope;
};

static void affine_make(struct affine *affine, enum linear_layout layout)
{
	*affine = (struct affine){.shape = linear_shape_dense(ROWS, IN, OUT, layout)};
	affine->shape.out_stride += GAP;
	affine->in = test_normal(ROWS * IN);
	affine->weight = test_normal(IN * OUT);
	affine->bias = test_normal(OUT);
	affine->residual = test_normal(ROWS * (OUT + GAP));
	affine->out = test_zeros(ROWS * (OUT + GAP));
	affine->slope = test_normal(ROWS * (OUT + GAP));
	for (int64_t row = 0; row < ROWS; row++) /* gaps do not count in the loss */
		memset(affine->slope + row * (OUT + GAP) + OUT, 0, GAP * sizeof(float));
}

static void affine_free(struct affine *affine)
{
	free(affine->in);
	free(affine->weight);
	free(affine->bias);
	free(affine->residual);
	free(affine->out);
	free(affine->slope);
}

static double plain_output(const struct affine *affine, int64_t row, int64_t column)
{
	double sum = 0;

	for (int64_t i = 0; i < IN; i++)
		sum += (double)affine->in[row * IN + i] *
		       (affine->shape.layout == LINEAR_IN_OUT ? affine->weight[i * OUT + column]
							       : affine->weight[column * IN + i]);
	return sum;
}

static void forward_check(const struct affine *affine, bool bias, bool residual)
{
	linear_forward(affine->out, affine->in, affine->weight, bias ? affine->bias : NULL,
		       residual ? affine->residual : NULL, &affine->shape);
	for (int64_t row = 0; row < ROWS; row++)
		for (int64_t i = 0; i < OUT; i++) {
			const int64_t place = row * (OUT + GAP) + i;
			double wanted = plain_output(affine, row, i);

			wanted += bias ? affine->bias[i] : 0;
			wanted += residual ? affine->residual[place] : 0;
			assert_true(fabs(wanted - affine->out[place]) < 2e-5);
		}
}

static void forward_equals_plain(void **state)
{
	struct affine affine;

	(void)state;
	for (int layout = LINEAR_OUT_IN; layout <= LINEAR_IN_OUT; layout++) {
		affine_make(&affine, (enum linear_layout)layout);
		for (int flags = 0; flags < 4; flags++)
			forward_check(&affine, flags & 1, flags & 2);
		for (int64_t row = 0; row < ROWS; row++)
			for (int64_t i = OUT; i < OUT + GAP; i++)
				assert_true(affine.out[row * (OUT + GAP) + i] == 0);
		affine_free(&affine);
	}
}

static void residual_in_place(void **state)
{
	struct affine affine;
	float *wanted;

	(void)state;
	affine_make(&affine, LINEAR_OUT_IN);
	linear_forward(affine.out, affine.in, affine.weight, affine.bias, affine.residual,
		       &affine.shape);
	wanted = affine.out;
	linear_forward(affine.residual, affine.in, affine.weight, affine.bias, affine.residual,
		       &affine.shape);
	for (int64_t row = 0; row < ROWS; row++)
		test_close("in place", affine.residual + row * (OUT + GAP),
			   wanted + row * (OUT + GAP), OUT, 0);
	affine_free(&affine);
}

static double affine_loss(void *context)
{
	const struct affine *affine = context;

	linear_forward(affine->out, affine->in, affine->weight, affine->bias, NULL,
		       &affine->shape);
	return test_product(affine->out, affine->slope, ROWS * (OUT + GAP));
}

static void gradients_are_slopes(void **state)
{
	(void)state;
	for (int layout = LINEAR_OUT_IN; layout <= LINEAR_IN_OUT; layout++) {
		float *d_in = test_zeros(ROWS * IN), *d_weight = test_zeros(IN * OUT);
		float *d_bias = test_zeros(OUT), *twice;
		struct affine affine;

		affine_make(&affine, (enum linear_layout)layout);
		linear_backward_input(d_in, affine.slope, affine.weight, false, &affine.shape);
		linear_backward_weight(d_weight, d_bias, affine.slope, affine.in, &affine.shape);
		test_gradient("in", affine.in, d_in, ROWS * IN, 0.05, 1e-3, affine_loss, &affine);
		test_gradient("weight", affine.weight, d_weight, IN * OUT, 0.05, 1e-3,
			      affine_loss, &affine);
		test_gradient("bias", affine.bias, d_bias, OUT, 0.05, 1e-3, affine_loss, &affine);
		twice = test_copy(d_in, ROWS * IN);
		linear_backward_input(twice, affine.slope, affine.weight, true, &affine.shape);
		for (int64_t i = 0; i < ROWS * IN; i++)
			assert_true(fabsf(twice[i] - 2 * d_in[i]) < 1e-4f);
		affine_free(&affine);
		free(d_in);
		free(d_weight);
		free(d_bias);
		free(twice);
	}
}

static void rows_are_looked_up(void **state)
{
	const float table[] = {0, 1, 10, 11, 20, 21};
	const int64_t index[] = {2, 0, 2};
	const float d_out[] = {1, 2, 3, 4, 5, 6};
	float out[6], d_table[6] = {0};

	(void)state;
	embedding_forward(out, table, index, 3, 2);
	test_close("rows", out, (const float[]){20, 21, 0, 1, 20, 21}, 6, 0);
	embedding_backward(d_table, d_out, index, 3, 2);
	test_close("table", d_table, (const float[]){3, 4, 0, 0, 6, 8}, 6, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forward_equals_plain),
		cmocka_unit_test(residual_in_place),
		cmocka_unit_test(gradients_are_slopes),
		cmocka_unit_test(rows_are_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
