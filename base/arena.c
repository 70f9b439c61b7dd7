/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arena: a list of chunks, filled in order and kept for the next round.
 */
#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64
#define FIRST_CHUNK_BYTES ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size;   /* of data */
	size_t offset; /* used so far */
	_Alignas(ALIGNMENT) unsigned char data[];
};

void arena_init(struct arena *arena)
{
	memset(arena, 0, sizeof(*arena));
}

void arena_free(struct arena *arena)
{
	struct arena_chunk *chunk = arena->first;

	while (chunk) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	arena_init(arena);
}

static struct arena_chunk *new_chunk(size_t size)
{
	const size_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	struct arena_chunk *chunk = NULL;

	if (room < size || room > SIZE_MAX - sizeof(*chunk))
		return NULL;
	chunk = aligned_alloc(ALIGNMENT, sizeof(*chunk) + room);
	if (chunk) {
		chunk->next = NULL;
		chunk->size = room;
		chunk->offset = 0;
	}
	return chunk;
}

/* Moves on to a chunk with `size` bytes of room: a kept one, or a new one behind the current. */
static int advance(struct arena *arena, size_t size)
{
	struct arena_chunk *current = arena->current;
	struct arena_chunk *next = current ? current->next : arena->first;
	size_t grow = current ? 2 * current->size : FIRST_CHUNK_BYTES;

	if (next == NULL || next->size < size) {
		struct arena_chunk *chunk = new_chunk(grow > size ? grow : size);

		if (chunk == NULL)
			return -1;
		chunk->next = next;
		if (current)
			current->next = chunk;
		else
			arena->first = chunk;
		next = chunk;
	}
	next->offset = 0;
	arena->current = next;
	return 0;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t room = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + (size ? 0 : ALIGNMENT);
	struct arena_chunk *chunk = arena->current;
	void *data;

	if (room < size)
		return NULL;
	if (chunk == NULL || chunk->size - chunk->offset < room) {
		if (advance(arena, room))
			return NULL;
		chunk = arena->current;
	}
	data = chunk->data + chunk->offset;
	chunk->offset += room;
	arena->used_bytes += room;
	if (arena->used_bytes > arena->peak_bytes)
		arena->peak_bytes = arena->used_bytes;
	return data;
}

void *arena_calloc(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	void *data;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	data = arena_alloc(arena, bytes);
	if (data)
		memset(data, 0, bytes);
	return data;
}

int arena_reserve(struct arena *arena, size_t size)
{
	if (arena->first)
		return 0;
	arena->first = new_chunk(size);
	return arena->first ? 0 : -1;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = arena_alloc(arena, size);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

struct arena_mark arena_save(const struct arena *arena)
{
	return (struct arena_mark){
		.chunk = arena->current,
		.offset = arena->current ? arena->current->offset : 0,
		.used_bytes = arena->used_bytes,
	};
}

void arena_restore(struct arena *arena, struct arena_mark mark)
{
	arena->current = mark.chunk;
	if (mark.chunk)
		mark.chunk->offset = mark.offset;
	arena->used_bytes = mark.used_bytes;
}

void arena_reset(struct arena *arena)
{
	arena_restore(arena, (struct arena_mark){0});
}
