/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP Prague: a stream, or frames, of datagrams with congestion control.
 *
 * The receiver answers every datagram with counts since the start: datagrams that
 * came, those of them with CE, those missing (numbers skipped; one that comes late
 * is missing no more).  Nothing is sent twice.  Data is ECT(1) until the receiver
 * says that the path broke the mark; feedback goes as data does.  When the window
 * is full and a second passes without a word, the control starts again.
 */
#include <stdlib.h>

#include "base/units.h"
#include "tcp/endpoint.h"
#include "tcp/udp_prague_control.h"

/* IPv4, UDP, and the message of counts. */
#define FEEDBACK_BYTES (UDP_HEADER_BYTES + 26)
#define SILENCE_NS NS_PER_S
/* Ends of frames that may be in flight: a power of two. */
#define FRAMES 256

struct udp_prague_sender {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	struct udp_prague_control control;
	uint64_t sent;          /* packets; the newest one's number */
	uint64_t heard;         /* highest number known to have come or gone */
	uint64_t pace_ns;       /* of the next burst */
	uint32_t burst_left;
	uint64_t silent_ns;     /* when silence has been too long */
	bool ecn_broken;
	/* of frames */
	uint64_t frame_ns;      /* when the next one begins */
	uint64_t frame_left;    /* bytes of this one */
	uint64_t frame_end[FRAMES]; /* number of a frame's last packet */
	uint64_t first_frame, next_frame; /* in flight, the one being sent not yet */
};

static bool has_frames(const struct udp_prague_sender *sender)
{
	return sender->control.frame_interval_ns > 0;
}

static bool is_full(const struct udp_prague_sender *sender)
{
	const uint64_t frames = sender->next_frame - sender->first_frame;

	if (!has_frames(sender))
		return sender->sent - sender->heard >= sender->control.window_packets;
	return sender->frame_left == 0 &&
	       (frames >= FRAMES ||
		frames >= udp_prague_control_frame_window(&sender->control));
}

static void hear(struct udp_prague_sender *sender, uint64_t number)
{
	if (number > sender->heard)
		sender->heard = number;
	while (sender->first_frame < sender->next_frame &&
	       sender->frame_end[sender->first_frame % FRAMES] <= sender->heard)
		sender->first_frame++;
}

static void sender_receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct udp_prague_sender *sender = (struct udp_prague_sender *)endpoint;
	const struct prague_header *header = &packet->prague;
	const struct udp_prague_counts counts = {header->received, header->ce, header->lost};
	const uint64_t rtt_ns = now_ns - header->timestamp_ns;

	sender->stats.received_pkts++;
	sender->stats.received_bytes += packet->len_bytes;
	if (header->ecn_broken)
		sender->ecn_broken = true;
	if (counts.received < sender->control.counts.received)
		return; /* overtaken */
	udp_prague_control_rtt(&sender->control, rtt_ns);
	udp_prague_control_feedback(&sender->control, &counts, sender->sent, now_ns);
	hear(sender, counts.received + counts.lost);
	sender->silent_ns = now_ns + SILENCE_NS;
	if (sender->config.on_rtt)
		sender->config.on_rtt(sender->config.context, now_ns, rtt_ns);
}

/* Bytes of the packet that may go now; 0: none. */
static uint32_t next_bytes(struct udp_prague_sender *sender, uint64_t now_ns)
{
	uint32_t bytes = sender->control.packet_bytes;

	if (now_ns < sender->config.start_ns || now_ns >= sender->config.stop_ns ||
	    is_full(sender) || (sender->burst_left == 0 && now_ns < sender->pace_ns))
		return 0;
	if (!has_frames(sender))
		return bytes;
	if (sender->frame_left == 0) {
		if (now_ns < sender->frame_ns)
			return 0;
		/* The camera does not wait: what could not be sent in time is skipped. */
		while (sender->frame_ns <= now_ns)
			sender->frame_ns += sender->control.frame_interval_ns;
		sender->frame_left = udp_prague_control_frame_bytes(&sender->control);
	}
	if (bytes > sender->frame_left)
		bytes = (uint32_t)sender->frame_left;
	return bytes > UDP_HEADER_BYTES ? bytes : UDP_HEADER_BYTES + 1;
}

static void end_packet(struct udp_prague_sender *sender, uint32_t bytes)
{
	if (!has_frames(sender))
		return;
	sender->frame_left -= bytes < sender->frame_left ? bytes : sender->frame_left;
	if (sender->frame_left == 0)
		sender->frame_end[sender->next_frame++ % FRAMES] = sender->sent;
}

static bool sender_emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct udp_prague_sender *sender = (struct udp_prague_sender *)endpoint;
	const uint32_t bytes = next_bytes(sender, now_ns);

	if (bytes == 0)
		return false;
	if (sender->burst_left == 0 || now_ns >= sender->pace_ns) {
		sender->burst_left = sender->control.burst_packets;
		sender->pace_ns = now_ns;
	}
	sender->burst_left--;
	sender->pace_ns += transmission_ns(
		bytes, udp_prague_control_pace_bps(&sender->control, now_ns));
	packet->flow = sender->config.flow;
	packet->protocol = NET_UDP;
	packet->len_bytes = bytes;
	packet->to_server = true;
	packet->ecn = sender->config.ecn != ENDPOINT_ECN_NONE && !sender->ecn_broken;
	packet->prague.seq = ++sender->sent;
	packet->prague.timestamp_ns = now_ns;
	sender->stats.sent_pkts++;
	sender->stats.sent_bytes += bytes;
	if (sender->silent_ns == TIME_NEVER_NS)
		sender->silent_ns = now_ns + SILENCE_NS;
	end_packet(sender, bytes);
	return true;
}

static uint64_t sender_next_ns(const struct endpoint *endpoint)
{
	const struct udp_prague_sender *sender = (const struct udp_prague_sender *)endpoint;
	uint64_t next = sender->pace_ns;

	if (is_full(sender))
		return sender->silent_ns;
	if (has_frames(sender) && sender->frame_left == 0 && sender->frame_ns > next)
		next = sender->frame_ns;
	if (next < sender->config.start_ns)
		next = sender->config.start_ns;
	return next < sender->config.stop_ns ? next : TIME_NEVER_NS;
}

static void sender_run(struct endpoint *endpoint, uint64_t now_ns)
{
	struct udp_prague_sender *sender = (struct udp_prague_sender *)endpoint;

	if (!is_full(sender) || now_ns < sender->silent_ns)
		return;
	sender->stats.timeouts++;
	udp_prague_control_timeout(&sender->control, now_ns);
	hear(sender, sender->sent);
	sender->pace_ns = now_ns;
	sender->burst_left = 0;
	sender->silent_ns = now_ns < sender->config.stop_ns ? now_ns + SILENCE_NS : TIME_NEVER_NS;
}

static void sender_stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	const struct udp_prague_sender *sender = (const struct udp_prague_sender *)endpoint;

	*out = sender->stats;
	out->cwnd_bytes = (uint64_t)sender->control.window_bytes;
	out->srtt_ns = sender->control.srtt_ns;
}

static void destroy(struct endpoint *endpoint)
{
	free(endpoint);
}

static const struct endpoint_ops sender_ops = {
	.name = "udp-prague-sender",
	.receive = sender_receive,
	.emit = sender_emit,
	.next_ns = sender_next_ns,
	.run = sender_run,
	.stats = sender_stats,
	.destroy = destroy,
};

struct endpoint *udp_prague_sender_new(const struct endpoint_config *config)
{
	struct udp_prague_sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->endpoint.ops = &sender_ops;
	sender->config = *config;
	udp_prague_control_init(&sender->control, config->mtu_bytes,
				config->options.frame_interval_ns,
				config->options.frame_budget_ns, config->start_ns);
	sender->pace_ns = sender->frame_ns = config->start_ns;
	sender->silent_ns = TIME_NEVER_NS;
	return &sender->endpoint;
}

struct udp_prague_receiver {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	struct prague_header feedback;
	bool ready;
};

static void receiver_receive(struct endpoint *endpoint, const struct packet *packet,
			     uint64_t now_ns)
{
	struct udp_prague_receiver *receiver = (struct udp_prague_receiver *)endpoint;
	struct prague_header *feedback = &receiver->feedback;
	const uint64_t known = feedback->received + feedback->lost;

	receiver->stats.received_pkts++;
	receiver->stats.received_bytes += packet->len_bytes;
	receiver->stats.delivered_bytes += packet->len_bytes - UDP_HEADER_BYTES;
	receiver->stats.ce_received += packet->ecn == 3;
	feedback->received++;
	feedback->ce += packet->ecn == 3;
	if (packet->prague.seq > known)
		feedback->lost += packet->prague.seq - known - 1;
	else if (feedback->lost > 0)
		feedback->lost--;
	if (receiver->config.ecn != ENDPOINT_ECN_NONE && packet->ecn != 1 && packet->ecn != 3)
		feedback->ecn_broken = true;
	feedback->seq = packet->prague.seq;
	feedback->timestamp_ns = packet->prague.timestamp_ns;
	receiver->ready = true;
	if (receiver->config.on_datagram) {
		const struct datagram datagram = {packet->prague.seq,
						  now_ns - packet->prague.timestamp_ns,
						  packet->len_bytes};

		receiver->config.on_datagram(receiver->config.context, now_ns, &datagram);
	}
}

static bool receiver_emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct udp_prague_receiver *receiver = (struct udp_prague_receiver *)endpoint;

	(void)now_ns;
	if (!receiver->ready)
		return false;
	receiver->ready = false;
	packet->flow = receiver->config.flow;
	packet->protocol = NET_UDP;
	packet->len_bytes = FEEDBACK_BYTES;
	packet->to_server = false;
	packet->ecn = receiver->config.ecn != ENDPOINT_ECN_NONE;
	packet->prague = receiver->feedback;
	receiver->stats.sent_pkts++;
	receiver->stats.sent_bytes += packet->len_bytes;
	return true;
}

static uint64_t receiver_next_ns(const struct endpoint *endpoint)
{
	(void)endpoint;
	return TIME_NEVER_NS;
}

static void receiver_run(struct endpoint *endpoint, uint64_t now_ns)
{
	(void)endpoint;
	(void)now_ns;
}

static void receiver_stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	*out = ((const struct udp_prague_receiver *)endpoint)->stats;
}

static const struct endpoint_ops receiver_ops = {
	.name = "udp-prague-receiver",
	.receive = receiver_receive,
	.emit = receiver_emit,
	.next_ns = receiver_next_ns,
	.run = receiver_run,
	.stats = receiver_stats,
	.destroy = destroy,
};

struct endpoint *udp_prague_receiver_new(const struct endpoint_config *config)
{
	struct udp_prague_receiver *receiver = calloc(1, sizeof(*receiver));

	if (receiver == NULL)
		return NULL;
	receiver->endpoint.ops = &receiver_ops;
	receiver->config = *config;
	return &receiver->endpoint;
}
