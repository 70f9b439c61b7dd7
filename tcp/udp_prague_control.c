/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP Prague's congestion control (udp_prague_control.h has its rules).
 */
#include "tcp/udp_prague_control.h"

#include <math.h>
#include <string.h>

#include "base/units.h"
#include "tcp/cc/prague.h"

/* 100 kbit/s to begin with, and the least; 100 Gbit/s the most. */
#define START_BPS (PRAGUE_MIN_BPS / 8)
#define MOST_BPS (100e9 / 8)
#define START_PACKETS 10
#define LEAST_PACKET_BYTES 150.0
#define LEAST_WINDOW_PACKETS 2
#define LEAST_FRAMES 2
/* Rounds before growth by delay: 7, and one for every 15.36 Mbit/s. */
#define GROWTH_ROUNDS 7.0
#define GROWTH_STEP_BPS (15.36e6 / 8)
#define GROWTH_QUEUE_S 1e-3
/* Below, a round trip says nothing of a queue. */
#define UNSTABLE_RTT_NS (2 * NS_PER_MS)
#define SWING 1.03

static uint64_t least_round_ns(const struct udp_prague_control *control)
{
	return control->frame_interval_ns ? control->frame_interval_ns : PRAGUE_VIRTUAL_RTT_NS;
}

/* What the sender goes by. */
static void publish(struct udp_prague_control *control)
{
	const double round_s = seconds_from_ns(control->round_ns);
	const double half = control->rate_Bps * round_s / LEAST_WINDOW_PACKETS;
	const double packet =
		floor(fmin(fmax(half, LEAST_PACKET_BYTES), control->max_packet_bytes));
	const double burst = control->rate_Bps * seconds_from_ns(PRAGUE_BURST_NS) / packet;
	/* Room for the faster half of a round: only a network that stalls closes the window. */
	const double window = floor(control->window_bytes * SWING / packet) + 1;

	control->packet_bytes = (uint32_t)packet;
	control->burst_packets = burst < 1 ? 1 : (uint32_t)burst;
	control->window_packets = (uint64_t)fmax(window, LEAST_WINDOW_PACKETS);
}

static void restart(struct udp_prague_control *control, double window_bytes, uint64_t now_ns)
{
	control->phase = UDP_PRAGUE_START;
	control->by_rate = false;
	control->rate_Bps = START_BPS;
	control->window_bytes = window_bytes;
	control->alpha = 0;
	control->rounds_to_growth = START_BPS / GROWTH_STEP_BPS + GROWTH_ROUNDS;
	control->round_start_ns = now_ns;
	control->undo.valid = false;
	publish(control);
}

void udp_prague_control_init(struct udp_prague_control *control, uint32_t max_packet_bytes,
			     uint64_t frame_interval_ns, uint64_t frame_budget_ns, uint64_t now_ns)
{
	memset(control, 0, sizeof(*control));
	control->max_packet_bytes = max_packet_bytes;
	control->frame_interval_ns = frame_interval_ns;
	control->frame_budget_ns =
		frame_budget_ns < frame_interval_ns ? frame_budget_ns : frame_interval_ns;
	control->round_ns = least_round_ns(control);
	restart(control, START_PACKETS * control->max_packet_bytes, now_ns);
}

void udp_prague_control_timeout(struct udp_prague_control *control, uint64_t now_ns)
{
	restart(control, control->max_packet_bytes, now_ns);
	control->packet_bytes = (uint32_t)control->max_packet_bytes;
	control->window_packets = LEAST_WINDOW_PACKETS;
}

void udp_prague_control_rtt(struct udp_prague_control *control, uint64_t rtt_ns)
{
	if (control->phase == UDP_PRAGUE_START)
		control->srtt_ns = rtt_ns;
	else
		control->srtt_ns += rtt_ns / 8 - control->srtt_ns / 8;
	if (control->srtt_ns == 0)
		control->srtt_ns = 1;
	control->round_ns = control->srtt_ns > least_round_ns(control) ? control->srtt_ns
								       : least_round_ns(control);
}

/* A window that began when `sent` packets were out, and a round, are over. */
static bool is_over(const struct udp_prague_control *control,
		    const struct udp_prague_counts *counts, uint64_t sent, uint64_t since_ns,
		    uint64_t now_ns)
{
	return counts->received + counts->lost > sent && now_ns - since_ns >= control->round_ns;
}

/* Window or rate, whichever says more; the rate stays what it is when that changes. */
static void choose_view(struct udp_prague_control *control)
{
	const double srtt_s = seconds_from_ns(control->srtt_ns);
	const bool by_rate = control->srtt_ns <= UNSTABLE_RTT_NS ||
			     srtt_s <= control->packet_bytes / control->rate_Bps;

	if (control->phase == UDP_PRAGUE_START || (control->by_rate && !by_rate))
		control->window_bytes = srtt_s * control->rate_Bps;
	if (control->phase == UDP_PRAGUE_START)
		control->phase = UDP_PRAGUE_OPEN;
	control->by_rate = by_rate;
}

static void end_round(struct udp_prague_control *control, const struct udp_prague_counts *counts,
		      uint64_t sent, uint64_t now_ns)
{
	const double received = (double)(counts->received - control->round_counts.received);
	const double ce = (double)(counts->ce - control->round_counts.ce);
	double gain = PRAGUE_GAIN;

	if (received == 0 || !is_over(control, counts, control->round_sent,
				      control->round_start_ns, now_ns))
		return;
	if (control->frame_interval_ns)
		gain *= (double)control->frame_interval_ns / PRAGUE_VIRTUAL_RTT_NS;
	control->alpha += fmin(gain, 1) * (ce / received - control->alpha);
	control->round_counts = *counts;
	control->round_sent = sent;
	control->round_start_ns = now_ns;
	control->rounds_to_growth = fmax(control->rounds_to_growth - 1, 0);
}

static double *kept(struct udp_prague_control *control, bool by_rate)
{
	return by_rate ? &control->rate_Bps : &control->window_bytes;
}

static void undo_loss(struct udp_prague_control *control)
{
	control->by_rate = control->undo.by_rate;
	*kept(control, control->by_rate) += control->undo.taken;
	control->rounds_to_growth = fmax(control->rounds_to_growth - control->undo.rounds, 0);
	control->undo.valid = false;
	control->phase = UDP_PRAGUE_OPEN;
}

static void answer_loss(struct udp_prague_control *control, uint64_t sent, uint64_t now_ns)
{
	/* Rounds that a flow of 25 ms takes to regain half its window, in rounds of this one. */
	const double virtual_s = seconds_from_ns(PRAGUE_VIRTUAL_RTT_NS);
	const double rounds = control->rate_Bps / 2 / control->max_packet_bytes * virtual_s *
			      virtual_s / seconds_from_ns(control->round_ns);
	double *value = kept(control, control->by_rate);
	const double added = control->undo.valid ? control->undo.rounds : 0;

	control->undo = (struct udp_prague_undo){
		.valid = true,
		.by_rate = control->by_rate,
		.taken = *value / 2,
		.rounds = fmin(added + rounds - control->rounds_to_growth, rounds),
		.lost_before = control->counts.lost,
	};
	control->rounds_to_growth = rounds;
	*value /= 2;
	control->phase = UDP_PRAGUE_LOST;
	control->answered_sent = sent;
	control->answered_ns = now_ns;
}

static void take_losses(struct udp_prague_control *control, const struct udp_prague_counts *counts,
			uint64_t sent, uint64_t now_ns)
{
	if (control->undo.valid && counts->lost <= control->undo.lost_before)
		undo_loss(control);
	if (control->phase == UDP_PRAGUE_LOST &&
	    is_over(control, counts, control->answered_sent, control->answered_ns, now_ns))
		control->phase = UDP_PRAGUE_OPEN;
	if (control->phase != UDP_PRAGUE_LOST && counts->lost > control->counts.lost)
		answer_loss(control, sent, now_ns);
}

/* Bytes to add per round. */
static double increment_bytes(const struct udp_prague_control *control)
{
	if (control->rounds_to_growth > 0)
		return control->max_packet_bytes;
	return fmax(control->rate_Bps * GROWTH_QUEUE_S, control->max_packet_bytes);
}

static void grow(struct udp_prague_control *control, const struct udp_prague_counts *counts)
{
	const double unmarked =
		(double)(counts->received - control->counts.received) -
		(double)(counts->ce - control->counts.ce);
	const double bytes = unmarked * control->packet_bytes;
	const double round_s = seconds_from_ns(control->round_ns);
	const double ratio = seconds_from_ns(control->srtt_ns) / round_s;

	if (control->phase == UDP_PRAGUE_LOST || unmarked <= 0)
		return;
	if (control->by_rate)
		control->rate_Bps += increment_bytes(control) / round_s * bytes /
				     (control->rate_Bps * round_s);
	else
		control->window_bytes +=
			increment_bytes(control) * ratio * ratio * bytes / control->window_bytes;
}

static void take_marks(struct udp_prague_control *control, const struct udp_prague_counts *counts,
		       uint64_t sent, uint64_t now_ns)
{
	if (control->phase == UDP_PRAGUE_REDUCED &&
	    is_over(control, counts, control->answered_sent, control->answered_ns, now_ns))
		control->phase = UDP_PRAGUE_OPEN;
	if (control->phase != UDP_PRAGUE_OPEN || counts->ce <= control->counts.ce)
		return;
	control->rounds_to_growth = floor(control->rate_Bps / GROWTH_STEP_BPS) + GROWTH_ROUNDS;
	*kept(control, control->by_rate) *= 1 - control->alpha / 2;
	control->phase = UDP_PRAGUE_REDUCED;
	control->answered_sent = sent;
	control->answered_ns = now_ns;
}

bool udp_prague_control_feedback(struct udp_prague_control *control,
				 const struct udp_prague_counts *counts, uint64_t sent,
				 uint64_t now_ns)
{
	const double srtt_s = seconds_from_ns(control->srtt_ns);

	if (counts->received < control->counts.received || counts->ce < control->counts.ce)
		return false;
	choose_view(control);
	end_round(control, counts, sent, now_ns);
	take_losses(control, counts, sent, now_ns);
	grow(control, counts);
	take_marks(control, counts, sent, now_ns);
	if (!control->by_rate)
		control->rate_Bps = control->window_bytes / srtt_s;
	control->rate_Bps = fmin(fmax(control->rate_Bps, START_BPS), MOST_BPS);
	control->window_bytes = control->rate_Bps * srtt_s;
	control->counts = *counts;
	publish(control);
	return true;
}

uint64_t udp_prague_control_pace_bps(const struct udp_prague_control *control, uint64_t now_ns)
{
	const bool first_half = now_ns - control->round_start_ns < control->round_ns / 2;

	return (uint64_t)(control->rate_Bps * 8 * (first_half ? SWING : 1 / SWING));
}

uint64_t udp_prague_control_frame_bytes(const struct udp_prague_control *control)
{
	const double bytes = control->rate_Bps * seconds_from_ns(control->frame_budget_ns);

	return (uint64_t)fmax(bytes, control->packet_bytes);
}

uint64_t udp_prague_control_frame_window(const struct udp_prague_control *control)
{
	const uint64_t bytes = control->window_packets * control->packet_bytes;
	const uint64_t frames = bytes / udp_prague_control_frame_bytes(control);

	return frames > LEAST_FRAMES ? frames : LEAST_FRAMES;
}
