/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets of every shape, whole and cut: what is read is right, nothing beyond the bytes is, and
 * marks keep checksums.
 */
#include "net/ip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/rng.h"
#include "net/ethernet.h"
#include "net/headers.h"

/* A copy at the end of a block of its own, so that a byte read beyond it is found by ASan. */
static int parse_copy(const uint8_t *data, size_t size, struct ip_summary *ip)
{
	uint8_t *copy = malloc(size ? size : 1);
	int code;

	assert_non_null(copy);
	memcpy(copy, data, size);
	code = ip_parse(copy, size, ip);
	free(copy);
	return code;
}

static size_t tcp4(uint8_t *out, unsigned ecn, uint32_t payload)
{
	const struct packet packet = {
		.flow = 5,
		.protocol = NET_TCP,
		.len_bytes = 52 + payload,
		.ecn = (uint8_t)ecn,
		.to_server = true,
		.tcp = {.seq = 999, .payload_bytes = payload, .flags = TCP_ACK},
	};

	memset(out, 0, 52 + payload);
	net_headers_write(&packet, out);
	return 52 + payload;
}

static void reads_ipv4(void **state)
{
	uint8_t data[2048];
	struct ip_summary ip;
	char text[IP_ENDPOINT_TEXT];
	const size_t size = tcp4(data, 1, 1000);

	(void)state;
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.version, 4);
	assert_int_equal(ip.len_bytes, 1052);
	assert_int_equal(ip.ecn, 1);
	assert_int_equal(ip.protocol, NET_TCP);
	assert_int_equal(ip.transport, 20);
	assert_int_equal(ip.payload_bytes, 1000);
	assert_int_equal(ip.tcp_seq, 1000);
	assert_int_equal(ip_host(&ip, &ip.source), (10U << 24) + 6);
	assert_string_equal(ip_endpoint_text(text, 4, &ip.source), "10.0.0.6:50000");
	/* Padding behind the packet is none of it. */
	assert_int_equal(parse_copy(data, size + 6, &ip), 0);
	assert_int_equal(ip.payload_bytes, 1000);
}

static void cut_headers_are_refused(void **state)
{
	uint8_t data[2048];
	struct ip_summary ip;
	const size_t size = tcp4(data, 2, 100);

	(void)state;
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(parse_copy(data, cut, &ip), ERR_INVALID);
	data[0] = 0x44; /* a header of 16 bytes */
	assert_int_equal(parse_copy(data, size, &ip), ERR_INVALID);
	data[0] = 0x75;
	assert_int_equal(parse_copy(data, size, &ip), ERR_INVALID);
	data[0] = 0x4f; /* one of 60, in a packet of 40 */
	data[2] = 0, data[3] = 40;
	assert_int_equal(parse_copy(data, size, &ip), ERR_INVALID);
}

/* Where the transport header does not fit into the packet the packet is good, without ports. */
static void short_packets_have_no_ports(void **state)
{
	uint8_t data[2048];
	struct ip_summary ip;

	(void)state;
	tcp4(data, 2, 100);
	for (uint8_t length = 20; length < 52; length++) {
		data[3] = length, data[2] = 0;
		assert_int_equal(parse_copy(data, length, &ip), 0);
		assert_int_equal(ip.transport != 0, length >= 24);
		assert_int_equal(ip.source.port, length >= 24 ? 50000 : 0);
		assert_int_equal(ip.payload_bytes, 0);
	}
}

static void options_and_fragments_of_ipv4(void **state)
{
	uint8_t data[2048] = {0x46, 3, 0, 40, 0, 1, 0, 0, 64, NET_UDP, 0, 0, 192, 0, 2, 1, 192, 0,
			      2, 2, 1, 1, 1, 0, 0x12, 0x34, 0, 80, 0, 16};
	struct ip_summary ip, other;

	(void)state;
	assert_int_equal(parse_copy(data, 40, &ip), 0);
	assert_int_equal(ip.transport, 24);
	assert_int_equal(ip.source.port, 0x1234);
	assert_int_equal(ip.destination.port, 80);
	assert_int_equal(ip.payload_bytes, 8);
	assert_int_equal(ip.ecn, 3);
	assert_false(ip.fragment);
	data[6] = 0x20; /* more fragments */
	assert_int_equal(parse_copy(data, 40, &ip), 0);
	assert_true(ip.fragment);
	assert_int_equal(ip.source.port, 0x1234);
	data[6] = 0, data[7] = 2; /* a later one */
	assert_int_equal(parse_copy(data, 40, &other), 0);
	assert_true(other.fragment);
	assert_int_equal(other.source.port, 0);
	assert_int_equal(other.transport, 0);
	/* All parts of a packet are of one flow. */
	assert_true(ip_flow_hash(7, &ip) == ip_flow_hash(7, &other));
	data[7] = 0;
	assert_int_equal(parse_copy(data, 40, &other), 0);
	assert_true(ip_flow_hash(7, &ip) != ip_flow_hash(7, &other));
	assert_true(ip_flow_hash(8, &other) != ip_flow_hash(7, &other));
}

static size_t udp6(uint8_t *out, const uint8_t *extensions, size_t size, uint8_t first)
{
	memset(out, 0, 40 + size + 16);
	out[0] = 0x60;
	out[1] = 0x20; /* ECT(0) */
	out[5] = (uint8_t)(size + 16);
	out[6] = first;
	out[8] = 0xfd, out[23] = 1;
	out[24] = 0xfd, out[39] = 2;
	if (size)
		memcpy(out + 40, extensions, size);
	out[40 + size + 1] = 53, out[40 + size + 3] = 99, out[40 + size + 5] = 16;
	return 40 + size + 16;
}

static void reads_ipv6(void **state)
{
	static const uint8_t extensions[] = {
		60, 0, 1, 4, 0, 0, 0, 0,		/* hop by hop, then destination options */
		44, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* of 16 bytes, then fragment */
		17, 0, 0, 1, 0, 0, 0, 9,		/* the first, more behind */
	};
	uint8_t data[256];
	struct ip_summary ip;
	char text[IP_ENDPOINT_TEXT];
	size_t size = udp6(data, NULL, 0, NET_UDP);

	(void)state;
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.version, 6);
	assert_int_equal(ip.ecn, 2);
	assert_int_equal(ip.len_bytes, 56);
	assert_int_equal(ip.payload_bytes, 8);
	assert_string_equal(ip_endpoint_text(text, 6, &ip.source), "[fd00::1]:53");
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(parse_copy(data, cut, &ip), ERR_INVALID);
	size = udp6(data, extensions, sizeof(extensions), 0);
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.protocol, NET_UDP);
	assert_int_equal(ip.transport, 72);
	assert_int_equal(ip.destination.port, 99);
	assert_true(ip.fragment);
	data[40 + 24 + 2] = 1; /* a later one */
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.transport, 0);
	assert_int_equal(ip.source.port, 0);
}

/* Extension headers that are longer than the packet, and ever more of them. */
static void ipv6_extensions_that_lie(void **state)
{
	uint8_t chain[160] = {0}, data[256];
	struct ip_summary ip;
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(chain); i += 8)
		chain[i] = 60;
	size = udp6(data, chain, sizeof(chain), 60);
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.transport, 0);
	chain[1] = 200;
	size = udp6(data, chain, 8, 60);
	assert_int_equal(parse_copy(data, size, &ip), 0);
	assert_int_equal(ip.transport, 0);
	assert_int_equal(ip.source.port, 0);
}

static void marks_keep_the_checksum(void **state)
{
	struct rng random;

	(void)state;
	rng_seed(&random, 1);
	for (int i = 0; i < 200000; i++) {
		uint8_t data[60];
		const unsigned ecn = 1 + (unsigned)rng_below(&random, 3);
		const size_t words = 5 + rng_below(&random, 11);
		uint16_t sum;

		for (size_t b = 0; b < sizeof(data); b++)
			data[b] = (uint8_t)rng_u64(&random);
		data[0] = (uint8_t)(0x40 | words);
		data[1] = (uint8_t)((data[1] & ~3U) | ecn);
		data[10] = data[11] = 0;
		sum = net_checksum(net_sum(data, words * 4, 0));
		data[10] = (uint8_t)(sum >> 8), data[11] = (uint8_t)sum;
		ip_set_ce(data);
		assert_int_equal(data[1] & 3, 3);
		assert_int_equal(net_checksum(net_sum(data, words * 4, 0)), 0);
		/* A wrong one stays wrong: nobody takes a damaged packet for a good one. */
		data[1] = (uint8_t)((data[1] & ~3U) | 2);
		assert_true(net_checksum(net_sum(data, words * 4, 0)) != 0);
		ip_set_ce(data);
		assert_true(net_checksum(net_sum(data, words * 4, 0)) != 0);
	}
}

static void marks_ipv6(void **state)
{
	uint8_t data[64] = {0x6a, 0xbc, 0xde, 0xf0};

	(void)state;
	data[1] = 0xac;
	ip_set_ce(data);
	assert_int_equal(data[0], 0x6a);
	assert_int_equal(data[1], 0xbc);
	assert_int_equal(data[2], 0xde);
}

static void finds_packets_in_frames(void **state)
{
	uint8_t frame[32] = {0};

	(void)state;
	frame[12] = 8;
	assert_int_equal(ethernet_ip_offset(frame, 14), 14);
	assert_int_equal(ethernet_ip_offset(frame, 13), 0);
	frame[12] = 0x81, frame[16] = 0x86, frame[17] = 0xdd;
	assert_int_equal(ethernet_ip_offset(frame, 18), 18);
	assert_int_equal(ethernet_ip_offset(frame, 17), 0);
	frame[12] = 0x88, frame[13] = 0xa8, frame[16] = 0x81, frame[17] = 0;
	frame[20] = 8;
	assert_int_equal(ethernet_ip_offset(frame, 32), 22);
	frame[20] = 0x81;
	assert_int_equal(ethernet_ip_offset(frame, 32), 0);
	frame[12] = 8, frame[13] = 6; /* ARP */
	assert_int_equal(ethernet_ip_offset(frame, 32), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4),
		cmocka_unit_test(cut_headers_are_refused),
		cmocka_unit_test(short_packets_have_no_ports),
		cmocka_unit_test(options_and_fragments_of_ipv4),
		cmocka_unit_test(reads_ipv6),
		cmocka_unit_test(ipv6_extensions_that_lie),
		cmocka_unit_test(marks_keep_the_checksum),
		cmocka_unit_test(marks_ipv6),
		cmocka_unit_test(finds_packets_in_frames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
