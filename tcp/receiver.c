/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP receiver: in-order delivery, delayed and selective acknowledgements, ECN
 * echo.
 *
 * An acknowledgement leaves for every second segment or 40 ms after the first
 * (RFC 5681 section 4.2; Linux's delay), at once when data is out of order or
 * fills a hole.  SACK blocks: a duplicate (RFC 2883), the one that changed last
 * (RFC 2018), then those before it, three in all.  Timestamps are echoed as RFC
 * 7323 section 4.3 asks: of the first segment that the acknowledgement covers.
 *
 * ECN echo is that of RFC 3168 (ECE until CWR), or counters (AccECN, accecn.h), or,
 * for controls that want CE packet by packet and do not have those, that of RFC
 * 8257 section 3.2: when CE changes, what was delayed is acknowledged first with
 * the old state.
 *
 * The window is what is left of a buffer that the application empties, at once
 * or with read().  Its edge moves on by half the buffer or a full segment at
 * least (RFC 9293 section 3.8.6.2.2), never back; segments that reach beyond it
 * are not taken.  Reading tells the sender of a window that has doubled.
 */
#include <stddef.h>
#include <string.h>

#include "base/units.h"
#include "tcp/accecn.h"
#include "tcp/endpoint.h"
#include "tcp/ranges.h"

#define DELAY_NS (40 * NS_PER_MS)
#define DELAY_SEGMENTS 2 /* unless told otherwise */
#define RECENT_BLOCKS (TCP_MAX_SACK_BLOCKS)

/* What a packet that is in order needs comes first. */
struct tcp_receiver {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	struct ranges ranges;
	uint64_t expected;                      /* next in-order byte */
	uint64_t taken;                         /* byte: the application has read up to here */
	uint64_t window_end;                    /* byte: the sender may send up to here */
	uint64_t buffer_bytes;
	struct range twice;                     /* came again since the last acknowledgement */
	uint64_t due_ns;                        /* of the delayed acknowledgement */
	unsigned unacknowledged;                /* segments since the last acknowledgement */
	uint32_t echo_us;                       /* timestamp to echo */
	bool echo_valid;
	bool ce;                                /* exact echo: state of the last packet */
	bool ece;                               /* RFC 3168: echo until CWR */
	bool ready;                             /* an acknowledgement is to leave now */
	bool staged_ready;                      /* and before it this one */
	struct accecn_receiver accecn;
	struct range recent[RECENT_BLOCKS];     /* newest first; empty ones are over */
	struct tcp_header staged;
};

_Static_assert(offsetof(struct tcp_receiver, recent) <= TCP_RECEIVER_NEAR_BYTES, "as promised");

static struct tcp_receiver *receiver_of(struct endpoint *endpoint)
{
	return (struct tcp_receiver *)endpoint;
}

static bool counts(const struct tcp_receiver *receiver)
{
	return receiver->config.ecn == ENDPOINT_ECN_ACCECN;
}

static bool echoes_exactly(const struct tcp_receiver *receiver)
{
	return receiver->config.cc && receiver->config.cc->exact_ce_echo;
}

static unsigned segments_per_ack(const struct tcp_receiver *receiver)
{
	const unsigned asked = receiver->config.options.ack_every;

	return asked ? asked : DELAY_SEGMENTS;
}

/* A duplicate first (RFC 2883), then what changed last. */
static void fill_sack(const struct tcp_receiver *receiver, struct tcp_header *header)
{
	const struct range *twice = &receiver->twice;

	header->sack_count = 0;
	if (twice->end > twice->start)
		header->sack[header->sack_count++] =
			(struct tcp_sack_block){(uint32_t)twice->start, (uint32_t)twice->end};
	/* Blocks are of what waits for something before it. */
	if (receiver->ranges.count == 0)
		return;
	for (int i = 0; i < RECENT_BLOCKS && header->sack_count < TCP_MAX_SACK_BLOCKS; i++) {
		const struct range *block = &receiver->recent[i];

		if (block->end > receiver->expected && block->end > block->start)
			header->sack[header->sack_count++] =
				(struct tcp_sack_block){(uint32_t)block->start,
							(uint32_t)block->end};
	}
}

/* How far the window's edge may move on. */
static uint64_t window_gain(const struct tcp_receiver *receiver)
{
	const uint64_t mss_bytes = receiver->config.mtu_bytes - TCP_HEADER_BYTES;
	const uint64_t half = receiver->buffer_bytes / 2;
	const uint64_t gain = receiver->taken + receiver->buffer_bytes - receiver->window_end;

	return gain >= (half < mss_bytes ? half : mss_bytes) ? gain : 0;
}

static void fill_ecn(struct tcp_receiver *receiver, struct tcp_header *header)
{
	if (counts(receiver)) {
		/* Two blocks of SACK go before the option, and then leave no room for it. */
		accecn_fill(&receiver->accecn, header, header->sack_count < 2);
		return;
	}
	if (echoes_exactly(receiver) ? receiver->ce : receiver->ece)
		header->flags |= TCP_ECE;
}

static void fill_header(struct tcp_receiver *receiver, struct tcp_header *header)
{
	memset(header, 0, sizeof(*header));
	header->ack = receiver->expected;
	header->flags = TCP_ACK;
	header->timestamp_echo_us = receiver->echo_us;
	receiver->window_end += window_gain(receiver);
	header->window_bytes = (uint32_t)(receiver->window_end - receiver->expected);
	fill_sack(receiver, header);
	fill_ecn(receiver, header);
}

/* The acknowledgement of what came so far is made. */
static void settle(struct tcp_receiver *receiver)
{
	receiver->unacknowledged = 0;
	receiver->due_ns = TIME_NEVER_NS;
	receiver->echo_valid = false;
	receiver->ready = false;
	receiver->twice = (struct range){0, 0};
}

/* RFC 8257 section 3.2: on a change of CE, acknowledge what was delayed with the old state. */
static void note_change(struct tcp_receiver *receiver, bool ce)
{
	if (ce == receiver->ce)
		return;
	if (receiver->unacknowledged > 0) {
		fill_header(receiver, &receiver->staged);
		receiver->staged_ready = true;
		settle(receiver);
	}
	receiver->ce = ce;
	receiver->ready = true;
}

static void note_ecn(struct tcp_receiver *receiver, const struct packet *packet)
{
	const bool ce = packet->ecn == 3;

	receiver->stats.ce_received += ce;
	if (counts(receiver)) {
		receiver->ready |= accecn_receive(&receiver->accecn, packet);
		return;
	}
	if (packet->tcp.flags & TCP_CWR)
		receiver->ece = false;
	if (ce)
		receiver->ece = true;
	if (echoes_exactly(receiver))
		note_change(receiver, ce);
}

/* Puts `block` first among the recent ones; what it swallowed goes. */
static void note_block(struct tcp_receiver *receiver, struct range block)
{
	struct range kept[RECENT_BLOCKS];
	int count = 0;

	kept[count++] = block;
	for (int i = 0; i < RECENT_BLOCKS && count < RECENT_BLOCKS; i++) {
		const struct range *old = &receiver->recent[i];

		if (old->end > old->start && (old->start < block.start || old->end > block.end))
			kept[count++] = *old;
	}
	memset(receiver->recent, 0, sizeof(receiver->recent));
	memcpy(receiver->recent, kept, (size_t)count * sizeof(kept[0]));
}

static void take_data(struct tcp_receiver *receiver, uint64_t start, uint64_t end)
{
	if (end > receiver->window_end) {
		receiver->ready = true;
		return;
	}
	if (end <= receiver->expected || ranges_contain(&receiver->ranges, start, end))
		receiver->twice = (struct range){start, end};
	if (start > receiver->expected) {
		note_block(receiver, ranges_add(&receiver->ranges, start, end));
		receiver->ready = true;
		return;
	}
	if (end > receiver->expected)
		receiver->expected = end;
	else
		receiver->ready = true; /* seen before */
	if (receiver->ranges.count > 0) {
		receiver->expected = ranges_consume(&receiver->ranges, receiver->expected);
		receiver->ready = true;
	}
}

static void hand_over(struct tcp_receiver *receiver, uint64_t now_ns)
{
	if (receiver->stats.delivered_bytes == receiver->expected)
		return;
	receiver->stats.delivered_bytes = receiver->expected;
	if (!receiver->config.to_application)
		receiver->taken = receiver->expected;
	if (receiver->config.on_delivered)
		receiver->config.on_delivered(receiver->config.context, now_ns,
					      receiver->expected);
}

static void receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct tcp_receiver *receiver = receiver_of(endpoint);
	const uint64_t start = packet->tcp.seq;

	receiver->stats.received_pkts++;
	receiver->stats.received_bytes += packet->len_bytes;
	if (packet->tcp.payload_bytes == 0) {
		/* A probe of the window: unacceptable, so answered (RFC 9293 section 3.10.7.4). */
		receiver->ready = true;
		return;
	}
	note_ecn(receiver, packet);
	if (!receiver->echo_valid && start <= receiver->expected) {
		receiver->echo_us = packet->tcp.timestamp_us;
		receiver->echo_valid = true;
	}
	take_data(receiver, start, start + packet->tcp.payload_bytes);
	hand_over(receiver, now_ns);
	if (++receiver->unacknowledged >= segments_per_ack(receiver))
		receiver->ready = true;
	else if (!receiver->ready && receiver->due_ns == TIME_NEVER_NS)
		receiver->due_ns = now_ns + DELAY_NS;
}

static void read_some(struct endpoint *endpoint, uint64_t bytes, uint64_t now_ns)
{
	struct tcp_receiver *receiver = receiver_of(endpoint);
	const uint64_t window = receiver->window_end - receiver->expected;
	const uint64_t unread = receiver->expected - receiver->taken;
	uint64_t gain;

	(void)now_ns;
	receiver->taken += bytes < unread ? bytes : unread;
	gain = window_gain(receiver);
	if (gain > 0 && gain >= window)
		receiver->ready = true;
}

static uint32_t option_bytes(const struct tcp_header *header)
{
	return (header->sack_count ? 4 + 8 * (uint32_t)header->sack_count : 0) +
	       (header->ace_bytes_valid ? 12 : 0);
}

static bool emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct tcp_receiver *receiver = receiver_of(endpoint);

	if (receiver->staged_ready) {
		packet->tcp = receiver->staged;
		receiver->staged_ready = false;
	} else if (receiver->ready) {
		fill_header(receiver, &packet->tcp);
		settle(receiver);
	} else {
		return false;
	}
	packet->tcp.timestamp_us = (uint32_t)(now_ns / NS_PER_US);
	packet->flow = receiver->config.flow;
	packet->protocol = NET_TCP;
	packet->len_bytes = TCP_HEADER_BYTES + option_bytes(&packet->tcp);
	packet->to_server = false;
	receiver->stats.sent_pkts++;
	receiver->stats.sent_bytes += packet->len_bytes;
	return true;
}

static uint64_t next_ns(const struct endpoint *endpoint)
{
	return ((const struct tcp_receiver *)endpoint)->due_ns;
}

static void run(struct endpoint *endpoint, uint64_t now_ns)
{
	struct tcp_receiver *receiver = receiver_of(endpoint);

	if (receiver->due_ns <= now_ns) {
		receiver->due_ns = TIME_NEVER_NS;
		receiver->ready = true;
	}
}

static void stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	*out = ((const struct tcp_receiver *)endpoint)->stats;
}

static void destroy(struct endpoint *endpoint)
{
	struct tcp_receiver *receiver = receiver_of(endpoint);

	ranges_free(&receiver->ranges);
	store_give(receiver->config.store, receiver, sizeof(*receiver));
}

static const struct endpoint_ops receiver_ops = {
	.name = "tcp-receiver",
	.receive = receive,
	.emit = emit,
	.next_ns = next_ns,
	.run = run,
	.read = read_some,
	.stats = stats,
	.destroy = destroy,
};

struct endpoint *tcp_receiver_new(const struct endpoint_config *config)
{
	struct tcp_receiver *receiver = store_take(config->store, sizeof(*receiver));

	if (receiver == NULL)
		return NULL;
	receiver->endpoint.ops = &receiver_ops;
	receiver->config = *config;
	receiver->due_ns = TIME_NEVER_NS;
	receiver->buffer_bytes = tcp_receive_window_bytes(&config->options);
	receiver->window_end = receiver->buffer_bytes;
	ranges_init(&receiver->ranges, config->store);
	return &receiver->endpoint;
}
