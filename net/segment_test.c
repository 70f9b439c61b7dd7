/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super-packets cut: the parts have right checksums, hold all of the payload once and in order, and
 * say what an interface would have said.
 */
#include "net/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "net/ethernet.h"
#include "net/headers.h"

#define PAYLOAD 10000

static uint8_t frame[ETHERNET_ROOM_BYTES + 80 + PAYLOAD];

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void fill_payload(uint8_t *at)
{
	for (int i = 0; i < PAYLOAD; i++)
		at[i] = (uint8_t)(i * 7 + i / 256);
}

/* A TCP or UDP super-packet at `ip`; returns its length. */
static uint32_t put_super4(uint8_t *ip, uint8_t protocol)
{
	const uint32_t transport = protocol == NET_TCP ? 32 : 8;
	const struct packet packet = {.flow = 3,
				      .protocol = protocol,
				      .len_bytes = 20 + transport + PAYLOAD,
				      .ecn = 1,
				      .to_server = true,
				      .tcp = {.seq = UINT32_MAX - 5000,
					      .payload_bytes = PAYLOAD,
					      .flags = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR}};

	net_headers_write(&packet, ip);
	put16(ip + 4, 0xfffe);
	fill_payload(ip + 20 + transport);
	return packet.len_bytes;
}

static uint32_t put_super6(uint8_t *ip)
{
	uint8_t four[80 + PAYLOAD];
	const uint32_t len_bytes = put_super4(four, NET_TCP) + 20;

	memset(ip, 0, 40);
	ip[0] = 0x60;
	put16(ip + 4, len_bytes - 40);
	ip[6] = NET_TCP;
	ip[8] = 0xfd, ip[23] = 1, ip[24] = 0xfd, ip[39] = 2;
	memcpy(ip + 40, four + 20, len_bytes - 40);
	return len_bytes;
}

static void sums_hold(const uint8_t *ip, const struct ip_summary *said)
{
	const bool four = said->version == 4;
	const uint32_t size = said->len_bytes - said->transport;
	const uint32_t pseudo = net_sum(ip + (four ? 12 : 8), four ? 8 : 32, said->protocol + size);

	if (four)
		assert_int_equal(net_checksum(net_sum(ip, 20, 0)), 0);
	assert_int_equal(net_checksum(net_sum(ip + said->transport, size, pseudo)), 0);
}

/* Cuts the frame and looks at every part. */
static void cut(uint32_t size, uint32_t at, uint32_t payload)
{
	struct segmenter segmenter;
	uint8_t out[2048], wanted[PAYLOAD];
	uint32_t held = 0, index = 0;
	size_t got;

	fill_payload(wanted);
	assert_int_equal(segment_begin(&segmenter, frame, size, at, payload), 0);
	while ((got = segment_next(&segmenter, out, sizeof(out)))) {
		const bool last = held + payload >= PAYLOAD;
		struct ip_summary ip;

		assert_int_equal(ip_parse(out + at, got - at, &ip), 0);
		assert_int_equal(at + ip.len_bytes, got);
		assert_memory_equal(out, frame, at);
		assert_int_equal(ip.payload_bytes, last ? PAYLOAD - held : payload);
		assert_memory_equal(out + got - ip.payload_bytes, wanted + held, ip.payload_bytes);
		sums_hold(out + at, &ip);
		if (ip.version == 4)
			assert_int_equal(out[at + 4] << 8 | out[at + 5],
					 (0xfffe + index) & 0xffff);
		if (ip.protocol == NET_TCP) {
			const uint8_t flags = out[at + ip.transport + 13];

			assert_int_equal(ip.tcp_seq, (uint32_t)(UINT32_MAX - 4999 + held));
			assert_int_equal(flags, TCP_ACK | (last ? TCP_PSH | TCP_FIN : 0) |
							(index ? 0 : TCP_CWR));
		}
		held += ip.payload_bytes;
		index++;
	}
	assert_int_equal(held, PAYLOAD);
}

static void cuts_tcp_and_udp(void **state)
{
	(void)state;
	memset(frame, 0xaa, sizeof(frame));
	for (uint32_t payload = 536; payload <= 1460; payload += 231) {
		cut(put_super4(frame, NET_TCP), 0, payload);
		cut(18 + put_super4(frame + 18, NET_TCP), 18, payload);
		cut(14 + put_super4(frame + 14, NET_UDP), 14, payload);
		cut(14 + put_super6(frame + 14), 14, payload);
	}
	cut(14 + put_super4(frame + 14, NET_UDP), 14, 1000); /* without a rest */
}

static void refuses_what_it_cannot_cut(void **state)
{
	struct segmenter segmenter;
	uint8_t out[2048];
	const uint32_t size = put_super4(frame, NET_TCP);

	(void)state;
	assert_int_equal(segment_begin(&segmenter, frame, size, 0, 0), ERR_INVALID);
	assert_int_equal(segment_begin(&segmenter, frame, size, size + 1, 100), ERR_INVALID);
	assert_int_equal(segment_begin(&segmenter, frame, size - 1, 0, 100), ERR_INVALID);
	frame[32] = 0x40; /* a TCP header of 16 bytes */
	assert_int_equal(segment_begin(&segmenter, frame, size, 0, 100), ERR_INVALID);
	frame[32] = 0x80;
	frame[9] = 1;
	assert_int_equal(segment_begin(&segmenter, frame, size, 0, 100), ERR_INVALID);
	frame[9] = NET_TCP;
	frame[6] = 0x20; /* a fragment */
	assert_int_equal(segment_begin(&segmenter, frame, size, 0, 100), ERR_INVALID);
	frame[6] = 0;
	assert_int_equal(segment_begin(&segmenter, frame, size, 0, 3000), 0);
	assert_int_equal(segment_next(&segmenter, out, sizeof(out)), 0);
}

static void completes_checksums(void **state)
{
	uint8_t packet[2048];
	struct ip_summary ip;
	uint8_t whole[2];
	const struct packet made = {.protocol = NET_TCP, .len_bytes = 552, .to_server = true,
				    .tcp = {.payload_bytes = 500, .flags = TCP_ACK}};

	(void)state;
	memset(packet, 0, sizeof(packet));
	net_headers_write(&made, packet);
	assert_int_equal(ip_parse(packet, 552, &ip), 0);
	memcpy(whole, packet + 36, 2);
	/* As a host leaves it to the interface: the pseudo header's sum, not complemented. */
	put16(packet + 36, (uint16_t)~net_checksum(net_sum(packet + 12, 8, NET_TCP + 532)));
	assert_int_equal(segment_complete_checksum(packet, 552, 20, 16), 0);
	assert_memory_equal(packet + 36, whole, 2);
	sums_hold(packet, &ip);
	assert_int_equal(segment_complete_checksum(packet, 552, 553, 0), ERR_INVALID);
	assert_int_equal(segment_complete_checksum(packet, 552, 540, 11), ERR_INVALID);
	assert_int_equal(segment_complete_checksum(packet, 552, 540, UINT32_MAX - 5), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_tcp_and_udp),
		cmocka_unit_test(refuses_what_it_cannot_cut),
		cmocka_unit_test(completes_checksums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
