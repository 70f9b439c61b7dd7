/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet in user space: metadata of an IP packet with a TCP or UDP header.
 *
 * Packets come from a pool (a free list) and have one owner at a
 * time; whoever holds a packet frees it or hands it on.
 */
#ifndef NET_PACKET_H
#define NET_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"

#define NET_MTU_BYTES 1500
#define NET_CACHE_LINE_BYTES 64

enum net_protocol { NET_TCP = 6, NET_UDP = 17 };

enum tcp_flag {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_PSH = 0x08,
	TCP_ACK = 0x10,
	TCP_ECE = 0x40,
	TCP_CWR = 0x80,
	TCP_AE = 0x100,
};

#define TCP_MAX_SACK_BLOCKS 3

/*
 * Sequence numbers are 64-bit byte offsets in memory, of which a wire would show the low 32 bits;
 * selective acknowledgements have those only (tcp_sack_byte()).
 */
struct tcp_sack_block {
	uint32_t start, end;
};

/* What data needs comes first: it then lies in the packet's first cache line. */
struct tcp_header {
	uint64_t seq;
	uint32_t payload_bytes;
	uint32_t timestamp_us, timestamp_echo_us; /* RFC 7323, microseconds */
	uint16_t flags; /* enum tcp_flag */
	uint8_t sack_count;
	uint8_t ace_bytes_valid; /* AccECN option present */
	uint64_t ack;
	uint32_t window_bytes;
	uint32_t accecn_ce_bytes, accecn_ect1_bytes, accecn_ect0_bytes;
	struct tcp_sack_block sack[TCP_MAX_SACK_BLOCKS];
};

/* The byte whose number's low bits a block shows: the one closest to the acknowledged one. */
static inline uint64_t tcp_sack_byte(const struct tcp_header *header, uint32_t low)
{
	return header->ack + (uint64_t)(int64_t)(int32_t)(low - (uint32_t)header->ack);
}

/* What UDP Prague's two ends tell each other: data carries a number, feedback carries counts. */
struct prague_header {
	uint64_t seq;         /* of data, from 1; feedback: of the packet that it answers */
	uint64_t received, ce, lost; /* packets in all, as the receiver counts */
	uint64_t timestamp_ns;      /* of data; feedback gives it back */
	bool ecn_broken;      /* feedback: data arrived that was neither ECT(1) nor CE */
};

/* Of plain UDP. */
struct datagram_header {
	uint64_t number; /* from 1 */
	uint64_t sent_ns;
};

/* Of a packet on a real interface: where its bytes lie, and what its flow is told when it left. */
struct wire_header {
	uint8_t *bytes;         /* as the interface gave them; owned by whoever owns the packet */
	uint32_t size;          /* of them */
	uint32_t ip;            /* where the IP header begins in them */
	uint32_t payload_bytes; /* of TCP or UDP */
	uint32_t tcp_seq;       /* of a TCP segment's first byte */
	uint64_t flow_hash;     /* ip_flow_hash() */
	uint8_t came_ecn;       /* as the packet arrived */
	bool is_ip;
};

/* Two cache lines; queues and links look at the first only. */
struct packet {
	struct packet *next;   /* link of whatever list holds it */
	uint64_t enqueued_ns;  /* set by the queue that holds it */
	uint64_t random;       /* 64 bits drawn when it entered the queue */
	uint32_t cookie;       /* bits of the queue law */
	uint32_t record_slot;  /* where the queue keeps this packet's record until its fate is known
				*/
	uint32_t len_bytes;    /* IP total length */
	uint32_t flow;         /* index of its flow in the run */
	uint8_t ecn;           /* the two bits, as enum aqm_ecn */
	uint8_t protocol;      /* enum net_protocol */
	bool to_server;        /* direction: data true, acknowledgements false */
	uint8_t hops;          /* how many queues it has passed */
	union {
		struct tcp_header tcp;
		struct prague_header prague; /* only between ends of UDP Prague */
		struct datagram_header datagram; /* only between ends of plain UDP */
		struct wire_header wire; /* only in a router of real packets */
	};
	uint32_t source_host, destination_host;
};

_Static_assert(sizeof(struct packet) == 2 * NET_CACHE_LINE_BYTES, "packets fill cache lines");

struct packet_pool {
	struct packet *free;
	struct packet *blank; /* one that is zeroed, or NULL */
	struct store store;   /* where packets lie */
	size_t allocated; /* packets handed out and not yet returned */
};

void packet_pool_init(struct packet_pool *pool);
void packet_pool_free(struct packet_pool *pool);

/* A zeroed packet, or NULL when out of memory. */
struct packet *packet_new(struct packet_pool *pool);
void packet_free(struct packet_pool *pool, struct packet *packet);

/* Frees a packet that is still as packet_new() gave it: the next one need not be zeroed. */
void packet_free_unused(struct packet_pool *pool, struct packet *packet);

/* Has a packet that is next to be handled fetched from memory; NULL is none. */
static inline void packet_expect(const struct packet *packet)
{
	for (size_t at = 0; at < sizeof(*packet); at += NET_CACHE_LINE_BYTES)
		__builtin_prefetch((const char *)packet + at);
}

#endif
