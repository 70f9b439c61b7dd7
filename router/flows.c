/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A set of eight places for each value of the hash's low bits.
 */
#include "router/flows.h"

#include <string.h>

#include "net/packet.h"

static struct flow_entry *set_of(struct flows *flows, uint64_t hash)
{
	return &flows->entries[hash % FLOWS_SETS * FLOWS_WAYS];
}

struct flow_entry *flows_find(struct flows *flows, uint64_t hash)
{
	struct flow_entry *set = set_of(flows, hash);

	for (int i = 0; i < FLOWS_WAYS; i++)
		if (set[i].hash == hash)
			return &set[i];
	return NULL;
}

/* An empty place of the set, or that of the flow that was silent longest. */
static struct flow_entry *make_room(struct flows *flows, uint64_t hash)
{
	struct flow_entry *set = set_of(flows, hash), *oldest = set;

	for (int i = 0; i < FLOWS_WAYS; i++) {
		if (set[i].hash == 0) {
			flows->used[flows->used_count++] = (uint16_t)(&set[i] - flows->entries);
			return &set[i];
		}
		if (set[i].last_ns < oldest->last_ns)
			oldest = &set[i];
	}
	flows->forgotten++;
	return oldest;
}

struct flow_entry *flows_arrived(struct flows *flows, uint64_t hash, const struct ip_summary *ip,
				 uint64_t now_ns)
{
	struct flow_entry *entry = flows_find(flows, hash);

	if (entry == NULL) {
		entry = make_room(flows, hash);
		memset(entry, 0, sizeof(*entry));
		entry->hash = hash;
		entry->source = ip->source;
		entry->destination = ip->destination;
		entry->version = ip->version;
		entry->protocol = ip->protocol;
		entry->first_ns = now_ns;
		flows->known++;
	}
	entry->ecn = ip->ecn;
	entry->last_ns = now_ns;
	entry->arrived_pkts++;
	entry->arrived_bytes += ip->len_bytes;
	return entry;
}

/* Payload up to `end` left: what of it is new. */
static void tcp_left(struct flow_entry *entry, uint32_t payload_bytes, uint32_t end)
{
	const uint32_t begun = end - payload_bytes;
	const uint32_t ahead = end - (entry->tcp_known ? entry->tcp_end : begun);

	if ((int32_t)ahead <= 0)
		return;
	/* Beyond a gap only what this packet holds has left. */
	entry->payload_bytes += ahead < payload_bytes ? ahead : payload_bytes;
	entry->tcp_end = end;
	entry->tcp_known = true;
}

void flow_entry_left(struct flow_entry *entry, uint32_t len_bytes, uint32_t payload_bytes,
		     uint32_t tcp_seq)
{
	entry->left_pkts++;
	entry->left_bytes += len_bytes;
	if (entry->protocol == NET_TCP && payload_bytes)
		tcp_left(entry, payload_bytes, tcp_seq + payload_bytes);
	else
		entry->payload_bytes += payload_bytes;
}
