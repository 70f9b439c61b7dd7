/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP sender: of a bulk transfer, or of what an application writes.
 *
 * The sender keeps the scoreboard, detects losses and retransmits (recovery.c);
 * how much may be in flight is the congestion control's business.  Rules:
 *
 * - ECN (RFC 3168): data is ECT(0), or ECT(1) where asked; retransmissions are
 *   Not-ECT.  An echo is told to the control at most once per window and
 *   answered with CWR; a control with exact echo sees every one of them.  AccECN
 *   (accecn.h) tells how much was marked, to any control.
 * - Timestamps (RFC 7323) give a round-trip sample on every acknowledgement
 *   that moves forward.
 *
 * Not here: the handshake and a closing FIN.
 */
#include "tcp/sender.h"

#include <stddef.h>

#include "base/units.h"

#define INITIAL_WINDOW_SEGMENTS 10

_Static_assert(offsetof(struct tcp_sender, board.on_lost) <= TCP_SENDER_NEAR_BYTES, "as promised");

static struct tcp_sender *sender_of(struct endpoint *endpoint)
{
	return (struct tcp_sender *)endpoint;
}

void tcp_sender_sample(const struct tcp_sender *sender, struct tcp_cc_sample *sample,
		       uint64_t now_ns)
{
	*sample = (struct tcp_cc_sample){
		.now_ns = now_ns,
		.rtt_ns = sender->rtt.latest_ns,
		.srtt_ns = sender->rtt.srtt_ns,
		.min_rtt_ns = sender->rtt.min_ns,
		.in_flight_bytes = sender->board.in_flight_bytes,
		.delivered_bytes = sender->delivered_bytes,
		.sent_end = sender->board.next_byte,
		.acked_end = sender->board.first_byte,
		.in_recovery = sender->recovery == RECOVERY_FAST,
		.lost_total_bytes = sender->board.rate.lost_bytes,
	};
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

/* The first block tells of a duplicate (RFC 2883): it was acknowledged already, or is in the next.
 */
static bool reports_duplicate(const struct tcp_header *header)
{
	const struct tcp_sack_block *blocks = header->sack;
	uint64_t start, end;

	if (header->sack_count == 0)
		return false;
	start = tcp_sack_byte(header, blocks[0].start);
	end = tcp_sack_byte(header, blocks[0].end);
	return end <= header->ack ||
	       (header->sack_count > 1 && tcp_sack_byte(header, blocks[1].start) <= start &&
		end <= tcp_sack_byte(header, blocks[1].end));
}

/* Brings the scoreboard up to date. */
static struct tcp_ack take_ack(struct tcp_sender *sender, const struct packet *packet)
{
	const struct tcp_header *header = &packet->tcp;
	struct scoreboard *board = &sender->board;
	struct tcp_ack ack = {
		.echo_us = header->timestamp_echo_us,
		.forward = header->ack > board->first_byte,
		.duplicate = reports_duplicate(header),
		.sacks = header->sack_count > 0,
	};

	scoreboard_begin(board, (struct scoreboard_event){sender->now_ns, sender->rtt.min_ns,
							  header->timestamp_echo_us});
	ack.delivered_segments = board->delivered;
	ack.delivered_bytes = scoreboard_ack(board, header->ack);
	for (int i = ack.duplicate; i < header->sack_count; i++)
		ack.delivered_bytes +=
			scoreboard_sack(board, tcp_sack_byte(header, header->sack[i].start),
					tcp_sack_byte(header, header->sack[i].end));
	ack.delivered_segments = board->delivered - ack.delivered_segments;
	if (ack.forward)
		sample_rtt(sender, packet, sender->now_ns);
	sender->delivered_bytes += ack.delivered_bytes;
	tcp_output_window(sender, header->ack, header->window_bytes);
	return ack;
}

/* RFC 3168 section 6.1.2: once per window. */
static void take_echo(struct tcp_sender *sender, const struct tcp_cc_sample *sample)
{
	/* All that was sent until the last response, and before its CWR comes, counts as one. */
	if (sender->config.cc->exact_ce_echo ||
	    (sender->echo_end && sender->board.first_byte <= sender->echo_end))
		return;
	sender->echo_end = sender->board.next_byte;
	sender->answer_cwr = sender->config.ecn != ENDPOINT_ECN_ACCECN;
	if (sender->recovery != RECOVERY_FAST)
		sender->config.cc->on_ecn(&sender->cc, sender->cc_private, sample);
}

/* What the acknowledgement says of marks. */
static void take_marks(struct tcp_sender *sender, const struct tcp_header *header,
		       const struct tcp_ack *ack, struct tcp_cc_sample *sample)
{
	switch (sender->config.ecn) {
	case ENDPOINT_ECN_NONE:
		break;
	case ENDPOINT_ECN_ACCECN:
		accecn_take(&sender->accecn, header,
			    (struct accecn_news){ack->delivered_segments, ack->delivered_bytes});
		sample->marked_bytes = accecn_tell(&sender->accecn, ack->delivered_bytes);
		sample->ece = sample->marked_bytes > 0;
		break;
	default:
		sample->ece = header->flags & TCP_ECE;
		sample->marked_bytes = sample->ece ? ack->delivered_bytes : 0;
	}
}

static void receive(struct endpoint *endpoint, const struct packet *packet, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);
	const uint64_t least_bytes = sender->cc.quantum_bytes > sender->mss_bytes
					     ? sender->cc.quantum_bytes
					     : sender->mss_bytes;
	const bool full = sender->board.in_flight_bytes + least_bytes > sender->cc.cwnd_bytes ||
			  sender->board.lost_bytes > 0;
	struct tcp_cc_sample sample;
	struct tcp_ack ack;
	uint64_t lost;

	/* Needed in a moment, and with many flows in no cache. */
	__builtin_prefetch(sender->cc_private);
	scoreboard_expect(&sender->board);
	sender->now_ns = now_ns;
	sender->stats.received_pkts++;
	sender->stats.received_bytes += packet->len_bytes;
	ack = take_ack(sender, packet);
	lost = tcp_recovery_ack(sender, &ack);
	tcp_sender_sample(sender, &sample, now_ns);
	sample.lost_bytes = lost;
	sample.acked_bytes = ack.delivered_bytes;
	sample.app_limited = !full;
	if (sender->board.rates)
		tcp_rate_sample(&sender->board.rate, sender->rtt.min_ns, &sample);
	take_marks(sender, &packet->tcp, &ack, &sample);
	if (sample.ece)
		take_echo(sender, &sample);
	sender->config.cc->on_ack(&sender->cc, sender->cc_private, &sample);
}

static bool emit(struct endpoint *endpoint, struct packet *packet, uint64_t now_ns)
{
	return tcp_output_emit(sender_of(endpoint), packet, now_ns);
}

static uint64_t next_ns(const struct endpoint *endpoint)
{
	const struct tcp_sender *sender = (const struct tcp_sender *)endpoint;
	uint64_t next = sender->due_ns;

	if (sender->reorder_ns < next)
		next = sender->reorder_ns;
	if (sender->timer_ns < next)
		next = sender->timer_ns;
	return sender->persist_ns < next ? sender->persist_ns : next;
}

static void write_more(struct endpoint *endpoint, uint64_t bytes, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);

	(void)now_ns;
	if (sender->config.from_application)
		sender->written_end += bytes;
}

static void run(struct endpoint *endpoint, uint64_t now_ns)
{
	struct tcp_sender *sender = sender_of(endpoint);

	sender->now_ns = now_ns;
	tcp_recovery_run(sender, now_ns);
	if (sender->persist_ns <= now_ns)
		tcp_output_persist(sender);
}

static void stats(const struct endpoint *endpoint, struct endpoint_stats *out)
{
	const struct tcp_sender *sender = (const struct tcp_sender *)endpoint;

	*out = sender->stats;
	out->cwnd_bytes = sender->cc.cwnd_bytes;
	out->srtt_ns = sender->rtt.srtt_ns;
	out->ce_told = accecn_packets(&sender->accecn);
}

static void destroy(struct endpoint *endpoint)
{
	struct tcp_sender *sender = sender_of(endpoint);
	struct store *store = sender->config.store;

	tcp_recovery_forget(sender);
	scoreboard_free(&sender->board);
	store_give(store, sender->cc_private, sender->config.cc->private_size);
	store_give(store, sender, sizeof(*sender));
}

static const struct endpoint_ops sender_ops = {
	.name = "tcp-sender",
	.receive = receive,
	.emit = emit,
	.next_ns = next_ns,
	.run = run,
	.write = write_more,
	.stats = stats,
	.destroy = destroy,
};

/* Tells controls that care of every segment found lost. */
static void on_lost(void *context, uint32_t bytes, const struct segment_rate *memory)
{
	struct tcp_sender *sender = context;
	const struct tcp_cc_lost lost = {
		.now_ns = sender->now_ns,
		.bytes = bytes,
		.prior_in_flight_bytes = memory->in_flight_bytes,
		.lost_since_bytes = sender->board.rate.lost_bytes - memory->lost_bytes,
		.app_limited = memory->app_limited,
	};

	sender->config.cc->on_segment_lost(&sender->cc, sender->cc_private, &lost);
}

uint64_t tcp_sender_initial_window(const struct tcp_sender *sender)
{
	const uint16_t asked = sender->config.options.initial_window_segments;

	return (asked ? asked : (uint64_t)INITIAL_WINDOW_SEGMENTS) * sender->mss_bytes;
}

static void fill_sender(struct tcp_sender *sender, const struct endpoint_config *config)
{
	const struct tcp_options *options = &config->options;

	sender->endpoint.ops = &sender_ops;
	sender->config = *config;
	sender->mss_bytes = config->mtu_bytes - TCP_HEADER_BYTES;
	sender->written_end = config->from_application ? 0 : UINT64_MAX;
	/* As the handshake would tell. */
	sender->window_end = tcp_receive_window_bytes(options);
	sender->widest_bytes = sender->window_end;
	sender->due_ns = config->from_application ? TIME_NEVER_NS : config->start_ns;
	sender->timer_ns = TIME_NEVER_NS;
	sender->armed_ns = TIME_NEVER_NS;
	sender->reorder_ns = TIME_NEVER_NS;
	sender->persist_ns = TIME_NEVER_NS;
	sender->cc = (struct tcp_cc_state){
		.cwnd_bytes = tcp_sender_initial_window(sender),
		.ssthresh_bytes = UINT64_MAX,
		.mss_bytes = sender->mss_bytes,
		.options = *options,
	};
}

struct endpoint *tcp_sender_new(const struct endpoint_config *config)
{
	struct tcp_sender *sender = store_take(config->store, sizeof(*sender));

	if (sender == NULL)
		return NULL;
	fill_sender(sender, config);
	sender->cc_private = store_take(config->store, config->cc->private_size);
	if (sender->cc_private == NULL ||
	    scoreboard_init(&sender->board, sender->mss_bytes, config->cc->rate_samples,
			    config->store)) {
		destroy(&sender->endpoint);
		return NULL;
	}
	if (config->cc->rate_samples && config->cc->on_segment_lost) {
		sender->board.on_lost = on_lost;
		sender->board.context = sender;
	}
	config->cc->init(&sender->cc, sender->cc_private);
	return &sender->endpoint;
}
