/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ethernet headers, as far as to find the packet in a frame.
 */
#ifndef NET_ETHERNET_H
#define NET_ETHERNET_H

#include <stdint.h>

#define ETHERNET_HEADER_BYTES 14
#define ETHERNET_TAG_BYTES 4
#define ETHERNET_TAGS_MAX 2 /* IEEE 802.1ad: a service tag, then a customer's */

/* What a frame has in front of its packet at most. */
#define ETHERNET_ROOM_BYTES (ETHERNET_HEADER_BYTES + ETHERNET_TAGS_MAX * ETHERNET_TAG_BYTES)

/* Where the IP header begins in a frame of `size` bytes; 0: it holds none. */
static inline uint32_t ethernet_ip_offset(const uint8_t *frame, uint32_t size)
{
	uint32_t at = ETHERNET_HEADER_BYTES;

	for (int tags = 0; tags <= ETHERNET_TAGS_MAX && at <= size; tags++) {
		const uint32_t type = (uint32_t)frame[at - 2] << 8 | frame[at - 1];

		if (type == 0x0800 || type == 0x86dd)
			return at;
		if (type != 0x8100 && type != 0x88a8)
			break;
		at += ETHERNET_TAG_BYTES;
	}
	return 0;
}

#endif
