/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings that a process shares with the kernel (linux/if_xdp.h): one side produces, the other
 * consumes, each moves its own counter.
 */
#ifndef OS_LINUX_XDP_RING_H
#define OS_LINUX_XDP_RING_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct xdp_ring {
	_Atomic uint32_t *producer, *consumer; /* in memory that is shared */
	void *entries;                         /* of the ring's own kind, `size` of them */
	uint32_t size;                         /* a power of two */
	uint32_t at;                           /* our counter */
	void *map;
	size_t map_bytes;
};

/* Entries that we can fill, as the producer. */
static inline uint32_t xdp_ring_room(const struct xdp_ring *ring)
{
	return ring->size - (ring->at - atomic_load_explicit(ring->consumer, memory_order_acquire));
}

/* Entries that wait for us, as the consumer. */
static inline uint32_t xdp_ring_waiting(const struct xdp_ring *ring)
{
	return atomic_load_explicit(ring->producer, memory_order_acquire) - ring->at;
}

/* Shows the kernel what we filled, or give back what we took. */
static inline void xdp_ring_produced(struct xdp_ring *ring)
{
	atomic_store_explicit(ring->producer, ring->at, memory_order_release);
}

static inline void xdp_ring_consumed(struct xdp_ring *ring)
{
	atomic_store_explicit(ring->consumer, ring->at, memory_order_release);
}

#endif
