/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Splitting: every item once, whoever asks: one thread, several at once, or a
 * part of another operation.
 */
#include "tensor/test_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "tensor/threads.h"

#define ITEMS 1001
#define ROUNDS 2000

struct marks {
	int count[ITEMS];
	_Atomic uint64_t taken; /* a bit for each worker number at work */
	atomic_bool clash;
};

static void mark_range(void *context, int worker, int64_t begin, int64_t end)
{
	struct marks *marks = context;
	const uint64_t bit = UINT64_C(1) << worker;

	if (atomic_fetch_or(&marks->taken, bit) & bit)
		atomic_store(&marks->clash, true);
	for (int64_t i = begin; i < end; i++)
		marks->count[i]++;
	atomic_fetch_and(&marks->taken, ~bit);
}

/* True when [0, count) was marked once and no worker number was used twice at a time. */
static bool split_good(struct marks *marks, int64_t count, int64_t grain)
{
	memset(marks, 0, sizeof(*marks));
	tensor_split(count, grain, mark_range, marks);
	for (int64_t i = 0; i < ITEMS; i++)
		if (marks->count[i] != (i < count))
			return false;
	return !atomic_load(&marks->clash);
}

static void every_item_once(void **state)
{
	static const int64_t counts[] = {0, 1, 2, 7, 100, ITEMS};
	struct marks marks;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (int64_t grain = 1; grain < 200; grain += 33)
			assert_true(split_good(&marks, counts[i], grain));
}

static void *split_often(void *context)
{
	struct marks marks;

	(void)context;
	for (int round = 0; round < ROUNDS; round++)
		if (!split_good(&marks, ITEMS, 1))
			return &split_often;
	return NULL;
}

static void several_callers_at_once(void **state)
{
	pthread_t threads[4];
	void *result;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, split_often, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(threads[i], &result);
		assert_null(result);
	}
}

static void split_inside(void *context, int worker, int64_t begin, int64_t end)
{
	struct marks *marks = context;

	(void)worker;
	for (int64_t i = begin; i < end; i++)
		tensor_split(ITEMS, 1, mark_range, &marks[i]);
}

/* A part of an operation may use operations itself; they run where they are. */
static void operations_nest(void **state)
{
	struct marks *marks = calloc(4, sizeof(*marks));

	(void)state;
	tensor_split(4, 1, split_inside, marks);
	for (int i = 0; i < 4; i++)
		for (int64_t j = 0; j < ITEMS; j++)
			assert_int_equal(marks[i].count[j], 1);
	free(marks);
}

static void the_limit_is_kept(void **state)
{
	struct marks marks;

	(void)state;
	tensor_threads_set(1);
	assert_int_equal(tensor_threads_get(), 1);
	assert_int_equal(tensor_workers(), 1);
	assert_true(split_good(&marks, ITEMS, 1));
	tensor_threads_set(1000000);
	assert_int_equal(tensor_threads_get(), 64);
	assert_true(split_good(&marks, ITEMS, 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_item_once),
		cmocka_unit_test(several_callers_at_once),
		cmocka_unit_test(operations_nest),
		cmocka_unit_test(the_limit_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
