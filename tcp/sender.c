/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP sender of a bulk transfer.
 *
 * The sender keeps the scoreboard, detects losses and retransmits; how much may
 * be in flight is the congestion control's business.  Rules:
 *
 * - Recovery (RFC 6675): the first loss of a window enters it and tells the
 *   control once; lost segments go out before new ones, as long as what is in
 *   flight stays under the window; it ends when everything sent before it is
 *   acknowledged.
 * - Timeout (RFC 6298): everything not selectively acknowledged is lost, the
 *   window is one segment, the timer backs off.
 * - ECN (RFC 3168): data is ECT(0), or ECT(1) where asked; retransmissions are
 *   Not-ECT.  An echo is told to the control at most once per window and
 *   answered with CWR; a control with exact echo sees every one of them.
 * - Timestamps (RFC 7323) give a round-trip sample on every acknowledgement
 *   that moves forward.
 *
 * Not here: the handshake, a closing FIN, and a closed receive window.
 */
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "tcp/endpoint.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"

#define INITIAL_WINDOW_SEGMENTS 10

struct tcp_sender {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	struct scoreboard board;
	struct tcp_rtt rtt;
	struct tcp_cc_state cc;
	void *cc_private;
	uint32_t mss_bytes;
	uint64_t delivered_bytes;
	uint64_t recovery_end; /* segment; in recovery while board.first is before it */
	uint64_t echo_end;     /* segment; echoes count as one until board.first passes it */
	bool in_recovery;
	bool answer_cwr;       /* the next new segment carries CWR */
	uint64_t timer_ns;     /* retransmission timeout; TIME_NEVER_NS: not running */
	uint64_t pace_ns;      /* not before this, when paced */
	bool failed;           /* out of memory: sends nothing any more */
};

static struct tcp_sender *sender_of(struct endpoint *endpoint)
{
	return (struct tcp_sender *)endpoint;
}

static void fill_sample(const struct tcp_sender *sender, struct tcp_cc_sample *sample,
			uint64_t now_ns)
{
	*sample = (struct tcp_cc_sample){
		.now_ns = now_ns,
		.rtt_ns = sender->rtt.latest_ns,
		.srtt_ns = sender->rtt.srtt_ns,
		.min_rtt_ns = sender->rtt.min_ns,
		.in_flight_bytes = sender->board.in_flight * sender->mss_bytes,
		.delivered_bytes = sender->delivered_bytes,
		.sent_end = sender->board.next * sender->mss_bytes,
		.acked_end = sender->board.first * sender->mss_bytes,
		.in_recovery = sender->in_recovery,
	};
}

static void restart_timer(struct tcp_sender *sender, uint64_t now_ns)
{
	const bool outstanding = sender->board.first < sender->board.next;

	sender->timer_ns =
		outstanding ? now_ns + tcp_rtt_timeout_ns(&sender->rtt) : TIME_NEVER_NS;
}

static void sample_rtt(struct tcp_sender *sender, const struct packet *packet, uint64_t now_ns)
{
	const uint32_t elapsed_us =
		(uint32_t)(now_ns / NS_PER_US) - packet->tcp.timestamp_echo_us;
	const uint64_t rtt_ns = elapsed_us * NS_PER_US;

	tcp_rtt_sample(&sender->rtt, rtt_ns ? rtt_ns : 1);
	if (sender->config.on_rtt)
		sender->config.on_rtt(sender->config.context, now_ns, rtt_ns);
}

/* Brings the scoreboard up to date; returns segments newly delivered. */
static uint64_t take_ack(struct tcp_sender *sender, const struct packet *packet, uint64_t now_ns)
{
	const uint64_t ack = packet->tcp.ack / sender->mss_bytes;
	const bool forward = ack > sender->board.first;
	uint64_t delivered = scoreboard_ack(&sender->board, ack);

	for (int i = 0; i < packet->tcp.sack_count; i++)
		delivered += scoreboard_sack(&sender->board,
					     packet->tcp.sack[i].start / sender->mss_bytes,
					     packet->tcp.sack[i].end / sender->mss_bytes);
	if (forward)
		sample_rtt(sender, packet, now_ns);
	if (delivered)
		restart_timer(sender, now_ns);
	sender->delivered_bytes += delivered * sender->mss_bytes;
	return delivered;
}

static void enter_recovery(struct tcp_sender *sender, uint64_t now_ns)
{
	struct tcp_cc_sample sample;

	fill_sample(sender, &sample, now_ns);
	sender->in_recovery = true;
	sender->recovery_end = sender->board.next;
	sender->config.cc->on_loss(&sender->cc, sender->cc_private, &sample);
}

/* RFC 3168 section 6.1.2: once per window. */
static void take_echo(struct tcp_sender *sender, const struct tcp_cc_sample *sample)
{
	if (sender->config.cc->exact_ce_echo || sender->board.first < sender->echo_end)
		return;
	sender->echo_end = sender->board.next;
	sender->answer_cwr = true;
	if (!sender->in_recovery)
		sender->config.cc->on_ecn(&sender->cc, sender->cc_private, sample);
}

static void receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);
	const bool full =
		(sender->board.in_flight + 1) * sender->mss_bytes > sender->cc.cwnd_bytes ||
		sender->board.lost > 0;
	const bool ece = (packet->tcp.flags & TCP_ECE) && sender->config.ecn != ENDPOINT_ECN_NONE;
	const uint64_t delivered = take_ack(sender, packet, now_ns);
	struct tcp_cc_sample sample;

	sender->stats.received_pkts++;
	sender->stats.received_bytes += packet->len_bytes;
	if (sender->in_recovery && sender->board.first >= sender->recovery_end)
		sender->in_recovery = false;
	if (scoreboard_detect(&sender->board) > 0 && !sender->in_recovery &&
	    sender->board.first >= sender->recovery_end)
		enter_recovery(sender, now_ns);
	fill_sample(sender, &sample, now_ns);
	sample.acked_bytes = delivered * sender->mss_bytes;
	sample.ece = ece;
	sample.marked_bytes = ece ? sample.acked_bytes : 0;
	sample.app_limited = !full;
	if (ece)
		take_echo(sender, &sample);
	sender->config.cc->on_ack(&sender->cc, sender->cc_private, &sample);
}

static void fill_packet(struct tcp_sender *sender, struct packet *packet, uint64_t segment,
			bool again, uint64_t now_ns)
{
	const enum endpoint_ecn ecn = sender->config.ecn;

	packet->flow = sender->config.flow;
	packet->protocol = NET_TCP;
	packet->len_bytes = sender->config.mtu_bytes;
	packet->sent_ns = now_ns;
	packet->to_server = true;
	packet->tcp.seq = segment * sender->mss_bytes;
	packet->tcp.payload_bytes = sender->mss_bytes;
	packet->tcp.timestamp_us = (uint32_t)(now_ns / NS_PER_US);
	packet->tcp.flags = TCP_ACK;
	if (!again && ecn != ENDPOINT_ECN_NONE)
		packet->ecn = ecn == ENDPOINT_ECN_CLASSIC ? 2 : 1;
	if (!again && sender->answer_cwr) {
		packet->tcp.flags |= TCP_CWR;
		sender->answer_cwr = false;
	}
	sender->stats.sent_pkts++;
	sender->stats.sent_bytes += packet->len_bytes;
	sender->stats.retransmits += again;
	if (sender->timer_ns == TIME_NEVER_NS)
		sender->timer_ns = now_ns + tcp_rtt_timeout_ns(&sender->rtt);
	if (sender->cc.pacing_bps)
		sender->pace_ns =
			now_ns + transmission_ns(packet->len_bytes, sender->cc.pacing_bps);
}

static bool may_send(const struct tcp_sender *sender, uint64_t now_ns)
{
	if (sender->failed || now_ns < sender->config.start_ns)
		return false;
	if (sender->cc.pacing_bps && now_ns < sender->pace_ns)
		return false;
	/* One segment may always be in flight, or a small window would never open again. */
	return sender->board.in_flight == 0 ||
	       (sender->board.in_flight + 1) * sender->mss_bytes <= sender->cc.cwnd_bytes;
}

static bool emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);
	uint64_t segment;

	if (!may_send(sender, now_ns))
		return false;
	segment = scoreboard_next_lost(&sender->board);
	if (segment != UINT64_MAX) {
		scoreboard_resend(&sender->board, segment, now_ns);
		fill_packet(sender, packet, segment, true, now_ns);
		return true;
	}
	if (now_ns >= sender->config.stop_ns)
		return false;
	segment = sender->board.next;
	if (scoreboard_send(&sender->board, now_ns)) {
		sender->failed = true;
		return false;
	}
	fill_packet(sender, packet, segment, false, now_ns);
	return true;
}

static uint64_t next_ns(const struct endpoint *endpoint)
{
	const struct tcp_sender *sender = (const struct tcp_sender *)endpoint;
	uint64_t next = sender->timer_ns;

	if (sender->board.next == 0 && sender->config.start_ns < next)
		next = sender->config.start_ns;
	if (sender->cc.pacing_bps && sender->pace_ns < next &&
	    (sender->board.in_flight + 1) * sender->mss_bytes <= sender->cc.cwnd_bytes)
		next = sender->pace_ns;
	return next;
}

static void run(struct endpoint *endpoint, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);
	struct tcp_cc_sample sample;

	if (now_ns < sender->timer_ns)
		return;
	sender->stats.timeouts++;
	sender->rtt.backoff++;
	scoreboard_lose_all(&sender->board);
	sender->in_recovery = false;
	/* Losses found before everything sent so far is acknowledged are not news. */
	sender->recovery_end = sender->board.next;
	fill_sample(sender, &sample, now_ns);
	sender->config.cc->on_rto(&sender->cc, sender->cc_private, &sample);
	restart_timer(sender, now_ns);
}

static void stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	const struct tcp_sender *sender = (const struct tcp_sender *)endpoint;

	*out = sender->stats;
	out->cwnd_bytes = sender->cc.cwnd_bytes;
	out->srtt_ns = sender->rtt.srtt_ns;
}

static void destroy(struct endpoint *endpoint)
{
	scoreboard_free(&sender_of(endpoint)->board);
	free(sender_of(endpoint)->cc_private);
	free(endpoint);
}

static const struct endpoint_ops sender_ops = {
	.name = "tcp-sender",
	.receive = receive,
	.emit = emit,
	.next_ns = next_ns,
	.run = run,
	.stats = stats,
	.destroy = destroy,
};

struct endpoint *tcp_sender_new(const struct endpoint_config *config)
{
	struct tcp_sender *sender = calloc(1, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	sender->endpoint.ops = &sender_ops;
	sender->config = *config;
	sender->mss_bytes = config->mtu_bytes - TCP_HEADER_BYTES;
	sender->timer_ns = TIME_NEVER_NS;
	sender->cc.mss_bytes = sender->mss_bytes;
	sender->cc.options = config->options;
	sender->cc.cwnd_bytes = INITIAL_WINDOW_SEGMENTS * (uint64_t)sender->mss_bytes;
	sender->cc.ssthresh_bytes = UINT64_MAX;
	sender->cc_private = calloc(1, config->cc->private_size + 1);
	if (sender->cc_private == NULL || scoreboard_init(&sender->board)) {
		destroy(&sender->endpoint);
		return NULL;
	}
	config->cc->init(&sender->cc, sender->cc_private);
	return &sender->endpoint;
}
