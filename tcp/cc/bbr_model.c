/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR's model of the path (draft-ietf-ccwg-bbr-06 section 5.5): the bandwidth of
 * the last two probing cycles, the least round trip of 10 s, and what losses and
 * marks say is safe, for the moment (shortterm) and until proved otherwise (longterm).
 */
#include <math.h>

#include "tcp/cc/bbr.h"

#define MIN_RTT_FILTER_NS (10 * NS_PER_S)
#define PROBE_RTT_INTERVAL_NS (5 * NS_PER_S)
/* Two halves of BBR.ExtraAckedFilterLen. */
#define EXTRA_ACKED_ROUNDS 5
/* Marks: how alpha moves, what it takes away, and the share that is too much (BBRv3's code). */
#define ECN_GAIN (1.0 / 16)
#define ECN_FACTOR (1.0 / 3)
#define ECN_THRESH 0.5

void bbr_model_init(struct bbr *bbr, uint64_t now_ns)
{
	bbr->inflight_longterm = INFINITY;
	bbr->extra_acked_start_ns = now_ns;
	bbr_model_reset_congestion(bbr);
	bbr_model_reset_shortterm(bbr);
}

void bbr_model_start_round(struct bbr *bbr)
{
	bbr->next_round_delivered = bbr->rs->delivered_bytes;
}

void bbr_model_reset_shortterm(struct bbr *bbr)
{
	bbr->bw_shortterm = INFINITY;
	bbr->inflight_shortterm = INFINITY;
}

void bbr_model_reset_congestion(struct bbr *bbr)
{
	bbr->loss_in_round = false;
	bbr->echo_in_round = false;
	bbr->bw_latest = 0;
	bbr->inflight_latest = 0;
}

void bbr_model_note_loss(struct bbr *bbr, double lost_bytes, uint64_t delivered_bytes)
{
	if (!bbr->loss_in_round)
		bbr->loss_round_delivered = delivered_bytes;
	bbr->loss_in_round = true;
	bbr->losses_in_round++;
	bbr->lost_in_round += lost_bytes;
}

static double rate_of(const struct tcp_cc_sample *rs)
{
	return (double)rs->rate_bps / 8;
}

static double delivered_of(const struct tcp_cc_sample *rs)
{
	return (double)(rs->delivered_bytes - rs->prior_delivered_bytes);
}

static void update_latest(struct bbr *bbr)
{
	const struct tcp_cc_sample *rs = bbr->rs;

	bbr->loss_round_start = false;
	bbr->bw_latest = fmax(bbr->bw_latest, rate_of(rs));
	bbr->inflight_latest = fmax(bbr->inflight_latest, delivered_of(rs));
	if (rs->prior_delivered_bytes >= bbr->loss_round_delivered) {
		bbr->loss_round_delivered = rs->delivered_bytes;
		bbr->loss_round_start = true;
	}
}

static void update_round(struct bbr *bbr)
{
	bbr->round_start = bbr->rs->prior_delivered_bytes >= bbr->next_round_delivered;
	if (!bbr->round_start)
		return;
	bbr_model_start_round(bbr);
	bbr->round_count++;
	bbr->rounds_since_probe_up++;
	bbr->cwnd_limited = bbr->cwnd_limited_in_round;
	bbr->cwnd_limited_in_round = false;
}

static void update_max_bw(struct bbr *bbr)
{
	const double rate = rate_of(bbr->rs);

	if (rate <= 0 || (rate < bbr->max_bw && bbr->rs_app_limited))
		return;
	bbr->max_bw_cycle[1] = fmax(bbr->max_bw_cycle[1], rate);
	bbr->max_bw = fmax(bbr->max_bw_cycle[0], bbr->max_bw_cycle[1]);
}

void bbr_model_advance_max_bw(struct bbr *bbr)
{
	/* A cycle without a sample says nothing of the path. */
	if (bbr->max_bw_cycle[1] == 0)
		return;
	bbr->max_bw_cycle[0] = bbr->max_bw_cycle[1];
	bbr->max_bw_cycle[1] = 0;
	bbr->max_bw = bbr->max_bw_cycle[0];
}

/* Once per round in which there was congestion, unless it was asked for by probing. */
static void adapt_lower_bounds(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const bool probing = bbr->state == BBR_STARTUP || bbr->state == BBR_REFILL ||
			     bbr->state == BBR_UP;
	const bool lost = bbr->loss_in_round || (bbr->echo_in_round && bbr->classic_echo);

	if (probing || (!lost && !bbr->echo_in_round))
		return;
	if (isinf(bbr->bw_shortterm))
		bbr->bw_shortterm = bbr->max_bw;
	if (isinf(bbr->inflight_shortterm))
		bbr->inflight_shortterm = (double)state->cwnd_bytes;
	if (lost) {
		bbr->bw_shortterm = fmax(bbr->bw_latest, BBR_BETA * bbr->bw_shortterm);
		bbr->inflight_shortterm =
			fmax(bbr->inflight_latest, BBR_BETA * bbr->inflight_shortterm);
	} else {
		bbr->inflight_shortterm *= 1 - bbr->ecn_alpha * ECN_FACTOR;
	}
}

static bool marks_too_high(const struct bbr *bbr)
{
	return bbr->echo_in_round &&
	       (bbr->classic_echo || bbr->marked_in_round > ECN_THRESH * bbr->acked_in_round);
}

static void update_congestion(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const struct tcp_cc_sample *rs = bbr->rs;

	update_round(bbr);
	update_max_bw(bbr);
	bbr->acked_in_round += (double)rs->acked_bytes;
	bbr->marked_in_round += (double)rs->marked_bytes;
	if (rs->marked_bytes)
		bbr->echo_in_round = true;
	if (!bbr->loss_round_start)
		return;
	bbr->ecn_alpha +=
		ECN_GAIN * (bbr->marked_in_round / bbr->acked_in_round - bbr->ecn_alpha);
	bbr->marked_rounds = marks_too_high(bbr) ? bbr->marked_rounds + 1 : 0;
	adapt_lower_bounds(bbr, state);
	bbr->loss_in_round = false;
	bbr->echo_in_round = false;
	bbr->acked_in_round = 0;
	bbr->marked_in_round = 0;
}

/* How much more was acknowledged at once than the bandwidth explains. */
static void update_aggregation(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const struct tcp_cc_sample *rs = bbr->rs;
	const uint64_t rounds = bbr->full_bw_reached ? EXTRA_ACKED_ROUNDS : 1;
	double expected = bbr->bw * seconds_from_ns(rs->now_ns - bbr->extra_acked_start_ns);

	if (bbr->extra_acked_delivered <= expected) {
		bbr->extra_acked_delivered = 0;
		bbr->extra_acked_start_ns = rs->now_ns;
		expected = 0;
	}
	bbr->extra_acked_delivered += (double)rs->acked_bytes;
	if (bbr->round_start && ++bbr->extra_acked_rounds >= rounds) {
		bbr->extra_acked_rounds = 0;
		bbr->extra_acked_max[1] = bbr->full_bw_reached ? bbr->extra_acked_max[0] : 0;
		bbr->extra_acked_max[0] = 0;
	}
	bbr->extra_acked_max[0] =
		fmax(bbr->extra_acked_max[0], fmin(bbr->extra_acked_delivered - expected,
						   (double)state->cwnd_bytes));
}

double bbr_model_extra_acked(const struct bbr *bbr)
{
	return fmax(bbr->extra_acked_max[0], bbr->extra_acked_max[1]);
}

void bbr_model_update(struct bbr *bbr, const struct tcp_cc_state *state)
{
	update_latest(bbr);
	update_congestion(bbr, state);
	update_aggregation(bbr, state);
}

void bbr_model_update_min_rtt(struct bbr *bbr)
{
	const struct tcp_cc_sample *rs = bbr->rs;

	bbr->probe_rtt_expired =
		rs->now_ns > bbr->probe_rtt_min_stamp_ns + PROBE_RTT_INTERVAL_NS;
	if (rs->rtt_ns && (bbr->probe_rtt_min_ns == 0 || rs->rtt_ns < bbr->probe_rtt_min_ns ||
			   bbr->probe_rtt_expired)) {
		/* The very first one is no refresh that is due. */
		if (bbr->probe_rtt_min_ns == 0)
			bbr->probe_rtt_expired = false;
		bbr->probe_rtt_min_ns = rs->rtt_ns;
		bbr->probe_rtt_min_stamp_ns = rs->now_ns;
	}
	if (bbr->probe_rtt_min_ns &&
	    (bbr->min_rtt_ns == 0 || bbr->probe_rtt_min_ns < bbr->min_rtt_ns ||
	     rs->now_ns > bbr->min_rtt_stamp_ns + MIN_RTT_FILTER_NS)) {
		bbr->min_rtt_ns = bbr->probe_rtt_min_ns;
		bbr->min_rtt_stamp_ns = bbr->probe_rtt_min_stamp_ns;
	}
}

void bbr_model_advance(struct bbr *bbr)
{
	if (bbr->loss_round_start) {
		bbr->bw_latest = rate_of(bbr->rs);
		bbr->inflight_latest = delivered_of(bbr->rs);
		bbr->losses_in_round = 0;
		bbr->lost_in_round = 0;
	}
	bbr->bw = fmin(bbr->max_bw, bbr->bw_shortterm);
}

bool bbr_model_inflight_too_high(const struct bbr *bbr)
{
	const struct tcp_cc_sample *rs = bbr->rs;
	const double lost = (double)(rs->lost_total_bytes - rs->prior_lost_bytes);

	if (lost > (double)rs->prior_in_flight_bytes * BBR_LOSS_THRESH)
		return true;
	return rs->marked_bytes && !bbr->classic_echo && marks_too_high(bbr);
}

double bbr_model_bdp(const struct bbr *bbr, double bw, double gain)
{
	if (bbr->min_rtt_ns == 0)
		return bbr->initial_cwnd;
	return gain * bw * seconds_from_ns(bbr->min_rtt_ns);
}
