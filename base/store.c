/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces double in size until they are huge pages.
 */
#include "base/store.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Under AddressSanitizer what is not taken is not to be touched. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(memory, size) ((void)(memory), (void)(size))
#endif

#define HUGE_BYTES ((size_t)2 << 20)
#define FIRST_PIECE_BYTES ((size_t)64 << 10)
#define MOST_LINES 64 /* in a block of a class of its own */

struct store_piece {
	struct store_piece *next;
	size_t bytes; /* this header included */
};

struct store_block {
	struct store_block *next;
};

void store_init(struct store *store)
{
	memset(store, 0, sizeof(*store));
}

/* Whole huge pages, aligned to them, zeroed; ordinary pages where there are no others. */
static void *map(size_t bytes)
{
	unsigned char *all = mmap(NULL, bytes + HUGE_BYTES, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (all == MAP_FAILED)
		return NULL;
	before = (HUGE_BYTES - (uintptr_t)all % HUGE_BYTES) % HUGE_BYTES;
	if (before)
		munmap(all, before);
	munmap(all + before + bytes, HUGE_BYTES - before);
#ifdef MADV_HUGEPAGE
	/* A hint: without it all works the same. */
	(void)madvise(all + before, bytes, MADV_HUGEPAGE);
#endif
	return all + before;
}

static void *new_memory(size_t bytes)
{
	void *memory;

	if (bytes >= HUGE_BYTES)
		return map(bytes);
	memory = aligned_alloc(STORE_ALIGNMENT, bytes);
	if (memory)
		memset(memory, 0, bytes);
	return memory;
}

void store_free(struct store *store)
{
	struct store_piece *piece = store->pieces;

	while (piece) {
		struct store_piece *next = piece->next;

		ASAN_UNPOISON_MEMORY_REGION(piece, piece->bytes);
		if (piece->bytes >= HUGE_BYTES)
			munmap(piece, piece->bytes);
		else
			free(piece);
		piece = next;
	}
	store_init(store);
}

/* Where blocks of `*size` bytes wait for their next use; the size becomes that of all of them. */
static unsigned class_of(size_t *size)
{
	const size_t lines = *size ? (*size - 1) / STORE_ALIGNMENT + 1 : 1;
	unsigned power = 0;

	if (lines <= MOST_LINES) {
		*size = lines * STORE_ALIGNMENT;
		return (unsigned)lines - 1;
	}
	while ((lines - 1) >> power)
		power++;
	*size = (size_t)STORE_ALIGNMENT << power;
	return MOST_LINES + power;
}

/* A piece that has room for a block of `size` bytes; -1: out of memory. */
static int add_piece(struct store *store, size_t size)
{
	size_t bytes = store->pieces ? 2 * store->pieces->bytes : FIRST_PIECE_BYTES;
	struct store_piece *piece;

	if (bytes > HUGE_BYTES)
		bytes = HUGE_BYTES;
	if (bytes < size + STORE_ALIGNMENT)
		bytes = (size / HUGE_BYTES + 1) * HUGE_BYTES;
	piece = new_memory(bytes);
	if (piece == NULL)
		return -1;
	piece->next = store->pieces;
	piece->bytes = bytes;
	store->pieces = piece;
	store->at = (unsigned char *)piece + STORE_ALIGNMENT;
	store->end = (unsigned char *)piece + bytes;
	store->bytes += bytes;
	ASAN_POISON_MEMORY_REGION(store->at, bytes - STORE_ALIGNMENT);
	return 0;
}

void *store_take(struct store *store, size_t size)
{
	const size_t wanted = size;
	struct store_block *block;
	unsigned class;

	if (store == NULL)
		return calloc(1, size ? size : 1);
	if (size > SIZE_MAX / 4)
		return NULL;
	class = class_of(&size);
	block = store->given_back[class];
	if (block) {
		ASAN_UNPOISON_MEMORY_REGION(block, size);
		store->given_back[class] = block->next;
		memset(block, 0, size);
		ASAN_POISON_MEMORY_REGION(block, size);
		ASAN_UNPOISON_MEMORY_REGION(block, wanted);
		return block;
	}
	if ((size_t)(store->end - store->at) < size && add_piece(store, size))
		return NULL;
	block = (struct store_block *)store->at;
	store->at += size;
	ASAN_UNPOISON_MEMORY_REGION(block, wanted);
	return block;
}

void store_give(struct store *store, void *memory, size_t size)
{
	struct store_block *block = memory;
	unsigned class;

	if (store == NULL) {
		free(memory);
		return;
	}
	if (block == NULL)
		return;
	class = class_of(&size);
	ASAN_UNPOISON_MEMORY_REGION(block, sizeof(*block));
	block->next = store->given_back[class];
	store->given_back[class] = block;
	ASAN_POISON_MEMORY_REGION(block, size);
}

void *store_move(struct store *store, void *block, size_t used, size_t old_size, size_t size)
{
	void *larger = store_take(store, size);

	if (larger == NULL)
		return NULL;
	if (used)
		memcpy(larger, block, used);
	store_give(store, block, old_size);
	return larger;
}
