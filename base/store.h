/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Store: memory for many small things of one owner that come and go.
 *
 * Blocks are cut one after another from large pieces, so that what is made together lies together,
 * and what is given back serves the next of its size.  Pieces lie on huge pages where the system
 * has them: a run with many flows touches another one's memory at every event, and finding ordinary
 * pages costs as much as reading them.  Not to be shared between threads.
 */
#ifndef BASE_STORE_H
#define BASE_STORE_H

#include <stddef.h>

#define STORE_ALIGNMENT 64 /* bytes: a cache line */
/* Sizes by cache lines up to 64 of them, then by powers of two. */
#define STORE_CLASSES 128

struct store_piece;
struct store_block;

struct store {
	struct store_piece *pieces;
	unsigned char *at, *end; /* of the newest piece, what is not cut yet */
	struct store_block *given_back[STORE_CLASSES];
	size_t bytes;            /* of all pieces */
};

void store_init(struct store *store);

/* Frees all that was taken from it. */
void store_free(struct store *store);

/*
 * `size` bytes, zeroed, at the begin of a cache line; NULL when out of memory.  Without a store
 * (NULL) they come from calloc(), and store_give() then frees them.
 */
void *store_take(struct store *store, size_t size);

/* Gives back what store_take() gave for the same `size`; NULL is nothing. */
void store_give(struct store *store, void *block, size_t size);

/*
 * A block of `size` bytes that begins with the first `used` of `block`, of `old_size` (NULL: none),
 * which is given back; NULL when out of memory: `block` is as it was.
 */
void *store_move(struct store *store, void *block, size_t used, size_t old_size, size_t size);

#endif
