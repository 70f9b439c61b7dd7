/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/parallel: every job runs once on any number of threads, jobs
 * really overlap, and the error reported is that of the lowest index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "base/parallel.h"

#define JOBS 1000

struct slots {
	atomic_int runs[JOBS];
	size_t fail_every;
};

static int count_job(void *context, size_t index)
{
	struct slots *slots = context;

	atomic_fetch_add(&slots->runs[index], 1);
	if (slots->fail_every && index % slots->fail_every == slots->fail_every - 1)
		return -(int)(index + 1);
	return 0;
}

static void every_job_runs_once(void **state)
{
	static const unsigned threads[] = { 0, 1, 2, 7, 5000 };
	static struct slots slots;

	(void)state;
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		memset(&slots, 0, sizeof(slots));
		assert_int_equal(parallel_for(JOBS, threads[i], count_job, &slots), 0);
		for (size_t job = 0; job < JOBS; job++)
			assert_int_equal(slots.runs[job], 1);
	}
	assert_int_equal(parallel_for(0, 4, count_job, &slots), 0);
	assert_true(parallel_cores() >= 1);
}

static void the_lowest_failure_is_reported(void **state)
{
	static struct slots slots;

	(void)state;
	for (unsigned threads = 1; threads <= 8; threads++) {
		memset(&slots, 0, sizeof(slots));
		slots.fail_every = 7;
		assert_int_equal(parallel_for(JOBS, threads, count_job, &slots), -7);
		for (size_t job = 0; job < JOBS; job++)
			assert_int_equal(slots.runs[job], 1);
	}
}

/* Each job waits for its partner: only if both run at once do they finish in time. */
static int meet_job(void *context, size_t index)
{
	atomic_int *arrived = context;
	const struct timespec nap = { .tv_nsec = 1000000 };

	(void)index;
	atomic_fetch_add(arrived, 1);
	for (int i = 0; i < 10000; i++) {
		if (atomic_load(arrived) == 2)
			return 0;
		nanosleep(&nap, NULL);
	}
	return -1;
}

static void jobs_overlap(void **state)
{
	atomic_int arrived = 0;

	(void)state;
	assert_int_equal(parallel_for(2, 2, meet_job, &arrived), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_job_runs_once),
		cmocka_unit_test(the_lowest_failure_is_reported),
		cmocka_unit_test(jobs_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
