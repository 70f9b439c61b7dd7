/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which flow a packet belongs to, as 64 well-mixed bits.
 */
#ifndef NET_FLOW_HASH_H
#define NET_FLOW_HASH_H

#include "net/packet.h"

/* Mixes `word` into `hash`: every bit of either changes about half of the result's. */
static inline uint64_t net_hash_mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) + UINT64_C(0x9e3779b97f4a7c15);
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

/*
 * The flow's identity: what a five-tuple would tell apart, which here is the flow's number, its
 * protocol and the direction.  `perturbation` makes the hash one of many, so that nobody can
 * choose flows that collide (RFC 8290 section 4.1.2).
 */
static inline uint64_t net_flow_hash(uint64_t perturbation, const struct packet *packet)
{
	const uint64_t kind = (uint64_t)packet->protocol << 1 | packet->to_server;

	return net_hash_mix(perturbation, (uint64_t)packet->flow << 32 | kind);
}

/* A host's identity, as a flow's. */
static inline uint64_t net_host_hash(uint64_t perturbation, uint32_t host)
{
	return net_hash_mix(perturbation, ~(uint64_t)host);
}

#endif
