/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a TCP sender sends, and when.
 *
 * - After an idle time of a timeout the window is the restart window again, unless
 *   the pace spreads what leaves.
 * - Lost segments leave before new ones, as they were; what is written leaves at
 *   once, in segments as full as it allows (no delay in the manner of Nagle).
 * - What is in flight stays under the congestion window, in recovery under PRR's,
 *   but one segment may always be.
 * - A paced sender's packets are a pacing interval apart on average: each moves the
 *   time of the next by its length over the pace, to the last bit, and up to
 *   `burst_bytes` may leave ahead of it; where the control asks for bursts (`quantum_bytes`),
 *   pace and window are asked at the first packet of each.
 * - The receiver's window bounds new data.  Against little windows (RFC 9293
 *   section 3.8.6.2.1) a segment is cut short for the window's sake only to half
 *   the widest window seen or more, or when the persist timer says so.
 * - That timer (section 3.8.6.1) runs while data waits for the window and nothing
 *   is in flight; at a closed window it sends an empty segment from before the
 *   acknowledged ones, which a receiver has to answer with its window.
 */
#include "tcp/sender.h"

#include "base/units.h"

/* Doublings of the persist timer. */
#define MAX_PERSIST_DOUBLINGS 8

static bool has_new(const struct tcp_sender *sender)
{
	return !sender->stopped && sender->board.next_byte < sender->written_end;
}

/* Bytes of the next new segment; 0: nothing to send, or no window for it. */
static uint32_t new_bytes(const struct tcp_sender *sender)
{
	const uint64_t next = sender->board.next_byte;
	const uint64_t window = sender->window_end - next;
	uint64_t bytes = sender->written_end - next;

	if (!has_new(sender))
		return 0;
	if (bytes > sender->mss_bytes)
		bytes = sender->mss_bytes;
	if (bytes <= window)
		return (uint32_t)bytes;
	if (2 * window >= sender->widest_bytes || sender->force_short)
		return (uint32_t)window;
	return 0;
}

static uint64_t window_bytes(const struct tcp_sender *sender)
{
	if (sender->recovery == RECOVERY_FAST && !sender->config.cc->rate_samples)
		return sender->prr.window_bytes;
	return sender->cc.cwnd_bytes;
}

/* When the pace allows a segment of `bytes`. */
static uint64_t pace_due_ns(const struct tcp_sender *sender, uint32_t bytes)
{
	const uint64_t burst_bytes = sender->cc.burst_bytes;
	uint64_t ahead_ns = 0;

	if (sender->cc.pacing_bps == 0 || sender->quantum_left > 0)
		return 0;
	if (sender->cc.quantum_bytes)
		return sender->pace_ns;
	bytes += TCP_HEADER_BYTES;
	if (burst_bytes > bytes)
		ahead_ns = (burst_bytes - bytes) * 8 * NS_PER_S / sender->cc.pacing_bps;
	return sender->pace_ns > ahead_ns ? sender->pace_ns - ahead_ns : 0;
}

/* A packet has left: the next one is due as much later as this one lasts at the pace. */
static void take_pace(struct tcp_sender *sender, uint32_t len_bytes, uint64_t now_ns)
{
	const uint64_t pacing_bps = sender->cc.pacing_bps;
	uint64_t bits_ns;

	if (pacing_bps == 0)
		return;
	bits_ns = len_bytes * 8 * NS_PER_S + sender->pace_carry;
	if (sender->pace_ns < now_ns)
		sender->pace_ns = now_ns;
	sender->pace_ns += bits_ns / pacing_bps;
	sender->pace_carry = bits_ns % pacing_bps;
}

/* A burst is half the window at most, in whole segments, as Linux has it; 0: no bursts. */
static uint64_t quantum_bytes(const struct tcp_sender *sender)
{
	const uint64_t half = window_bytes(sender) / 2, mss = sender->mss_bytes;
	const uint64_t most = half > mss ? half - half % mss : mss;

	return sender->cc.quantum_bytes < most ? sender->cc.quantum_bytes : most;
}

/*
 * What the window must have room for, that new data of `bytes` leaves: a burst, or a third of the
 * window, as Linux has it; for the rest of a burst no more than itself.
 */
static uint64_t needed_bytes(const struct tcp_sender *sender, uint32_t bytes)
{
	const uint64_t third = window_bytes(sender) / 3;
	uint64_t needed = quantum_bytes(sender);

	if (sender->quantum_left > 0 || sender->written_end - sender->board.next_byte < needed)
		return bytes;
	if (needed > third)
		needed = third;
	return needed > bytes ? needed : bytes;
}

/* New data leaves: the first of a burst, or one more of it. */
static void take_quantum(struct tcp_sender *sender, uint32_t bytes)
{
	if (sender->quantum_left == 0)
		sender->quantum_left = quantum_bytes(sender);
	sender->quantum_left = sender->quantum_left > bytes ? sender->quantum_left - bytes : 0;
}

/*
 * When a packet with data may leave, as things stand, and how long a new one would be (0: lost
 * data goes first); TIME_NEVER_NS: something has to happen first.
 */
static uint64_t due_ns(const struct tcp_sender *sender, uint32_t *fresh)
{
	const struct scoreboard *board = &sender->board;
	const uint64_t start_ns = sender->config.start_ns;
	uint64_t pace_ns, needed = sender->mss_bytes;
	uint32_t bytes = sender->mss_bytes;

	*fresh = 0;
	if (board->lost_bytes == 0) {
		*fresh = bytes = new_bytes(sender);
		needed = needed_bytes(sender, bytes);
	}
	/* One segment may always be in flight, or a small window would never open again. */
	if (bytes == 0 || (board->in_flight_bytes > 0 &&
			   board->in_flight_bytes + needed > window_bytes(sender)))
		return TIME_NEVER_NS;
	pace_ns = pace_due_ns(sender, bytes);
	return pace_ns > start_ns ? pace_ns : start_ns;
}

void tcp_output_window(struct tcp_sender *sender, uint64_t ack, uint64_t window_bytes)
{
	if (window_bytes > sender->widest_bytes)
		sender->widest_bytes = window_bytes;
	/* Receivers do not take back what they offered: older acknowledgements tell no news. */
	if (ack + window_bytes <= sender->window_end)
		return;
	sender->window_end = ack + window_bytes;
	sender->persist_ns = TIME_NEVER_NS;
	sender->persist_tries = 0;
}

void tcp_output_persist(struct tcp_sender *sender)
{
	sender->persist_ns = TIME_NEVER_NS;
	sender->persist_tries++;
	if (sender->window_end > sender->board.next_byte)
		sender->force_short = true;
	else
		sender->probe_due = true;
}

/* Starts the persist timer where only the receiver's window holds new data back. */
static void watch_window(struct tcp_sender *sender, uint64_t now_ns)
{
	const struct scoreboard *board = &sender->board;
	unsigned doublings = sender->persist_tries;
	uint64_t wait_ns;

	if (sender->persist_ns != TIME_NEVER_NS || board->first < board->next ||
	    !has_new(sender) || new_bytes(sender) > 0 || now_ns < sender->config.start_ns)
		return;
	if (doublings > MAX_PERSIST_DOUBLINGS)
		doublings = MAX_PERSIST_DOUBLINGS;
	wait_ns = tcp_rtt_timeout_ns(&sender->rtt) << doublings;
	sender->persist_ns = now_ns + (wait_ns < TCP_RTO_MAX_NS ? wait_ns : TCP_RTO_MAX_NS);
}

/* For rate samples: is it the application that leaves the window open? */
static void watch_application(struct tcp_sender *sender)
{
	struct scoreboard *board = &sender->board;

	if (board->rates && sender->written_end - board->next_byte < sender->mss_bytes &&
	    board->in_flight_bytes < sender->cc.cwnd_bytes && board->lost_bytes == 0)
		tcp_rate_limit(&board->rate, board->in_flight_bytes);
}

static void fill_packet(struct tcp_sender *sender, struct packet *packet, uint64_t seq,
			uint32_t bytes, uint64_t now_ns)
{
	packet->flow = sender->config.flow;
	packet->protocol = NET_TCP;
	packet->len_bytes = TCP_HEADER_BYTES + bytes;
	packet->to_server = true;
	packet->tcp.seq = seq;
	packet->tcp.payload_bytes = bytes;
	packet->tcp.timestamp_us = (uint32_t)(now_ns / NS_PER_US);
	packet->tcp.flags = TCP_ACK;
	sender->stats.sent_pkts++;
	sender->stats.sent_bytes += packet->len_bytes;
}

/* Accounts for a segment with data that leaves. */
static void count_sent(struct tcp_sender *sender, const struct packet *packet, uint64_t now_ns)
{
	tcp_recovery_sent(sender, now_ns);
	sender->last_sent_ns = now_ns;
	if (sender->recovery == RECOVERY_FAST)
		sender->prr.sent += packet->tcp.payload_bytes;
	take_pace(sender, packet->len_bytes, now_ns);
}

/* False: out of memory. */
static bool send_again(struct tcp_sender *sender, struct packet *packet, uint64_t segment,
		       uint64_t now_ns)
{
	const struct scoreboard *board = &sender->board;

	if (scoreboard_resend(&sender->board, segment, now_ns))
		return false;
	fill_packet(sender, packet, scoreboard_start(board, segment),
		    scoreboard_length(board, segment), now_ns);
	count_sent(sender, packet, now_ns);
	tcp_recovery_sent_again(sender, now_ns);
	sender->stats.retransmits++;
	return true;
}

/* The ECN field of new data; with exact feedback ECT(1) only where the control is scalable. */
static uint8_t field_of(const struct endpoint_config *config)
{
	switch (config->ecn) {
	case ENDPOINT_ECN_NONE:
		break;
	case ENDPOINT_ECN_CLASSIC:
		return 2;
	case ENDPOINT_ECN_ECT1:
		return 1;
	case ENDPOINT_ECN_ACCECN:
		return config->cc->exact_ce_echo ? 1 : 2;
	}
	return 0;
}

/*
 * Nothing was sent for a timeout, and nothing is in flight: what the window says of the path is
 * old, and there is no clock of acknowledgements, so a new one starts from the restart window (RFC
 * 5681 section 4.1).  A paced sender's pace is its clock: it keeps its window, as Linux's paced
 * controls do and RFC 9002 section 7.8 has it.
 */
static void restart_after_idle(struct tcp_sender *sender, uint64_t now_ns)
{
	const struct scoreboard *board = &sender->board;
	const uint64_t restart_bytes = tcp_sender_initial_window(sender);

	if (board->first < board->next || board->next_byte == 0 || sender->cc.pacing_bps > 0 ||
	    now_ns - sender->last_sent_ns <= tcp_rtt_timeout_ns(&sender->rtt))
		return;
	if (sender->cc.cwnd_bytes > restart_bytes)
		sender->cc.cwnd_bytes = restart_bytes;
	if (sender->config.cc->on_restart)
		sender->config.cc->on_restart(&sender->cc, sender->cc_private,
					      now_ns - sender->last_sent_ns);
}

/* False: out of memory. */
static bool send_new(struct tcp_sender *sender, struct packet *packet, uint32_t bytes,
		     uint64_t now_ns)
{
	restart_after_idle(sender, now_ns);
	if (scoreboard_send(&sender->board, bytes, now_ns))
		return false;
	fill_packet(sender, packet, sender->board.next_byte - bytes, bytes, now_ns);
	count_sent(sender, packet, now_ns);
	take_quantum(sender, bytes);
	sender->force_short = false;
	packet->ecn = field_of(&sender->config);
	if (sender->config.ecn == ENDPOINT_ECN_ACCECN)
		packet->tcp.flags |= accecn_flags(0);
	if (sender->answer_cwr) {
		packet->tcp.flags |= TCP_CWR;
		sender->answer_cwr = false;
	}
	return true;
}

static void send_probe(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns)
{
	const uint64_t acked = sender->board.first_byte;

	fill_packet(sender, packet, acked - (acked > 0), 0, now_ns);
	sender->probe_due = false;
}

/* New data, or else the last segment once more; false: out of memory. */
static bool send_tail_probe(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns)
{
	const uint32_t bytes = new_bytes(sender);
	const uint64_t last = scoreboard_last(&sender->board);
	bool sent;

	sender->tail.due = false;
	sender->tail.again = bytes == 0;
	/* Open before it leaves: that restarts the timer, which is a timeout's from now on. */
	sender->tail.open = true;
	sent = bytes ? send_new(sender, packet, bytes, now_ns)
		     : send_again(sender, packet, last, now_ns);
	sender->tail.end = sender->board.next_byte;
	sender->stats.tail_probes += sent;
	return sent;
}

/* Probes leave whatever the windows say; false: none was due. */
static bool emit_probe(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns)
{
	if (sender->probe_due) {
		send_probe(sender, packet, now_ns);
		return true;
	}
	if (new_bytes(sender) == 0 && scoreboard_last(&sender->board) == UINT64_MAX) {
		sender->tail.due = false;
		return false;
	}
	sender->failed = !send_tail_probe(sender, packet, now_ns);
	return !sender->failed;
}

bool tcp_output_emit(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns)
{
	uint32_t fresh;

	sender->due_ns = TIME_NEVER_NS;
	if (sender->failed)
		return false;
	sender->stopped = now_ns >= sender->config.stop_ns;
	if ((sender->probe_due || sender->tail.due) && emit_probe(sender, packet, now_ns))
		return true;
	sender->due_ns = due_ns(sender, &fresh);
	if (now_ns < sender->due_ns) {
		sender->quantum_left = 0;
		watch_window(sender, now_ns);
		watch_application(sender);
		return false;
	}
	if (fresh ? send_new(sender, packet, fresh, now_ns)
		  : send_again(sender, packet, scoreboard_next_lost(&sender->board), now_ns))
		return true;
	sender->failed = true;
	sender->due_ns = TIME_NEVER_NS;
	return false;
}
