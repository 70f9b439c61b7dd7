/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Headers in network byte order.
 *
 * Sequence numbers: the simulated connection has no handshake; its first byte
 * is number 1, as if a SYN of number 0 had gone before.
 */
#include "net/headers.h"

#include <string.h>

#define IP_BYTES 20
#define TCP_BYTES 20
#define UDP_BYTES 8
#define TIME_TO_LIVE 64
#define DONT_FRAGMENT 0x4000

enum option_kind {
	OPTION_NOP = 1,
	OPTION_SACK = 5,
	OPTION_TIMESTAMPS = 8,
	OPTION_ACCECN1 = 174, /* RFC 9768 section 3.2.3: ECT(1), CE, ECT(0) */
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put24(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 16);
	put16(at + 1, value);
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

uint32_t net_sum(const uint8_t *data, size_t size, uint32_t sum)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (size % 2)
		sum += (uint32_t)data[size - 1] << 8;
	return sum;
}

uint16_t net_checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint32_t client_address(uint32_t flow)
{
	return (UINT32_C(10) << 24) + ((flow + 1) & 0x7fffff);
}

static uint32_t server_address(uint32_t flow)
{
	return client_address(flow) | UINT32_C(1) << 23;
}

static void put_ip(const struct packet *packet, uint8_t *at)
{
	const uint32_t client = client_address(packet->flow), server = server_address(packet->flow);

	memset(at, 0, IP_BYTES);
	at[0] = 4 << 4 | IP_BYTES / 4;
	at[1] = packet->ecn & 3;
	put16(at + 2, packet->len_bytes);
	put16(at + 6, DONT_FRAGMENT);
	at[8] = TIME_TO_LIVE;
	at[9] = packet->protocol;
	put32(at + 12, packet->to_server ? client : server);
	put32(at + 16, packet->to_server ? server : client);
	put16(at + 10, net_checksum(net_sum(at, IP_BYTES, 0)));
}

static void put_ports(const struct packet *packet, uint8_t *at)
{
	const uint32_t client = NET_CLIENT_PORT + (packet->flow >> 23);

	put16(at, packet->to_server ? client : NET_SERVER_PORT);
	put16(at + 2, packet->to_server ? NET_SERVER_PORT : client);
}

/* The checksum over pseudo header, `size` bytes of header and a payload of zeros. */
static uint16_t transport_checksum(const struct packet *packet, const uint8_t *ip, size_t size)
{
	uint32_t sum = net_sum(ip + 12, 8, packet->protocol + packet->len_bytes - IP_BYTES);

	return net_checksum(net_sum(ip + IP_BYTES, size, sum));
}

/* Each puts an option where `*room` allows it and returns where the next one goes. */
static uint8_t *put_timestamps(const struct tcp_header *tcp, uint8_t *at, size_t *room)
{
	if (*room < 12)
		return at;
	at[0] = at[1] = OPTION_NOP;
	at[2] = OPTION_TIMESTAMPS;
	at[3] = 10;
	put32(at + 4, tcp->timestamp_us);
	put32(at + 8, tcp->timestamp_echo_us);
	*room -= 12;
	return at + 12;
}

static uint8_t *put_sack(const struct tcp_header *tcp, uint8_t *at, size_t *room)
{
	size_t blocks = tcp->sack_count;

	while (blocks > 0 && 4 + 8 * blocks > *room)
		blocks--;
	if (blocks == 0)
		return at;
	at[0] = at[1] = OPTION_NOP;
	at[2] = OPTION_SACK;
	at[3] = (uint8_t)(2 + 8 * blocks);
	for (size_t i = 0; i < blocks; i++) {
		put32(at + 4 + 8 * i, tcp->sack[i].start + 1);
		put32(at + 8 + 8 * i, tcp->sack[i].end + 1);
	}
	*room -= 4 + 8 * blocks;
	return at + 4 + 8 * blocks;
}

static uint8_t *put_accecn(const struct tcp_header *tcp, uint8_t *at, size_t *room)
{
	if (!tcp->ace_bytes_valid || *room < 12)
		return at;
	at[0] = OPTION_NOP;
	at[1] = OPTION_ACCECN1;
	at[2] = 11;
	put24(at + 3, tcp->accecn_ect1_bytes);
	put24(at + 6, tcp->accecn_ce_bytes);
	put24(at + 9, tcp->accecn_ect0_bytes);
	*room -= 12;
	return at + 12;
}

/* What the packet's length leaves for the TCP header; a length that cannot be is put right. */
static size_t tcp_bytes(const struct packet *packet)
{
	const size_t rest = packet->len_bytes - IP_BYTES - packet->tcp.payload_bytes;

	if (packet->len_bytes < IP_BYTES + TCP_BYTES + packet->tcp.payload_bytes)
		return TCP_BYTES;
	return rest > NET_HEADERS_MAX_BYTES - IP_BYTES ? NET_HEADERS_MAX_BYTES - IP_BYTES
						       : rest & ~(size_t)3;
}

static size_t put_tcp(const struct packet *packet, uint8_t *at)
{
	const struct tcp_header *tcp = &packet->tcp;
	const size_t size = tcp_bytes(packet);
	/* Nothing but acknowledgements comes to a sender: its window is open. */
	const uint64_t scaled =
		packet->to_server
			? UINT16_MAX
			: (tcp->window_bytes + (1u << NET_WINDOW_SHIFT) - 1) >> NET_WINDOW_SHIFT;
	size_t room = size - TCP_BYTES;
	uint8_t *option = at + TCP_BYTES;

	memset(at, 0, TCP_BYTES);
	put_ports(packet, at);
	put32(at + 4, (uint32_t)tcp->seq + 1);
	put32(at + 8, (uint32_t)tcp->ack + 1);
	put16(at + 12, (uint32_t)(size / 4) << 12 | (tcp->flags & 0x1ff));
	put16(at + 14, scaled > UINT16_MAX ? UINT16_MAX : (uint32_t)scaled);
	option = put_timestamps(tcp, option, &room);
	option = put_sack(tcp, option, &room);
	option = put_accecn(tcp, option, &room);
	memset(option, OPTION_NOP, room);
	put16(at + 16, transport_checksum(packet, at - IP_BYTES, size));
	return size;
}

static size_t put_udp(const struct packet *packet, uint8_t *at)
{
	uint16_t checksum;

	put_ports(packet, at);
	put16(at + 4, packet->len_bytes - IP_BYTES);
	put16(at + 6, 0);
	checksum = transport_checksum(packet, at - IP_BYTES, UDP_BYTES);
	/* RFC 768: 0 says that there is none. */
	put16(at + 6, checksum ? checksum : 0xffff);
	return UDP_BYTES;
}

size_t net_headers_write(const struct packet *packet, uint8_t out[NET_HEADERS_MAX_BYTES])
{
	put_ip(packet, out);
	if (packet->protocol == NET_UDP)
		return IP_BYTES + put_udp(packet, out + IP_BYTES);
	return IP_BYTES + put_tcp(packet, out + IP_BYTES);
}
