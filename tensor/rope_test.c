/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rotary positions: the rotation against complex multiplication, frequencies
 * against values worked out from the published formulas.
 */
#include "tensor/test_support.h"

#include <complex.h>

#include "tensor/rope.h"

static void rotation_equals_complex_product(void **state)
{
	const struct rope_shape shape = {.batch = 2, .tokens = 7, .heads = 3, .width = 10,
					 .row_stride = 34, .first_position = 4};
	float *x = test_normal(2 * 7 * 34), *y = test_copy(x, 2 * 7 * 34);
	float *table = test_zeros(11 * 10);
	double frequency[5];

	(void)state;
	rope_frequencies(frequency, 10, 500, NULL);
	rope_table_fill(table, 11, 10, frequency);
	rope_forward(y, table, &shape);
	for (int64_t i = 0; i < 2 * 7 * 3 * 5; i++) {
		const int64_t j = i % 5, head = i / 5 % 3, row = i / 15;
		const int64_t place = row * 34 + head * 10 + j;
		const double angle = (double)(4 + row % 7) * pow(500, -2.0 * (double)j / 10);
		const double complex wanted = (x[place] + x[place + 5] * I) * cexp(I * angle);

		assert_true(fabs(y[place] - creal(wanted)) < 1e-6);
		assert_true(fabs(y[place + 5] - cimag(wanted)) < 1e-6);
	}
	for (int64_t row = 0; row < 14; row++) /* the gaps stay */
		test_close("gap", y + row * 34 + 30, x + row * 34 + 30, 4, 0);
	rope_backward(y, table, &shape); /* the transpose of a rotation undoes it */
	test_close("back", y, x, 2 * 7 * 34, 1e-6);
	free(x);
	free(y);
	free(table);
}

/*
 * Head width 128, theta 500000, as in Llama 3.1 (8192 original positions,
 * factor 8, bounds 1 and 4): with w = 500000^(-j/64) and wavelength 2 pi / w,
 * w itself below 2048 positions, w / 8 above 8192, and between them the mean
 * of both weighted by (8192 / wavelength - 1) / 3.
 */
static void llama3_frequencies(void **state)
{
	static const struct {
		int64_t pair;
		double wanted;
	} rows[] = {
		{0, 1.0},
		{1, 0.8146172338565447},
		{28, 0.003211445994752591},    /* wavelength 1956 */
		{29, 0.002166570763503359},    /* 2402 */
		{31, 0.0008567514129196321},   /* 3619 */
		{34, 0.0001785078127679964},   /* 6695 */
		{35, 9.556212353964683e-05},   /* 8219 */
		{40, 3.428102195952591e-05},
		{63, 3.068925988914511e-07},
	};
	const struct rope_scaling scaling = {.kind = ROPE_SCALING_LLAMA3, .factor = 8,
					     .low_turns = 1, .high_turns = 4,
					     .original_positions = 8192};
	double frequency[64];

	(void)state;
	rope_frequencies(frequency, 128, 500000, &scaling);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(fabs(frequency[rows[i].pair] / rows[i].wanted - 1) < 1e-12);
}

static void linear_frequencies(void **state)
{
	const struct rope_scaling scaling = {.kind = ROPE_SCALING_LINEAR, .factor = 4};
	double frequency[4], plain[4];

	(void)state;
	rope_frequencies(frequency, 8, 10000, &scaling);
	rope_frequencies(plain, 8, 10000, NULL);
	for (int64_t j = 0; j < 4; j++) {
		assert_true(fabs(plain[j] * pow(10, (double)j) - 1) < 1e-12);
		assert_true(fabs(frequency[j] * 4 * pow(10, (double)j) - 1) < 1e-12);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rotation_equals_complex_product),
		cmocka_unit_test(llama3_frequencies),
		cmocka_unit_test(linear_frequencies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
