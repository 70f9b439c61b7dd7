/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files: pcapng (draft-ietf-opsawg-pcapng), one section of raw IP packets with times in
 * nanoseconds.  Always little-endian, so that the same packets give the same bytes anywhere.
 *
 * Failed writes show in ferror(stream).
 */
#ifndef NET_PCAPNG_H
#define NET_PCAPNG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* No packet may be captured in greater length. */
#define PCAPNG_SNAP_BYTES 128

/* Longest text of any option. */
#define PCAPNG_TEXT_MAX 512

struct pcapng_packet {
	uint32_t interface;      /* in the order of pcapng_interface() calls, from 0 */
	uint64_t time_ns;        /* since 1970 */
	const uint8_t *data;     /* from the IP header on */
	uint32_t captured_bytes; /* of data, at most PCAPNG_SNAP_BYTES */
	uint32_t original_bytes; /* length of the packet */
	const char *comment;     /* NULL: none */
};

/* Section Header Block; both texts are UTF-8, longer ones are cut. */
void pcapng_begin(FILE *stream, const char *application, const char *comment);

/* Interface Description Block; `speed_bps` 0: not told. */
void pcapng_interface(FILE *stream, const char *name, const char *description,
		      uint64_t speed_bps);

/* Enhanced Packet Block. */
void pcapng_packet(FILE *stream, const struct pcapng_packet *packet);

#endif
