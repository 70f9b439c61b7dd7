/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which flows there are, and what became of their packets: a table of fixed size.
 *
 * Eight places are open to a flow; when all are taken, the flow that was silent longest makes room,
 * so a flood of new flows costs the same for every packet and memory does not grow.
 */
#ifndef ROUTER_FLOWS_H
#define ROUTER_FLOWS_H

#include "net/ip.h"

#define FLOWS_SETS 512
#define FLOWS_WAYS 8
#define FLOWS_PLACES (FLOWS_SETS * FLOWS_WAYS)

struct flow_entry {
	uint64_t hash; /* ip_flow_hash(); 0: the place is empty */
	struct ip_endpoint source, destination;
	uint8_t version, protocol;
	uint8_t ecn;             /* of the packet that came last, before any mark here */
	uint8_t queue;           /* enum aqm_queue: that its last packet left */
	uint64_t first_ns, last_ns; /* a packet arrived */
	uint64_t arrived_pkts, arrived_bytes; /* IP */
	uint64_t left_pkts, left_bytes;       /* IP */
	uint64_t marks, drops;
	/*
	 * Payload that left for the first time: of TCP what lies beyond all that had left before,
	 * so that a repetition does not count; of UDP all.
	 */
	uint64_t payload_bytes;
	uint32_t tcp_end;        /* the sequence number behind it */
	bool tcp_known;          /* tcp_end is */
	/* Of whoever watches (router/monitor.h): */
	uint64_t seen_bytes;     /* payload at the last look */
	double goodput_mbps;     /* smoothed */
	uint8_t place;           /* where it is shown, from 1 */
};

struct flows {
	struct flow_entry entries[FLOWS_PLACES];
	uint16_t used[FLOWS_PLACES]; /* places that a flow has, or had, in the order of first use */
	uint32_t used_count;
	uint64_t known;      /* flows that came, one that came back after making room again */
	uint64_t forgotten;  /* that made room */
};

/* Counts an arrival and returns the flow's place. */
struct flow_entry *flows_arrived(struct flows *flows, uint64_t hash, const struct ip_summary *ip,
				 uint64_t now_ns);

/* Of a packet that arrived as `hash`: its flow, or NULL when it made room meanwhile. */
struct flow_entry *flows_find(struct flows *flows, uint64_t hash);

/* A packet of the flow left with so much payload; `tcp_seq` is that of its first byte. */
void flow_entry_left(struct flow_entry *entry, uint32_t len_bytes, uint32_t payload_bytes,
		     uint32_t tcp_seq);

#endif
