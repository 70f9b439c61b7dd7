/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Traffic endpoints that do no input or output of their own.
 *
 * Whoever drives an endpoint gives it packets and time and asks it for
 * packets: receive(), then emit() until it says no, then call run() at
 * next_ns().  The same endpoint works in a simulator and on a real interface.
 */
#ifndef TCP_ENDPOINT_H
#define TCP_ENDPOINT_H

#include "base/error.h"
#include "base/histogram.h"
#include "base/rng.h"
#include "base/store.h"
#include "net/packet.h"
#include "tcp/cc.h"

struct endpoint;

/* IPv4 and UDP headers. */
#define UDP_HEADER_BYTES 28

/* How a flow uses ECN (scenario key `ecn`). */
enum endpoint_ecn {
	ENDPOINT_ECN_NONE,
	ENDPOINT_ECN_CLASSIC,
	ENDPOINT_ECN_ECT1,
	ENDPOINT_ECN_ACCECN
};

/* A datagram as its receiver sees it. */
struct datagram {
	uint64_t number;    /* in the order of sending, from 1: a gap is a loss */
	uint64_t delay_ns;  /* since its sender emitted it */
	uint32_t len_bytes; /* IP */
};

/*
 * How far from its start lies what an end of a TCP connection looks at for a packet in order, for
 * whoever has it fetched from memory.
 */
#define TCP_SENDER_NEAR_BYTES 896
#define TCP_RECEIVER_NEAR_BYTES 448

/* What is looked at for every packet comes last, beside the counters. */
struct endpoint_config {
	struct store *store;             /* where memory comes from; NULL: calloc(); outlives it */
	uint64_t rate_bps;               /* UDP: constant rate, in IP bytes */
	struct rng random;
	/* Optional, receivers of datagrams: one arrived. */
	void (*on_datagram)(void *context, uint64_t now_ns, const struct datagram *datagram);
	struct tcp_options options;
	uint32_t flow;
	uint32_t mtu_bytes;              /* IP length of a full data packet */
	enum endpoint_ecn ecn;
	/* Payload comes from write() alone; false: there is always more to send. */
	bool from_application;
	/* Receivers: payload stays in their buffer until read(); false: it is taken at once. */
	bool to_application;
	const struct tcp_cc_ops *cc;     /* NULL for UDP */
	uint64_t start_ns, stop_ns;      /* sends new data in [start, stop) */
	void *context;
	/* Optional: every round-trip sample of the sender. */
	void (*on_rtt)(void *context, uint64_t now_ns, uint64_t rtt_ns);
	/* Optional, receivers: in-order payload that the application can have, in all. */
	void (*on_delivered)(void *context, uint64_t now_ns, uint64_t delivered_bytes);
};

/* What an endpoint has done since it started; a sender and its receiver fill their own parts. */
struct endpoint_stats {
	uint64_t sent_pkts, sent_bytes;          /* IP */
	uint64_t received_pkts, received_bytes;  /* IP */
	uint64_t delivered_bytes;                /* payload: in order, or of datagrams */
	uint64_t ce_received;                    /* packets that arrived with CE */
	uint64_t ce_told;                        /* of ce_received, what an AccECN sender knows */
	uint64_t retransmits;
	uint64_t timeouts;
	uint64_t spurious_timeouts;              /* of them, those that were found to be mistakes */
	uint64_t tail_probes;
	uint64_t cwnd_bytes;                     /* now */
	uint64_t srtt_ns;                        /* now; 0 before the first sample */
};

struct endpoint_ops {
	const char *name;
	/* Takes a copy of what it needs; the caller keeps the packet. */
	void (*receive)(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns);
	/* Fills *packet (zeroed by the caller) with what leaves now; false: leaves it alone. */
	bool (*emit)(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns);
	/* Earliest time at which run() must be called: timers and pacing. */
	uint64_t (*next_ns)(const struct endpoint *endpoint);
	/* Fires timers due at or before `now_ns`; afterwards ask emit() again. */
	void (*run)(struct endpoint *endpoint, uint64_t now_ns);
	/*
	 * The application has `bytes` more to send (senders made with from_application; a datagram
	 * sender sends them as one datagram, or as several full ones and the rest where they are
	 * more than one holds).  Afterwards ask emit().  Optional, default: no use.
	 */
	void (*write)(struct endpoint *endpoint, uint64_t bytes, uint64_t now_ns);
	/*
	 * The application takes `bytes` out of the receiver's buffer (receivers made with
	 * to_application).  Afterwards ask emit().  Optional, default: no use.
	 */
	void (*read)(struct endpoint *endpoint, uint64_t bytes, uint64_t now_ns);
	void (*stats)(const struct endpoint *endpoint, struct endpoint_stats *stats);
	void (*destroy)(struct endpoint *endpoint);
};

/* Every endpoint embeds this first. */
struct endpoint {
	const struct endpoint_ops *ops;
};

/* NULL when out of memory. */
struct endpoint *tcp_sender_new(const struct endpoint_config *config);
struct endpoint *tcp_receiver_new(const struct endpoint_config *config);
struct endpoint *udp_sender_new(const struct endpoint_config *config);
struct endpoint *udp_receiver_new(const struct endpoint_config *config);
struct endpoint *udp_prague_sender_new(const struct endpoint_config *config);
struct endpoint *udp_prague_receiver_new(const struct endpoint_config *config);

#endif
