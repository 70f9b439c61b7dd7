/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IP headers from a wire.
 */
#include "net/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "net/flow_hash.h"
#include "net/headers.h"

#define EXTENSION_HEADERS_MAX 8 /* more are no packet of anybody's; it goes on without ports */
#define TCP_FIXED_BYTES 20
#define UDP_FIXED_BYTES 8
#define FLAG_MORE_FRAGMENTS 0x2000
#define FRAGMENT_OFFSET 0x1fff
#define CE 3

enum next_header {
	NEXT_HOP_BY_HOP = 0,
	NEXT_DCCP = 33,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
	NEXT_SCTP = 132,
	NEXT_UDP_LITE = 136,
};

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == NET_TCP || protocol == NET_UDP || protocol == NEXT_SCTP ||
	       protocol == NEXT_DCCP || protocol == NEXT_UDP_LITE;
}

/* `at`: behind the IP headers, within the packet. */
static void read_transport(const uint8_t *data, uint32_t at, struct ip_summary *ip)
{
	const uint32_t left = ip->len_bytes - at;
	uint32_t header = UDP_FIXED_BYTES;

	if (!has_ports(ip->protocol) || left < 4)
		return;
	ip->transport = at;
	ip->source.port = (uint16_t)get16(data + at);
	ip->destination.port = (uint16_t)get16(data + at + 2);
	if (ip->protocol == NET_TCP && left >= TCP_FIXED_BYTES) {
		header = (uint32_t)(data[at + 12] >> 4) * 4;
		ip->tcp_seq = get32(data + at + 4);
	}
	if ((ip->protocol == NET_TCP && left < TCP_FIXED_BYTES) || left < header)
		return;
	if (ip->protocol == NET_TCP || ip->protocol == NET_UDP)
		ip->payload_bytes = left - header;
}

static int parse4(const uint8_t *data, size_t size, struct ip_summary *ip)
{
	uint32_t header, fragment;

	if (size < IP4_HEADER_BYTES)
		return ERR_INVALID;
	header = (uint32_t)(data[0] & 15) * 4;
	ip->len_bytes = get16(data + 2);
	if (header < IP4_HEADER_BYTES || header > ip->len_bytes || ip->len_bytes > size)
		return ERR_INVALID;
	ip->ecn = data[1] & 3;
	ip->protocol = data[9];
	memcpy(ip->source.address, data + 12, 4);
	memcpy(ip->destination.address, data + 16, 4);
	fragment = get16(data + 6);
	ip->fragment = (fragment & (FLAG_MORE_FRAGMENTS | FRAGMENT_OFFSET)) != 0;
	if ((fragment & FRAGMENT_OFFSET) == 0)
		read_transport(data, header, ip);
	return 0;
}

/*
 * Length of the extension header at `at`, of which 8 bytes are there; 0: it is none.  A fragment
 * behind the first has nothing to read behind its header.
 */
static uint32_t extension_bytes(const uint8_t *at, uint8_t kind, struct ip_summary *ip,
				bool *behind_first)
{
	switch (kind) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_DESTINATION:
		return ((uint32_t)at[1] + 1) * 8;
	case NEXT_AUTHENTICATION:
		return ((uint32_t)at[1] + 2) * 4;
	case NEXT_FRAGMENT:
		ip->fragment = true;
		*behind_first = (get16(at + 2) & ~7U) != 0;
		return 8;
	default:
		return 0;
	}
}

static int parse6(const uint8_t *data, size_t size, struct ip_summary *ip)
{
	uint32_t at = IP6_HEADER_BYTES;
	bool behind_first = false;

	if (size < IP6_HEADER_BYTES)
		return ERR_INVALID;
	ip->len_bytes = IP6_HEADER_BYTES + get16(data + 4);
	if (ip->len_bytes > size)
		return ERR_INVALID;
	ip->ecn = data[1] >> 4 & 3;
	ip->protocol = data[6];
	memcpy(ip->source.address, data + 8, IP_ADDRESS_BYTES);
	memcpy(ip->destination.address, data + 24, IP_ADDRESS_BYTES);
	for (int i = 0; i < EXTENSION_HEADERS_MAX && ip->len_bytes - at >= 8; i++) {
		const uint32_t length = extension_bytes(data + at, ip->protocol, ip, &behind_first);

		if (length == 0)
			break;
		if (length > ip->len_bytes - at)
			return 0;
		ip->protocol = data[at];
		at += length;
		if (behind_first)
			return 0;
	}
	read_transport(data, at, ip);
	return 0;
}

int ip_parse(const uint8_t *data, size_t size, struct ip_summary *ip)
{
	memset(ip, 0, sizeof(*ip));
	if (size == 0)
		return ERR_INVALID;
	ip->version = data[0] >> 4;
	if (ip->version == 4)
		return parse4(data, size, ip);
	return ip->version == 6 ? parse6(data, size, ip) : ERR_INVALID;
}

void ip_set_ce(uint8_t *data)
{
	if (data[0] >> 4 == 4) {
		const uint32_t before = get16(data);
		uint16_t checksum;

		data[1] |= CE;
		/* HC' = ~(~HC + ~m + m') */
		checksum = net_checksum((~get16(data + 10) & 0xffff) + (~before & 0xffff) +
					get16(data));
		data[10] = (uint8_t)(checksum >> 8);
		data[11] = (uint8_t)checksum;
	} else {
		data[1] |= CE << 4;
	}
}

uint64_t ip_flow_hash(uint64_t perturbation, const struct ip_summary *ip)
{
	uint64_t words[2 * IP_ADDRESS_BYTES / 8];
	uint64_t hash = perturbation;

	memcpy(words, ip->source.address, IP_ADDRESS_BYTES);
	memcpy(words + 2, ip->destination.address, IP_ADDRESS_BYTES);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (ip->version == 6 || i % 2 == 0)
			hash = net_hash_mix(hash, words[i]);
	/* Of a fragmented packet the first part has ports: it goes with the others. */
	if (!ip->fragment)
		hash = net_hash_mix(hash, (uint64_t)ip->source.port << 16 | ip->destination.port);
	return net_hash_mix(hash, (uint64_t)ip->protocol << 8 | ip->version);
}

uint32_t ip_host(const struct ip_summary *ip, const struct ip_endpoint *end)
{
	uint64_t words[2];

	if (ip->version == 4)
		return get32(end->address);
	memcpy(words, end->address, sizeof(words));
	return (uint32_t)net_hash_mix(net_hash_mix(0, words[0]), words[1]);
}

char *ip_endpoint_text(char text[IP_ENDPOINT_TEXT], unsigned version,
		       const struct ip_endpoint *end)
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(version == 4 ? AF_INET : AF_INET6, end->address, address, sizeof(address));
	if (end->port == 0)
		snprintf(text, IP_ENDPOINT_TEXT, "%s", address);
	else
		snprintf(text, IP_ENDPOINT_TEXT, version == 4 ? "%s:%u" : "[%s]:%u", address,
			 end->port);
	return text;
}
