/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests of base/arena: alignment, marks, and the promise that a steady loop
 * stops asking the system for memory (blocks come back at the same addresses).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/arena.h"

static void blocks_are_aligned_and_distinct(void **state)
{
	static const size_t sizes[] = { 0, 1, 63, 64, 65, 4096, 100000, 1000000, 0 };
	struct arena arena;
	unsigned char *blocks[9];

	(void)state;
	arena_init(&arena);
	for (size_t i = 0; i < 9; i++) {
		blocks[i] = arena_alloc(&arena, sizes[i]);
		assert_non_null(blocks[i]);
		assert_int_equal((uintptr_t)blocks[i] % 64, 0);
		memset(blocks[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < 9; i++) {
		for (size_t j = 0; j < sizes[i]; j++)
			assert_int_equal(blocks[i][j], i + 1);
		for (size_t j = 0; j < i; j++)
			assert_ptr_not_equal(blocks[i], blocks[j]);
	}
	arena_free(&arena);
}

static void absurd_sizes_are_refused(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena);
	assert_null(arena_alloc(&arena, SIZE_MAX));
	assert_null(arena_alloc(&arena, SIZE_MAX - 200));
	assert_null(arena_calloc(&arena, SIZE_MAX / 2, 3));
	assert_int_equal(arena.used_bytes, 0);
	assert_non_null(arena_alloc(&arena, 1));
	arena_free(&arena);
}

static void marks_give_back_and_calloc_zeroes(void **state)
{
	struct arena arena;
	struct arena_mark mark;
	char *keep, *first;
	const char *zeroed;
	size_t used;

	(void)state;
	arena_init(&arena);
	keep = arena_strdup(&arena, "keep me");
	mark = arena_save(&arena);
	used = arena.used_bytes;
	first = arena_alloc(&arena, 1000);
	memset(first, 0xff, 1000);
	assert_non_null(arena_alloc(&arena, 10 << 20));
	arena_restore(&arena, mark);
	assert_int_equal(arena.used_bytes, used);
	assert_true(arena.peak_bytes >= (10 << 20));
	zeroed = arena_calloc(&arena, 10, 100);
	assert_ptr_equal(zeroed, first);
	for (size_t i = 0; i < 1000; i++)
		assert_int_equal(zeroed[i], 0);
	assert_string_equal(keep, "keep me");
	arena_free(&arena);
}

static void a_steady_loop_reuses_its_chunks(void **state)
{
	static const size_t sizes[] = { 100, 70000, 10, 3 << 20, 5000, 200000 };
	struct arena arena;
	void *blocks[6];

	(void)state;
	arena_init(&arena);
	for (int round = 0; round < 5; round++) {
		for (size_t i = 0; i < 6; i++) {
			void *block = arena_alloc(&arena, sizes[i]);

			if (round > 0)
				assert_ptr_equal(block, blocks[i]);
			blocks[i] = block;
		}
		arena_reset(&arena);
		assert_int_equal(arena.used_bytes, 0);
	}
	arena_free(&arena);
}

static void a_mark_of_an_empty_arena_restores_to_empty(void **state)
{
	struct arena arena;
	struct arena_mark mark;
	void *first;

	(void)state;
	arena_init(&arena);
	mark = arena_save(&arena);
	first = arena_alloc(&arena, 128);
	arena_restore(&arena, mark);
	assert_ptr_equal(arena_alloc(&arena, 128), first);
	arena_free(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_aligned_and_distinct),
		cmocka_unit_test(absurd_sizes_are_refused),
		cmocka_unit_test(marks_give_back_and_calloc_zeroes),
		cmocka_unit_test(a_steady_loop_reuses_its_chunks),
		cmocka_unit_test(a_mark_of_an_empty_arena_restores_to_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
