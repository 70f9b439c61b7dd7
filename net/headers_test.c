/* SPDX-License-Identifier: BSD-2-Clause */
/* Headers byte by byte: checksums that add up to nothing, options where they belong. */
#include "net/headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) << 16 | get16(at + 2);
}

/* Sums of right headers, with the checksum in them, are all ones (RFC 1071 section 1). */
static void expect_good_sums(const struct packet *packet, const uint8_t *out, size_t size)
{
	const uint32_t pseudo = packet->protocol + packet->len_bytes - 20;

	assert_int_equal(net_checksum(net_sum(out, 20, 0)), 0);
	assert_int_equal(net_checksum(net_sum(out + 20, size - 20, net_sum(out + 12, 8, pseudo))),
			 0);
}

/* The example of RFC 1071 section 3. */
static void sum_of_the_rfc(void **state)
{
	static const uint8_t data[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};

	(void)state;
	assert_int_equal(net_sum(data, sizeof(data), 0), 0x2ddf0);
	assert_int_equal(net_checksum(0x2ddf0), (uint16_t)~0xddf2);
	assert_int_equal(net_sum(data, 3, 0), 0x0001 + 0xf200);
}

static void data_segment(void **state)
{
	struct packet packet = {
		.flow = 0x123456,
		.protocol = NET_TCP,
		.len_bytes = 1500,
		.ecn = 3,
		.to_server = true,
		.tcp = {.seq = UINT64_C(0x123456789), .payload_bytes = 1448,
			.flags = TCP_ACK | TCP_CWR | TCP_AE, .timestamp_us = 77},
	};
	uint8_t out[NET_HEADERS_MAX_BYTES];

	(void)state;
	assert_int_equal(net_headers_write(&packet, out), 52);
	expect_good_sums(&packet, out, 52);
	assert_int_equal(out[0], 0x45);
	assert_int_equal(out[1], 3);
	assert_int_equal(get16(out + 2), 1500);
	assert_int_equal(get32(out + 12), 0x0a123457);
	assert_int_equal(get32(out + 16), 0x0a923457);
	assert_int_equal(get16(out + 20), NET_CLIENT_PORT);
	assert_int_equal(get16(out + 22), NET_SERVER_PORT);
	assert_int_equal(get32(out + 24), 0x2345678a);
	assert_int_equal(get16(out + 32), 8 << 12 | 0x190);
	assert_int_equal(get32(out + 40), 0x0101080a);
	assert_int_equal(get32(out + 44), 77);
}

static void acknowledgement_with_everything(void **state)
{
	struct packet packet = {
		.flow = 9,
		.protocol = NET_TCP,
		.len_bytes = 52 + 12 + 12,
		.tcp = {.ack = 5000, .flags = TCP_ACK | TCP_ECE, .window_bytes = 1,
			.sack_count = 1, .sack = {{6000, 7000}}, .ace_bytes_valid = 1,
			.accecn_ect1_bytes = 0x010203, .accecn_ce_bytes = 0x040506,
			.accecn_ect0_bytes = 0x070809},
	};
	static const uint8_t accecn[] = {1, 174, 11, 1, 2, 3, 4, 5, 6, 7, 8, 9};
	uint8_t out[NET_HEADERS_MAX_BYTES];

	(void)state;
	assert_int_equal(net_headers_write(&packet, out), packet.len_bytes);
	expect_good_sums(&packet, out, packet.len_bytes);
	assert_int_equal(get32(out + 12), 0x0a80000a);
	assert_int_equal(get32(out + 28), 5001);
	assert_int_equal(get16(out + 32), 14 << 12 | 0x50);
	assert_int_equal(get16(out + 34), 1); /* a byte of window is not none */
	assert_int_equal(get32(out + 52), 0x0101050a);
	assert_int_equal(get32(out + 56), 6001);
	assert_int_equal(get32(out + 60), 7001);
	assert_memory_equal(out + 64, accecn, sizeof(accecn));
	packet.tcp.window_bytes = 0;
	net_headers_write(&packet, out);
	assert_int_equal(get16(out + 34), 0);
}

/* Options that the packet's length has no room for stay out; room left over is filled. */
static void options_keep_to_the_length(void **state)
{
	struct packet packet = {
		.protocol = NET_TCP,
		.len_bytes = 40 + 24,
		.tcp = {.sack_count = 3, .sack = {{1, 2}, {3, 4}, {5, 6}}, .ace_bytes_valid = 1},
	};
	uint8_t out[NET_HEADERS_MAX_BYTES];

	(void)state;
	assert_int_equal(net_headers_write(&packet, out), 64);
	assert_int_equal(get32(out + 52), 0x0101050a);
	expect_good_sums(&packet, out, 64);
	packet.tcp.sack_count = 0;
	packet.tcp.ace_bytes_valid = 0;
	assert_int_equal(net_headers_write(&packet, out), 64);
	assert_int_equal(get32(out + 60), 0x01010101);
	packet.len_bytes = 200;
	assert_int_equal(net_headers_write(&packet, out), 80);
	packet.len_bytes = 20;
	assert_int_equal(net_headers_write(&packet, out), 40);
}

static void datagram(void **state)
{
	struct packet packet = {
		.flow = 1 << 23,
		.protocol = NET_UDP,
		.len_bytes = 228,
		.ecn = 1,
		.to_server = true,
		.datagram = {.number = 12},
	};
	uint8_t out[NET_HEADERS_MAX_BYTES];

	(void)state;
	assert_int_equal(net_headers_write(&packet, out), 28);
	expect_good_sums(&packet, out, 28);
	assert_int_equal(get32(out + 12), 0x0a000001);
	assert_int_equal(get16(out + 20), NET_CLIENT_PORT + 1);
	assert_int_equal(get16(out + 24), 208);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sum_of_the_rfc),
		cmocka_unit_test(data_segment),
		cmocka_unit_test(acknowledgement_with_everything),
		cmocka_unit_test(options_keep_to_the_length),
		cmocka_unit_test(datagram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
