/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets off a wire: whatever comes, what is read lies within the bytes, a mark changes nothing
 * but itself and the checksum, by which the header's sum stays what it was, what is cut holds what
 * was whole, and a path gives every buffer back.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/ethernet.h"
#include "net/headers.h"
#include "net/ip.h"
#include "net/segment.h"
#include "router/path.h"

#define FRAME_BYTES 4096
#define IPV4_HEADER_MAX 60

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(int holds)
{
	if (!holds)
		abort();
}

static void check_summary(const struct ip_summary *ip, size_t size)
{
	insist(ip->len_bytes <= size && ip->ecn <= 3);
	insist(ip->transport == 0 || ip->transport + 4 <= ip->len_bytes);
	insist(ip->payload_bytes <= ip->len_bytes);
	insist(ip->transport || (ip->source.port == 0 && ip->destination.port == 0));
}

/* Sum of an IPv4 header; 0xffff and 0 are the same number there. */
static uint16_t header_sum(const uint8_t *packet)
{
	const uint16_t sum = net_checksum(net_sum(packet, (size_t)(packet[0] & 15) * 4, 0));

	return sum == 0xffff ? 0 : sum;
}

static void check_mark(const uint8_t *packet, const struct ip_summary *ip)
{
	uint8_t before[IPV4_HEADER_MAX], after[IPV4_HEADER_MAX];
	const size_t held = ip->len_bytes < sizeof(before) ? ip->len_bytes : sizeof(before);
	struct ip_summary again;

	memset(before, 0, sizeof(before));
	memcpy(before, packet, held);
	memcpy(after, before, sizeof(after));
	ip_set_ce(after);
	if (ip->version == 4)
		insist(header_sum(before) == header_sum(after));
	insist(ip_parse(after, sizeof(after), &again) != 0 || again.ecn == 3);
	if (ip->version == 4) {
		before[1] |= 3;
		memcpy(before + 10, after + 10, 2);
	} else {
		before[1] |= 3 << 4;
	}
	insist(memcmp(before, after, sizeof(before)) == 0);
}

/* A path with a law that marks and drops, opened once; its time goes on. */
static struct path *open_path(struct packet_pool *pool, struct frames *frames)
{
	static struct path path;
	const struct aqm_ops *law = aqm_find("fq_codel");
	void *params = calloc(1, law->params_size);

	if (path.queue == NULL) {
		insist(params && aqm_params_default(law, params, NULL) == 0);
		packet_pool_init(pool);
		frames_init(frames, FRAME_BYTES, 64);
		insist(path_open(&path,
				 &(struct path_config){.law = law,
						       .params = params,
						       .rate = {.rate_mbps = 1},
						       .seed = 1,
						       .pool = pool,
						       .frames = frames},
				 NULL) == 0);
	}
	free(params);
	return &path;
}

/* The same packet some times through a path. */
static void check_path(const uint8_t *data, size_t size, uint32_t at, const struct ip_summary *ip)
{
	static struct packet_pool pool;
	static struct frames frames;
	static uint64_t now_ns;
	struct path *path = open_path(&pool, &frames);
	struct packet *packet;

	for (int i = 0; i < 8; i++) {
		uint8_t *bytes = frames_take(&frames);

		memcpy(bytes, data, size);
		path_arrive(path, bytes, (uint32_t)size, at, ip, now_ns += 1000000);
	}
	now_ns += 1000000000;
	path_run(path, now_ns);
	while ((packet = path_take(path, now_ns)))
		path_drop(path, packet);
	insist(frames.held == 0 && pool.allocated == 0);
}

/* Cut as a super-packet: the parts are packets and hold the payload once, in order. */
static void check_segments(const uint8_t *data, size_t size, uint32_t at, uint32_t payload)
{
	static uint8_t out[FRAME_BYTES];
	struct segmenter segmenter;
	uint32_t held;
	size_t got;

	if (segment_begin(&segmenter, data, (uint32_t)size, at, payload))
		return;
	held = segmenter.header;
	while ((got = segment_next(&segmenter, out, sizeof(out)))) {
		const uint32_t part = (uint32_t)got - segmenter.header;
		struct ip_summary ip;

		insist(got <= size && part <= payload);
		insist(ip_parse(out + at, got - at, &ip) == 0 && ip.len_bytes == got - at);
		insist(memcmp(out + segmenter.header, data + held, part) == 0);
		held += part;
		insist(held == segmenter.next);
	}
	insist(segmenter.next == segmenter.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_summary ip;
	uint32_t at = 0;
	int is_ip;

	if (size == 0 || size > FRAME_BYTES)
		return 0;
	/* The last byte says whether it is an Ethernet frame. */
	if (data[size - 1] & 1)
		at = ethernet_ip_offset(data, (uint32_t)size);
	insist(at <= size);
	is_ip = ip_parse(data + at, size - at, &ip) == 0;
	if (is_ip) {
		check_summary(&ip, size - at);
		check_mark(data + at, &ip);
		check_segments(data, size, at, 1 + data[size - 1] * 4U);
	}
	check_path(data, size, at, is_ip ? &ip : NULL);
	return 0;
}
