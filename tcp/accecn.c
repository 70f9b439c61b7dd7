/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sender's side of AccECN: how many marks an acknowledgement reports.
 */
#include "tcp/accecn.h"

/* Acknowledgements of more packets than this on average are sparse, not lost. */
#define SPARSE_PACKETS 8

static unsigned ace_of(const struct tcp_header *header)
{
	return (header->flags & TCP_AE ? 4U : 0) | (header->flags & TCP_CWR ? 2U : 0) |
	       (header->flags & TCP_ECE ? 1U : 0);
}

/* Older acknowledgements that come late tell older counts. */
static bool is_newer(struct accecn_sender *sender, const struct tcp_header *header,
		     struct accecn_news news)
{
	const int32_t later_us = (int32_t)(header->timestamp_us - sender->timestamp_us);

	if (sender->seen && (later_us < 0 || (later_us == 0 && news.bytes == 0)))
		return false;
	sender->seen = true;
	sender->timestamp_us = header->timestamp_us;
	return true;
}

/* The count that agrees with ACE and is closest to `packets`. */
static uint64_t closest(uint64_t ace, uint64_t packets)
{
	return packets > ace ? ace + (packets - ace + 4) / 8 * 8 : ace;
}

/* The highest count that agrees with ACE, of so many packets. */
static uint64_t safest(uint64_t ace, uint64_t packets)
{
	return packets > ace ? packets - ((packets - ace) & 7) : ace;
}

/* How far the acknowledgement's ACE is from a count of marks. */
static uint64_t ace_from(const struct tcp_header *header, uint64_t packets)
{
	return (ace_of(header) - packets - ACCECN_FIRST_PACKETS) & 7;
}

static void take_option(struct accecn_sender *sender, const struct tcp_header *header)
{
	const uint32_t bytes =
		(header->accecn_ce_bytes - (uint32_t)sender->known_bytes) & ACCECN_BYTES_MASK;
	const uint64_t worth = sender->size ? (bytes + sender->size / 2) / sender->size : 0;

	sender->known_packets += closest(ace_from(header, sender->known_packets), worth);
	sender->known_bytes += bytes;
	sender->guess_packets = 0;
	sender->guess_bytes = 0;
}

static void guess(struct accecn_sender *sender, const struct tcp_header *header, uint64_t packets)
{
	uint64_t marked = ace_from(header, accecn_packets(sender));

	if (sender->usual_packets <= 8 * SPARSE_PACKETS)
		marked = safest(marked, packets);
	sender->guess_packets += marked;
	sender->guess_bytes += marked * sender->size;
}

void accecn_take(struct accecn_sender *sender, const struct tcp_header *header,
		 struct accecn_news news)
{
	if (!is_newer(sender, header, news))
		return;
	if (news.packets > 0) {
		sender->size = news.bytes / news.packets;
		sender->usual_packets +=
			(uint32_t)news.packets - (sender->usual_packets + 4) / 8;
	}
	if (header->ace_bytes_valid)
		take_option(sender, header);
	else
		guess(sender, header, news.packets);
}
