/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet pool: the packet freed last, which is in the caches still, is the next to be given.
 */
#include "net/packet.h"

#include <string.h>

void packet_pool_init(struct packet_pool *pool)
{
	memset(pool, 0, sizeof(*pool));
}

void packet_pool_free(struct packet_pool *pool)
{
	store_free(&pool->store);
	packet_pool_init(pool);
}

struct packet *packet_new(struct packet_pool *pool)
{
	struct packet *packet = pool->blank;

	if (packet) {
		pool->blank = NULL;
		pool->allocated++;
		return packet;
	}
	packet = pool->free;
	if (packet) {
		pool->free = packet->next;
		memset(packet, 0, sizeof(*packet));
	} else {
		packet = store_take(&pool->store, sizeof(*packet));
		if (packet == NULL)
			return NULL;
	}
	pool->allocated++;
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
