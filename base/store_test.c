/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

#define BLOCKS 3000

struct block {
	unsigned char *bytes;
	size_t size;
	unsigned char mark;
};

static void expect_filled(const struct block *block, unsigned char with)
{
	for (size_t i = 0; i < block->size; i++)
		assert_int_equal(block->bytes[i], with);
}

static void take(struct store *store, struct block *block, struct rng *rng)
{
	block->size = rng_u64(rng) % (rng_u64(rng) % 16 ? 1500 : 40000);
	block->mark = (unsigned char)(rng_u64(rng) | 1);
	block->bytes = store_take(store, block->size);
	assert_non_null(block->bytes);
	expect_filled(block, 0);
	if (block->size)
		memset(block->bytes, block->mark, block->size);
}

/* Blocks of all sizes come and go: zeroed when taken, whole until given back. */
static void blocks_do_not_overlap(struct store *store)
{
	static struct block blocks[BLOCKS];
	struct rng rng;

	rng_seed(&rng, 1);
	for (int i = 0; i < BLOCKS; i++)
		take(store, &blocks[i], &rng);
	for (int i = 0; i < 3 * BLOCKS; i++) {
		struct block *block = &blocks[rng_u64(&rng) % BLOCKS];

		expect_filled(block, block->mark);
		store_give(store, block->bytes, block->size);
		take(store, block, &rng);
	}
	for (int i = 0; i < BLOCKS; i++) {
		expect_filled(&blocks[i], blocks[i].mark);
		store_give(store, blocks[i].bytes, blocks[i].size);
	}
}

static void test_blocks(void **state)
{
	struct store store;

	(void)state;
	store_init(&store);
	blocks_do_not_overlap(&store);
	/* More than a huge page of them: pieces of every kind were in use. */
	assert_true(store.bytes > (size_t)4 << 20);
	store_free(&store);
	assert_int_equal(store.bytes, 0);
}

static void test_without_store(void **state)
{
	(void)state;
	blocks_do_not_overlap(NULL);
}

static void test_reuse(void **state)
{
	struct store store;
	void *block;

	(void)state;
	store_init(&store);
	block = store_take(&store, 1000);
	assert_int_equal((uintptr_t)block % STORE_ALIGNMENT, 0);
	store_give(&store, block, 1000);
	assert_ptr_equal(store_take(&store, 1020), block);
	for (int i = 0; i < 100000; i++) {
		block = store_take(&store, 5000);
		store_give(&store, block, 5000);
	}
	assert_int_equal(store.bytes, (size_t)64 << 10);
	store_free(&store);
}

static void test_neighbours(void **state)
{
	struct store store;
	unsigned char *first;

	(void)state;
	store_init(&store);
	first = store_take(&store, 100);
	assert_ptr_equal(store_take(&store, 1), first + 128);
	store_free(&store);
}

static void test_large(void **state)
{
	struct store store;
	const size_t size = (size_t)5 << 20;
	unsigned char *block;

	(void)state;
	store_init(&store);
	block = store_take(&store, size);
	assert_non_null(block);
	memset(block, 1, size);
	block = store_move(&store, block, 10, size, 2 * size);
	assert_non_null(block);
	assert_int_equal(block[9], 1);
	assert_int_equal(block[10], 0);
	assert_null(store_take(&store, SIZE_MAX - 10));
	store_free(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_without_store),
		cmocka_unit_test(test_reuse),
		cmocka_unit_test(test_neighbours),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
