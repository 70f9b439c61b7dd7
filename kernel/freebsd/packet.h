/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the modules know of a packet: its ECN field, and the note that it carries while it waits.
 */
#ifndef KERNEL_FREEBSD_PACKET_H
#define KERNEL_FREEBSD_PACKET_H

#include "kernel/freebsd/host.h"
#include "kernel/freebsd/packet_log.h"
#include "kernel/dual_host.h"
#include "kernel/single_host.h"

/* In a tag of the kind that dummynet knows for time stamps; it is gone when the packet leaves. */
struct packet_note {
	union {
		struct dual_host_packet packet; /* in a scheduler's pair of queues */
		struct single_host_packet single; /* in a queue of dn_aqm */
	};
	struct packet_log_entry *entry; /* its line, or NULL */
};

/*
 * The two ECN bits of an IPv4 or IPv6 header that lies in one piece in the first mbuf; anything
 * else, fragments of a header and other protocols' frames, cannot be marked: AQM_NOT_ECT.  (ipfw
 * has IP headers in one piece before it looks for a rule.)  Behind an Ethernet header its type
 * decides what follows.
 */
uint8_t packet_ecn(struct mbuf *m);

/*
 * A note, all zeros, for a packet that does not have it yet; NULL: no memory.  packet_note_attach()
 * or packet_note_free() is due.
 */
struct packet_note *packet_note_new(void);
void packet_note_free(struct packet_note *note);

/*
 * Puts the note in front of the packet's tags: after this dn_tag_get(), and so packet_ecn() and
 * ecn_mark(), would take it away.
 */
void packet_note_attach(struct mbuf *m, struct packet_note *note);

/* The note, or NULL. */
struct packet_note *packet_note_find(struct mbuf *m);

/* Takes the note away. */
void packet_note_remove(struct mbuf *m);

/* Length as dummynet counts it, at least 1. */
uint32_t packet_length(const struct mbuf *m);

#endif
