/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * More accurate ECN feedback (RFC 9768): both ends' counters.
 *
 * The receiver counts packets that came with CE, and tells the count modulo 8 in
 * the ACE field of every acknowledgement; an option holds the bytes of payload
 * that came with each codepoint, modulo 2^24.  The sender takes only what is
 * newer than what it has seen, and so stays right whatever acknowledgements get
 * lost, as long as it resolves how often ACE wrapped (appendix A.2):
 *
 * - With the option, bytes tell: the count that agrees with ACE and comes closest
 *   to what the bytes are worth in packets of the size just acknowledged.
 * - Without it, the safest likely case: as many as ACE and the packets that were
 *   newly acknowledged allow, unless acknowledgements are usually that sparse.
 *
 * Bytes are exact when an option comes; what was guessed in between is made up
 * for then.
 */
#ifndef TCP_ACCECN_H
#define TCP_ACCECN_H

#include "net/packet.h"

/* Where counters start, but for that of CE bytes. */
#define ACCECN_FIRST_PACKETS 5
#define ACCECN_FIRST_BYTES 1
#define ACCECN_BYTES_MASK ((UINT32_C(1) << 24) - 1)
/* An acknowledgement leaves when as many marks wait for one (section 3.2.2.5.1). */
#define ACCECN_MARKS_PER_ACK 2

struct accecn_receiver {
	uint64_t ce_packets;
	uint64_t ce_bytes, ect0_bytes, ect1_bytes; /* payload */
	unsigned untold;                           /* CE packets since the last acknowledgement */
	bool last_ce;
};

/* Takes a data packet; true: an acknowledgement is to leave at once. */
static inline bool accecn_receive(struct accecn_receiver *receiver, const struct packet *packet)
{
	const uint32_t bytes = packet->tcp.payload_bytes;
	const bool ce = packet->ecn == 3, began = ce && !receiver->last_ce;

	receiver->last_ce = ce;
	receiver->ce_packets += ce;
	receiver->untold += ce;
	receiver->ce_bytes += ce ? bytes : 0;
	receiver->ect0_bytes += packet->ecn == 2 ? bytes : 0;
	receiver->ect1_bytes += packet->ecn == 1 ? bytes : 0;
	return began || receiver->untold >= ACCECN_MARKS_PER_ACK;
}

/* The three flags that hold a count of packets. */
static inline uint16_t accecn_flags(uint64_t packets)
{
	const unsigned ace = (packets + ACCECN_FIRST_PACKETS) & 7;

	return (uint16_t)((ace & 4 ? TCP_AE : 0) | (ace & 2 ? TCP_CWR : 0) |
			  (ace & 1 ? TCP_ECE : 0));
}

/* Fills in an acknowledgement; `option`: there is room for it. */
static inline void accecn_fill(struct accecn_receiver *receiver, struct tcp_header *header,
			       bool option)
{
	header->flags |= accecn_flags(receiver->ce_packets);
	receiver->untold = 0;
	if (!option)
		return;
	header->ace_bytes_valid = 1;
	header->accecn_ce_bytes = (uint32_t)receiver->ce_bytes & ACCECN_BYTES_MASK;
	header->accecn_ect0_bytes =
		(uint32_t)(receiver->ect0_bytes + ACCECN_FIRST_BYTES) & ACCECN_BYTES_MASK;
	header->accecn_ect1_bytes =
		(uint32_t)(receiver->ect1_bytes + ACCECN_FIRST_BYTES) & ACCECN_BYTES_MASK;
}

struct accecn_sender {
	uint64_t known_packets, known_bytes; /* marked, as of the last option */
	uint64_t guess_packets, guess_bytes; /* marked since, by ACE alone */
	uint64_t told_bytes;                 /* that the control has heard of */
	uint64_t size;                       /* of the packets acknowledged last, on average */
	uint32_t timestamp_us;               /* of the newest acknowledgement taken */
	uint32_t usual_packets;              /* moving average per acknowledgement, in eighths */
	bool seen;                           /* there was one */
};

/* What an acknowledgement newly acknowledges. */
struct accecn_news {
	uint64_t packets, bytes;
};

/* Takes an acknowledgement. */
void accecn_take(struct accecn_sender *sender, const struct tcp_header *header,
		 struct accecn_news news);

/* Packets that were marked, as far as the sender knows. */
static inline uint64_t accecn_packets(const struct accecn_sender *sender)
{
	return sender->known_packets + sender->guess_packets;
}

/* Bytes to tell the control as marked, of `delivered` that an acknowledgement delivers. */
static inline uint64_t accecn_tell(struct accecn_sender *sender, uint64_t delivered)
{
	const uint64_t marked = sender->known_bytes + sender->guess_bytes;
	uint64_t news = marked > sender->told_bytes ? marked - sender->told_bytes : 0;

	if (news > delivered)
		news = delivered;
	sender->told_bytes += news;
	return news;
}

#endif
