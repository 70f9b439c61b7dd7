/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arena: memory that is freed all at once, or back to a mark.
 *
 * Chunks grow on demand and are kept by arena_reset(), so a loop that
 * allocates the same amount every round allocates from the system only once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_chunk;

struct arena {
	struct arena_chunk *first;
	struct arena_chunk *current;
	size_t used_bytes; /* in use now */
	size_t peak_bytes; /* most ever in use */
};

struct arena_mark {
	struct arena_chunk *chunk;
	size_t offset;
	size_t used_bytes;
};

void arena_init(struct arena *arena);
void arena_free(struct arena *arena);

/* `size` bytes aligned to 64, not zeroed; NULL when out of memory. size 0 gives a unique pointer.
 */
void *arena_alloc(struct arena *arena, size_t size);

/* As arena_alloc(), count x size checked for overflow, zeroed. */
void *arena_calloc(struct arena *arena, size_t count, size_t size);

/*
 * Makes room for `size` bytes in one piece.  Only for an arena that holds
 * nothing yet; other calls do nothing.  -1 when out of memory.
 */
int arena_reserve(struct arena *arena, size_t size);

/* Copy of a string owned by the arena. */
char *arena_strdup(struct arena *arena, const char *text);

struct arena_mark arena_save(const struct arena *arena);
void arena_restore(struct arena *arena, struct arena_mark mark);

/* Forgets every allocation, keeps the chunks. */
void arena_reset(struct arena *arena);

#endif
