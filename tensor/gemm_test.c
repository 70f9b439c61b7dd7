/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fast product against the obvious one, over transposes, odd extents,
 * strides with gaps, and alpha and beta.  What lies in the gaps of C stays.
 */
#include "tensor/test_support.h"

#include "tensor/gemm.h"
#include "tensor/level.h"
#include "tensor/threads.h"

static const int64_t extents[][3] = {
	{1, 1, 1}, {1, 17, 5}, {9, 33, 70}, {64, 180, 32}, {37, 1, 64}, {3, 500, 40},
	{9, 1100, 300}, {12, 700, 512}, {2, 4096, 129}, {1, 515, 1030}, {7, 290, 1001},
	{13, 1000, 300}, {180, 96, 160}, {5, 7, 0},
};

static void product_check(const int64_t *extent, bool transpose_a, bool transpose_b, float alpha,
			  float beta)
{
	const int64_t m = extent[0], n = extent[1], k = extent[2];
	const int64_t a_rows = transpose_a ? k : m, a_stride = (transpose_a ? m : k) + 3;
	const int64_t b_rows = transpose_b ? n : k, b_stride = (transpose_b ? k : n) + 5;
	const int64_t c_stride = n + 2;
	float *a = test_normal(a_rows * a_stride), *b = test_normal(b_rows * b_stride);
	float *c = test_normal(m * c_stride), *wanted = test_copy(c, m * c_stride);
	struct gemm gemm = {.transpose_a = transpose_a, .transpose_b = transpose_b,
			    .m = m, .n = n, .k = k, .alpha = alpha, .beta = beta,
			    .a = a, .a_stride = a_stride, .b = b, .b_stride = b_stride,
			    .c = c, .c_stride = c_stride};

	gemm_run(&gemm);
	gemm.c = wanted;
	gemm_reference(&gemm);
	test_close("product", c, wanted, m * c_stride, 1e-5 * sqrt((double)k + 1) * 4);
	free(a);
	free(b);
	free(c);
	free(wanted);
}

static void fast_equals_reference(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(extents) / sizeof(extents[0]); i++)
		for (int flags = 0; flags < 4; flags++) {
			product_check(extents[i], flags & 1, flags & 2, 1, 0);
			product_check(extents[i], flags & 1, flags & 2, 1, 1);
			product_check(extents[i], flags & 1, flags & 2, -0.5f, 2);
		}
}

/* skinny.c's kernels for each instruction set that this machine has. */
static void every_level_equals_reference(void **state)
{
	const enum tensor_level most = tensor_level();

	for (int level = 0; level < (int)most; level++) {
		tensor_level_cap((enum tensor_level)level);
		assert_int_equal(tensor_level(), level);
		fast_equals_reference(state);
	}
	tensor_level_cap(most);
}

static void one_thread_gives_the_same(void **state)
{
	const int threads = tensor_threads_get();

	tensor_threads_set(1);
	assert_int_equal(tensor_threads_get(), 1);
	fast_equals_reference(state);
	tensor_threads_set(threads);
}

/* With beta 0, what was in C does not matter, not even NaN. */
static void beta_zero_overwrites(void **state)
{
	const float a[] = {1, 2}, b[] = {3, 4};
	float c[] = {NAN};
	const struct gemm gemm = {.m = 1, .n = 1, .k = 2, .alpha = 1, .a = a, .a_stride = 2,
				  .b = b, .b_stride = 1, .c = c, .c_stride = 1};

	(void)state;
	gemm_run(&gemm);
	assert_true(c[0] == 11);
	c[0] = NAN;
	gemm_reference_set(true);
	gemm_run(&gemm);
	gemm_reference_set(false);
	assert_true(c[0] == 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fast_equals_reference),
		cmocka_unit_test(every_level_equals_reference),
		cmocka_unit_test(one_thread_gives_the_same),
		cmocka_unit_test(beta_zero_overwrites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
