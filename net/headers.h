/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet's headers as a wire would carry them: IPv4 (RFC 791), then TCP (RFC 9293) or UDP
 * (RFC 768), with right checksums.
 *
 * Payload is all zeros, as far as checksums know, and is not written.  The TCP header is as long
 * as the packet's length says; options that do not fit into it are left out, room left is NOPs.
 *
 * Addresses tell flows apart: flow f is 10.0.0.1 + f to 10.128.0.1 + f, as far as 23 bits go;
 * the bits above them move the sender's port.
 */
#ifndef NET_HEADERS_H
#define NET_HEADERS_H

#include "net/packet.h"

/* IPv4 without options, and TCP with all there can be. */
#define NET_HEADERS_MAX_BYTES 80

/* Port of every receiver: nothing dissects what comes to it. */
#define NET_SERVER_PORT 40000
#define NET_CLIENT_PORT 50000

/*
 * TCP windows are scaled by this many bits (the largest that RFC 7323 allows), rounded up so that
 * an open window never looks closed.
 */
#define NET_WINDOW_SHIFT 14

/* Writes the headers; returns their length in bytes. */
size_t net_headers_write(const struct packet *packet, uint8_t out[NET_HEADERS_MAX_BYTES]);

/*
 * Sum of 16-bit words in network order (RFC 1071), not folded; `sum` goes on from an earlier part
 * of even length.
 */
uint32_t net_sum(const uint8_t *data, size_t size, uint32_t sum);

/* The checksum of a sum. */
uint16_t net_checksum(uint32_t sum);

#endif
