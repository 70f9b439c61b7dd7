/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between the packets: lengths, IPv4 identification, sequence number, the flags that
 * belong to the first (CWR) or the last (FIN, PSH), checksums.
 */
#include "net/segment.h"

#include <string.h>

#include "base/error.h"
#include "net/headers.h"

#define UDP_BYTES 8
#define TCP_BYTES 20
#define TCP_CHECKSUM 16
#define UDP_CHECKSUM 6

static uint32_t get16(const uint8_t *at)
{
	return (uint32_t)at[0] << 8 | at[1];
}

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

int segment_begin(struct segmenter *segmenter, const uint8_t *frame, uint32_t size,
		  uint32_t ip_offset, uint32_t payload)
{
	const struct ip_summary *ip = &segmenter->ip;
	uint32_t header;

	memset(segmenter, 0, sizeof(*segmenter));
	if (ip_offset > size || payload == 0 ||
	    ip_parse(frame + ip_offset, size - ip_offset, &segmenter->ip) ||
	    ip->transport == 0 || ip->fragment)
		return ERR_INVALID;
	header = ip->transport + UDP_BYTES;
	if (ip->protocol == NET_TCP && ip->transport + TCP_BYTES <= ip->len_bytes)
		header = ip->transport + (uint32_t)(frame[ip_offset + ip->transport + 12] >> 4) * 4;
	if ((ip->protocol != NET_TCP && ip->protocol != NET_UDP) || header > ip->len_bytes ||
	    (ip->protocol == NET_TCP && header < ip->transport + TCP_BYTES))
		return ERR_INVALID;
	segmenter->frame = frame;
	segmenter->ip_offset = ip_offset;
	segmenter->header = ip_offset + header;
	segmenter->end = ip_offset + ip->len_bytes;
	segmenter->next = segmenter->header;
	segmenter->payload = payload;
	return 0;
}

/* Of the transport header at `at` with its payload, the checksum's place being zero. */
static uint16_t transport_checksum(const struct segmenter *segmenter, const uint8_t *packet,
				   const uint8_t *at, uint32_t size)
{
	const bool four = segmenter->ip.version == 4;
	const uint32_t addresses = net_sum(packet + (four ? 12 : 8), four ? 8 : 32, 0);

	return net_checksum(net_sum(at, size, addresses + segmenter->ip.protocol + size));
}

static void put_ip(const struct segmenter *segmenter, uint8_t *packet, uint32_t len_bytes)
{
	if (segmenter->ip.version == 6) {
		put16(packet + 4, len_bytes - IP6_HEADER_BYTES);
		return;
	}
	put16(packet + 2, len_bytes);
	put16(packet + 4, get16(packet + 4) + segmenter->index);
	put16(packet + 10, 0);
	put16(packet + 10, net_checksum(net_sum(packet, (size_t)(packet[0] & 15) * 4, 0)));
}

static void put_tcp(const struct segmenter *segmenter, uint8_t *packet, uint8_t *at, uint32_t size,
		    bool last)
{
	put32(at + 4, segmenter->ip.tcp_seq + (segmenter->next - segmenter->header));
	if (segmenter->index > 0)
		at[13] &= (uint8_t)~TCP_CWR;
	if (!last)
		at[13] &= (uint8_t)~(TCP_FIN | TCP_PSH);
	put16(at + TCP_CHECKSUM, 0);
	put16(at + TCP_CHECKSUM, transport_checksum(segmenter, packet, at, size));
}

static void put_udp(const struct segmenter *segmenter, uint8_t *packet, uint8_t *at, uint32_t size)
{
	uint16_t checksum;

	put16(at + 4, size);
	put16(at + UDP_CHECKSUM, 0);
	checksum = transport_checksum(segmenter, packet, at, size);
	put16(at + UDP_CHECKSUM, checksum ? checksum : 0xffff);
}

size_t segment_next(struct segmenter *segmenter, uint8_t *out, size_t room)
{
	const uint32_t left = segmenter->end - segmenter->next;
	const uint32_t take = left < segmenter->payload ? left : segmenter->payload;
	const uint32_t size = segmenter->header + take;
	uint8_t *packet = out + segmenter->ip_offset, *at = packet + segmenter->ip.transport;

	if ((left == 0 && segmenter->index > 0) || size > room)
		return 0;
	memcpy(out, segmenter->frame, segmenter->header);
	memcpy(out + segmenter->header, segmenter->frame + segmenter->next, take);
	put_ip(segmenter, packet, size - segmenter->ip_offset);
	if (segmenter->ip.protocol == NET_TCP)
		put_tcp(segmenter, packet, at, (uint32_t)(out + size - at), take == left);
	else
		put_udp(segmenter, packet, at, (uint32_t)(out + size - at));
	segmenter->next += take;
	segmenter->index++;
	return size;
}

int segment_complete_checksum(uint8_t *frame, uint32_t size, uint32_t start, uint32_t offset)
{
	uint16_t checksum;

	if (start > size || offset > size - start || size - start - offset < 2)
		return ERR_INVALID;
	checksum = net_checksum(net_sum(frame + start, size - start, 0));
	/* Of UDP 0 means none; of TCP 0xffff is as good as 0. */
	put16(frame + start + offset, checksum ? checksum : 0xffff);
	return 0;
}
