/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals that arrive during products change neither the products nor the
 * heap.  With k this large oneDNN's kernels point the stack register into a
 * buffer of theirs: a handler on the interrupted stack would write its frame
 * in front of that buffer.
 */
#include "tensor/test_support.h"

#include <sys/time.h>

#include "base/interrupt.h"
#include "tensor/gemm.h"
#include "tensor/threads.h"

static volatile sig_atomic_t signals, elsewhere;
static stack_t own; /* where handlers ought to run */

static void on_alarm(int number)
{
	const char *frame = (const char *)&number;
	const char *begin = own.ss_sp;

	if (frame < begin || frame >= begin + own.ss_size)
		elsewhere++;
	signals++;
}

static void timer_set(long every_us)
{
	const struct itimerval timer = {{0, every_us}, {0, every_us}};

	assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
}

static void test_products_under_signals(void **state)
{
	const int64_t m = 20, n = 96, k = 1200;
	float *a = test_normal(m * k), *b = test_normal(n * k);
	float *c = test_zeros(m * n), *wanted = test_zeros(m * n);
	struct gemm gemm = {.transpose_b = true, .m = m, .n = n, .k = k, .alpha = 1,
			    .a = a, .a_stride = k, .b = b, .b_stride = k, .c = wanted,
			    .c_stride = n};

	(void)state;
	tensor_threads_set(1);
	gemm_run(&gemm);
	gemm.c = c;
	assert_int_equal(interrupt_handle(SIGALRM, on_alarm), 0);
	assert_int_equal(sigaltstack(NULL, &own), 0);
	timer_set(50);
	for (int round = 0; round < 400000 && signals < 4000; round++) {
		gemm_run(&gemm);
		if (memcmp(c, wanted, (size_t)(m * n) * sizeof(*c)) != 0)
			break;
	}
	timer_set(0);
	assert_memory_equal(c, wanted, (size_t)(m * n) * sizeof(*c));
	assert_true(signals > 100);
	assert_int_equal(elsewhere, 0);
	free(a);
	free(b);
	free(c);
	free(wanted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_products_under_signals)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
