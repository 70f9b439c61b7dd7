/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet pool: a free list over chunks that double in size.
 */
#include "net/packet.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CHUNK_PKTS 256

struct chunk {
	struct chunk *next;
	size_t count;
	struct packet packets[];
};

void packet_pool_init(struct packet_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void packet_pool_free(struct packet_pool *pool)
{
	struct chunk *chunk = pool->chunks;

	while (chunk) {
		struct chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	packet_pool_init(pool);
}

static int grow(struct packet_pool *pool)
{
	struct chunk *newest = pool->chunks;
	const size_t count = newest ? 2 * newest->count : FIRST_CHUNK_PKTS;
	struct chunk *chunk = malloc(sizeof(*chunk) + count * sizeof(chunk->packets[0]));

	if (chunk == NULL)
		return -1;
	chunk->next = newest;
	chunk->count = count;
	pool->chunks = chunk;
	for (size_t i = 0; i < count; i++) {
		chunk->packets[i].next = pool->free;
		pool->free = &chunk->packets[i];
	}
	return 0;
}

struct packet *packet_new(struct packet_pool *pool)
{
	struct packet *packet = pool->blank;

	if (packet) {
		pool->blank = NULL;
		pool->allocated++;
		return packet;
	}
	if (pool->free == NULL && grow(pool) != 0)
		return NULL;
	packet = pool->free;
	pool->free = packet->next;
	pool->allocated++;
	memset(packet, 0, sizeof(*packet));
	return packet;
}

void packet_free(struct packet_pool *pool, struct packet *packet)
{
	packet->next = pool->free;
	pool->free = packet;
	pool->allocated--;
}

void packet_free_unused(struct packet_pool *pool, struct packet *packet)
{
	if (pool->blank) {
		packet_free(pool, packet);
		return;
	}
	pool->blank = packet;
	pool->allocated--;
}
