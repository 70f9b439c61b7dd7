/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading packets off a wire: IPv4 (RFC 791) and IPv6 (RFC 8200), as far as a router looks, and
 * the congestion mark.
 *
 * Nothing in a packet is believed before it was measured: whatever bytes come, no byte beyond them
 * is read.
 */
#ifndef NET_IP_H
#define NET_IP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IP4_HEADER_BYTES 20
#define IP6_HEADER_BYTES 40
#define IP_ADDRESS_BYTES 16

/* Longest text of an address and a port: "[v6]:port", and its NUL. */
#define IP_ENDPOINT_TEXT 56

struct ip_endpoint {
	uint8_t address[IP_ADDRESS_BYTES]; /* of IPv4: the first four bytes, zeros behind them */
	uint16_t port;                     /* 0: none, or not in this packet */
};

/* What a packet's headers say. */
struct ip_summary {
	uint32_t len_bytes;       /* of the packet: header and payload; behind it is padding */
	uint32_t transport;       /* where the transport header begins; 0: not in this packet */
	uint32_t payload_bytes;   /* of TCP or UDP; 0: neither, or not in this packet */
	uint32_t tcp_seq;         /* of a TCP segment's first byte; the SYN is counted */
	struct ip_endpoint source, destination;
	uint8_t version;          /* 4 or 6 */
	uint8_t ecn;              /* enum aqm_ecn: the two bits as they stand */
	uint8_t protocol;         /* of the transport, behind IPv6's extension headers */
	bool fragment;            /* one part of a packet, the first one included */
};

/*
 * Reads `size` bytes that begin with an IP header.  ERR_INVALID: no header is whole, or it says
 * more than is there.  Checksums are not verified: who receives the packet does that, and marks
 * keep wrong ones wrong.  Fragments behind the first have no transport header; neither do
 * transport headers that are cut (the packet is good nevertheless).
 */
int ip_parse(const uint8_t *data, size_t size, struct ip_summary *ip);

/*
 * Sets CE in a packet that ip_parse() took; the IPv4 header checksum is changed by the difference
 * (RFC 1624, equation 3).
 */
void ip_set_ce(uint8_t *data);

/*
 * The flow's identity, 64 well-mixed bits: addresses, protocol, ports; of fragments without ports.
 * Both ways of a connection are different flows.
 */
uint64_t ip_flow_hash(uint64_t perturbation, const struct ip_summary *ip);

/* A host's identity in 32 bits: an IPv4 address is itself. */
uint32_t ip_host(const struct ip_summary *ip, const struct ip_endpoint *end);

/* "192.0.2.1:80", "[2001:db8::1]:80"; without a port where it is 0.  Returns `text`. */
char *ip_endpoint_text(char text[IP_ENDPOINT_TEXT], unsigned version,
		       const struct ip_endpoint *end);

#endif
