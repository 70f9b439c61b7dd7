/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a TCP sender finds losses and gets over them.
 *
 * - Losses are found by time (RACK, rack.h), at acknowledgements and when the
 *   reordering window of something outstanding ends.  The first one tells the
 *   control, once; recovery lasts until what had been sent by then is
 *   acknowledged, and PRR (prr.h) paces it, except under controls that model the
 *   path themselves.
 * - Tail loss probe (RFC 8985 section 7): when acknowledgements stop outside
 *   recovery for two round trips, new data or the last segment leaves whatever
 *   the window says, and its acknowledgement tells of losses.  A loss that the
 *   probe itself repaired is told to the control as well.
 * - Timeout (RFC 6298): everything not selectively acknowledged is lost, the timer
 *   backs off.  If the first acknowledgement that moves on echoes a timestamp
 *   from before the first segment that was sent again (Eifel, RFC 3522), the
 *   timeout was a mistake: the control is put back to where it was, and what was
 *   not sent again counts as in flight (RFC 4015, without its adaptation of the
 *   timer).
 */
#include "tcp/sender.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

/* What a receiver may hold an acknowledgement back for (RFC 8985 section 7.2). */
#define DELAYED_ACK_NS (200 * NS_PER_MS)

/* The control as it was before a timeout. */
struct tcp_undo {
	struct tcp_cc_state cc;
	bool sent;        /* something has been sent again since */
	uint32_t sent_us; /* its timestamp */
	unsigned char own[];
};

static bool may_probe(const struct tcp_sender *sender)
{
	const struct scoreboard *board = &sender->board;

	return sender->recovery == RECOVERY_NONE && !sender->tail.open && board->sacked == 0 &&
	       board->lost_bytes == 0 && sender->rtt.backoff == 0 && sender->rtt.srtt_ns > 0;
}

static void arm(struct tcp_sender *sender, uint64_t now_ns)
{
	const uint64_t outstanding = sender->board.next - sender->board.first;
	uint64_t probe_ns;

	sender->armed_ns = now_ns;
	sender->armed_for = outstanding;
	sender->timer_probes = false;
	if (outstanding == 0) {
		sender->timer_ns = TIME_NEVER_NS;
		return;
	}
	sender->timer_ns = now_ns + tcp_rtt_timeout_ns(&sender->rtt);
	if (!may_probe(sender))
		return;
	sender->timer_probes = true;
	probe_ns = now_ns + 2 * sender->rtt.srtt_ns + (outstanding == 1 ? DELAYED_ACK_NS : 0);
	if (probe_ns < sender->timer_ns)
		sender->timer_ns = probe_ns;
}

void tcp_recovery_sent(struct tcp_sender *sender, uint64_t now_ns)
{
	if (sender->timer_ns != TIME_NEVER_NS && !sender->timer_probes)
		return;
	/* Of many that leave at the same time, the second is the last to change anything. */
	if (sender->timer_ns == TIME_NEVER_NS || sender->armed_ns != now_ns ||
	    sender->armed_for == 1)
		arm(sender, now_ns);
}

void tcp_recovery_forget(struct tcp_sender *sender)
{
	free(sender->undo);
	sender->undo = NULL;
}

/* Remembers the control, for the case that this timeout is a mistake; without memory it is none. */
static void remember(struct tcp_sender *sender)
{
	const size_t size = sender->config.cc->private_size;

	if (sender->undo)
		return;
	sender->undo = malloc(sizeof(*sender->undo) + size);
	if (sender->undo == NULL)
		return;
	sender->undo->cc = sender->cc;
	sender->undo->sent = false;
	memcpy(sender->undo->own, sender->cc_private, size);
}

void tcp_recovery_sent_again(struct tcp_sender *sender, uint64_t now_ns)
{
	if (sender->undo == NULL || sender->undo->sent)
		return;
	sender->undo->sent = true;
	sender->undo->sent_us = (uint32_t)(now_ns / NS_PER_US);
}

/* The cumulative acknowledgement moved on, for the first time since a timeout. */
static void judge_timeout(struct tcp_sender *sender, uint32_t echo_us)
{
	const struct tcp_undo *undo = sender->undo;

	if (!undo->sent || (int32_t)(echo_us - undo->sent_us) < 0) {
		sender->cc = undo->cc;
		memcpy(sender->cc_private, undo->own, sender->config.cc->private_size);
		scoreboard_restore(&sender->board);
		sender->recovery = RECOVERY_NONE;
		sender->stats.spurious_timeouts++;
	}
	tcp_recovery_forget(sender);
}

static void time_out(struct tcp_sender *sender, uint64_t now_ns)
{
	struct tcp_cc_sample sample;

	sender->stats.timeouts++;
	sender->rtt.backoff++;
	remember(sender);
	scoreboard_lose_all(&sender->board);
	sender->recovery = RECOVERY_TIMEOUT;
	sender->recovery_end = sender->board.next_byte;
	sender->reorder_ns = TIME_NEVER_NS;
	sender->tail = (struct tcp_tail){0};
	tcp_sender_sample(sender, &sample, now_ns);
	sender->config.cc->on_rto(&sender->cc, sender->cc_private, &sample);
	arm(sender, now_ns);
}

/* `delivered` bytes came with the acknowledgement that tells of the loss. */
static void enter(struct tcp_sender *sender, uint64_t lost, uint64_t delivered)
{
	const struct scoreboard *board = &sender->board;
	struct tcp_cc_sample sample;

	tcp_sender_sample(sender, &sample, sender->now_ns);
	sample.lost_bytes = lost;
	sender->recovery = RECOVERY_FAST;
	sender->recovery_end = board->next_byte;
	tcp_prr_start(&sender->prr, board->in_flight_bytes + board->lost_bytes + delivered);
	sender->config.cc->on_loss(&sender->cc, sender->cc_private, &sample);
}

/* Looks for losses; returns bytes newly lost. */
static uint64_t detect(struct tcp_sender *sender, uint64_t delivered)
{
	struct scoreboard *board = &sender->board;
	const bool hurry = sender->recovery != RECOVERY_NONE || board->sacked >= RACK_SEGMENTS;
	const uint64_t window_ns = tcp_rack_window_ns(&board->rack, hurry, sender->rtt.min_ns,
						      sender->rtt.srtt_ns);
	const uint64_t lost =
		scoreboard_detect(board, window_ns, sender->now_ns, &sender->reorder_ns);

	if (lost > 0 && sender->recovery == RECOVERY_NONE)
		enter(sender, lost, delivered);
	return lost;
}

/* What the acknowledgement of a tail loss probe says (RFC 8985 section 7.4.2). */
static void judge_probe(struct tcp_sender *sender, const struct tcp_ack *ack)
{
	const uint64_t acked = sender->board.first_byte;

	if (!sender->tail.open || acked < sender->tail.end)
		return;
	if (sender->tail.again && !ack->duplicate && acked > sender->tail.end) {
		/* No duplicate was reported: the probe filled a hole. */
		sender->tail.open = false;
		if (sender->recovery == RECOVERY_NONE)
			enter(sender, 0, ack->delivered_bytes);
	} else if (!sender->tail.again || ack->duplicate || !(ack->forward || ack->sacks)) {
		sender->tail.open = false;
	}
}

static void reduce(struct tcp_sender *sender, uint64_t delivered, bool safe)
{
	const struct prr_event event = {
		.delivered_bytes = delivered,
		.in_flight_bytes = sender->board.in_flight_bytes,
		.target_bytes = sender->cc.cwnd_bytes,
		.mss_bytes = sender->mss_bytes,
		.safe = safe,
	};

	tcp_prr_event(&sender->prr, &event);
}

uint64_t tcp_recovery_ack(struct tcp_sender *sender, const struct tcp_ack *ack)
{
	struct scoreboard *board = &sender->board;
	uint64_t lost;

	if (ack->forward && sender->undo)
		judge_timeout(sender, ack->echo_us);
	if (ack->duplicate)
		tcp_rack_duplicate(&board->rack, board->first_byte, board->next_byte);
	if (sender->recovery != RECOVERY_NONE && board->first_byte >= sender->recovery_end) {
		sender->recovery = RECOVERY_NONE;
		tcp_rack_recovered(&board->rack);
	}
	lost = detect(sender, ack->delivered_bytes);
	judge_probe(sender, ack);
	if (sender->recovery == RECOVERY_FAST && (ack->delivered_bytes || lost))
		reduce(sender, ack->delivered_bytes, ack->forward && lost == 0);
	if (ack->delivered_bytes) {
		sender->tail.due = false;
		arm(sender, sender->now_ns);
	}
	return lost;
}

void tcp_recovery_run(struct tcp_sender *sender, uint64_t now_ns)
{
	if (sender->reorder_ns <= now_ns && detect(sender, 0) > 0 &&
	    sender->recovery == RECOVERY_FAST)
		reduce(sender, 0, false);
	if (sender->timer_ns > now_ns)
		return;
	if (!sender->timer_probes) {
		time_out(sender, now_ns);
		return;
	}
	sender->tail.due = true;
	sender->timer_probes = false;
	sender->timer_ns = now_ns + tcp_rtt_timeout_ns(&sender->rtt);
}
