/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super-packets into the packets that they stand for.
 *
 * Hosts hand TCP segments and datagrams about as one long packet that the network interface would
 * cut (segmentation offload).  A router that queues and marks packets cuts them itself: headers as
 * the interface would make them, with whole checksums.
 */
#ifndef NET_SEGMENT_H
#define NET_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include "net/ip.h"

struct segmenter {
	const uint8_t *frame; /* the super-packet, with its link header; the caller's */
	struct ip_summary ip;
	uint32_t ip_offset;
	uint32_t header;      /* bytes in front of the payload, from the frame's begin on */
	uint32_t end;         /* of the packet in the frame */
	uint32_t next;        /* payload that was not given yet begins here */
	uint32_t payload;     /* of one packet */
	uint32_t index;       /* of the next packet */
};

/*
 * Begins to cut `size` bytes whose IP header is at `ip_offset` into packets of `payload` bytes of
 * TCP or UDP payload.  ERR_INVALID: no whole TCP or UDP header, a fragment, or `payload` 0.
 */
int segment_begin(struct segmenter *segmenter, const uint8_t *frame, uint32_t size,
		  uint32_t ip_offset, uint32_t payload);

/* Writes the next packet; returns its size, 0 when there is none or it is above `room`. */
size_t segment_next(struct segmenter *segmenter, uint8_t *out, size_t room);

/*
 * Completes a checksum that was left to the interface: the 16 bits at `start` + `offset` hold the
 * sum of the pseudo header, and what is summed is all from `start` to `size`.  ERR_INVALID: that is
 * not within the frame.
 */
int segment_complete_checksum(uint8_t *frame, uint32_t size, uint32_t start, uint32_t offset);

#endif
