/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR's state machine (draft-ietf-ccwg-bbr-06 section 5.3): Startup, Drain, the
 * cycle of ProbeBW (down, cruise, refill, up) and ProbeRTT.  A loss that turns out
 * spurious is not undone.
 */
#include <math.h>

#include "tcp/cc/bbr.h"

#define FULL_BW_GROWTH 1.25
#define FULL_BW_ROUNDS 3
#define STARTUP_LOSSES 6
#define STARTUP_MARKED_ROUNDS 2 /* as in BBRv3's code */
#define DRAIN_ROUNDS 3
#define PROBE_RTT_NS (200 * NS_PER_MS)
#define PROBE_RTT_CWND_GAIN 0.5
#define PROBE_WAIT_NS (2 * NS_PER_S)
#define PROBE_WAIT_SPREAD_NS NS_PER_S
/* Reno's time to win back a window, in rounds; longer ones are not waited for. */
#define RENO_ROUNDS 63

void bbr_probe_init(struct bbr *bbr)
{
	bbr->state = BBR_STARTUP;
	bbr->probe_up_acked_per_inc = INFINITY;
	bbr->too_high_inflight = INFINITY;
}

static void reset_full_bw(struct bbr *bbr, double full_bw)
{
	bbr->full_bw = full_bw;
	bbr->full_bw_count = 0;
	bbr->full_bw_now = false;
}

static double inflight(const struct bbr *bbr, const struct tcp_cc_state *state, double bw)
{
	return fmax(bbr_model_bdp(bbr, bw, 1), bbr_min_pipe(state));
}

static double target_inflight(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	return fmin(bbr_model_bdp(bbr, bbr->bw, 1), (double)state->cwnd_bytes);
}

double bbr_probe_inflight_with_headroom(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double headroom = fmax(state->mss_bytes, BBR_HEADROOM * bbr->inflight_longterm);

	if (isinf(bbr->inflight_longterm))
		return INFINITY;
	return fmax(bbr->inflight_longterm - headroom, bbr_min_pipe(state));
}

static void check_full_bw_reached(struct bbr *bbr)
{
	const double rate = (double)bbr->rs->rate_bps / 8;

	if (bbr->full_bw_now || !bbr->round_start || bbr->rs_app_limited || rate <= 0)
		return;
	if (rate >= bbr->full_bw * FULL_BW_GROWTH) {
		reset_full_bw(bbr, rate);
		return;
	}
	if (++bbr->full_bw_count < FULL_BW_ROUNDS)
		return;
	bbr->full_bw_now = true;
	bbr->full_bw_reached = true;
}

/* A round of recovery with many losses, or two with marks, fills the pipe too. */
static void check_startup_congestion(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double sent = (double)bbr->rs->prior_in_flight_bytes;
	const bool lossy = bbr->recovering && bbr->round_count > bbr->recovery_round &&
			   bbr->losses_in_round >= STARTUP_LOSSES &&
			   bbr->lost_in_round > BBR_LOSS_THRESH * sent;
	const bool marked = bbr->marked_rounds >= STARTUP_MARKED_ROUNDS;

	if (bbr->full_bw_reached || (!lossy && !marked))
		return;
	bbr->full_bw_reached = true;
	bbr->inflight_longterm =
		fmax(bbr_model_bdp(bbr, bbr->bw, 1), bbr->inflight_latest);
	bbr->inflight_longterm = fmax(bbr->inflight_longterm, bbr_min_pipe(state));
}

/*
 * A number that differs from flow to flow and from time to time, and is the same in every
 * repetition of a run (the mixer of splitmix64).
 */
static uint64_t scramble(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static void start_down(struct bbr *bbr)
{
	const uint64_t chance = scramble(bbr->rs->now_ns ^ bbr->rs->delivered_bytes << 20);

	bbr_model_reset_congestion(bbr);
	bbr->probe_up_acked_per_inc = INFINITY;
	bbr->rounds_since_probe_up = chance & 1;
	bbr->bw_probe_wait_ns = PROBE_WAIT_NS + (chance >> 1) % PROBE_WAIT_SPREAD_NS;
	bbr->cycle_stamp_ns = bbr->rs->now_ns;
	bbr->acks = BBR_ACKS_PROBE_STOPPING;
	bbr_model_start_round(bbr);
	bbr->state = BBR_DOWN;
}

static void start_refill(struct bbr *bbr)
{
	bbr_model_reset_shortterm(bbr);
	bbr->probe_up_rounds = 0;
	bbr->probe_up_acked = 0;
	bbr->prev_probe_precautionary = false;
	bbr->acks = BBR_ACKS_REFILLING;
	bbr_model_start_round(bbr);
	bbr->state = BBR_REFILL;
}

/* The bound grows by 1, 2, 4, ... segments a round, spread over it. */
static void raise_longterm_slope(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double growth = (double)(UINT64_C(1) << bbr->probe_up_rounds);

	if (bbr->probe_up_rounds < 30)
		bbr->probe_up_rounds++;
	bbr->probe_up_acked_per_inc =
		fmax((double)state->cwnd_bytes / growth, state->mss_bytes);
}

static void start_up(struct bbr *bbr, const struct tcp_cc_state *state)
{
	bbr->acks = BBR_ACKS_PROBE_STARTING;
	bbr_model_start_round(bbr);
	reset_full_bw(bbr, (double)bbr->rs->rate_bps / 8);
	bbr->state = BBR_UP;
	raise_longterm_slope(bbr, state);
}

/* The window is what limits the flow, and the longterm bound what limits the window. */
static bool is_at_longterm(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	return (bbr->cwnd_limited || bbr->cwnd_limited_in_round) &&
	       (double)state->cwnd_bytes + 1 > bbr->inflight_longterm;
}

static void probe_longterm_upward(struct bbr *bbr, const struct tcp_cc_state *state)
{
	double steps;

	if (!is_at_longterm(bbr, state))
		return;
	bbr->probe_up_acked += (double)bbr->rs->acked_bytes;
	steps = floor(bbr->probe_up_acked / bbr->probe_up_acked_per_inc);
	bbr->probe_up_acked -= steps * bbr->probe_up_acked_per_inc;
	bbr->inflight_longterm += steps * state->mss_bytes;
	if (bbr->round_start)
		raise_longterm_slope(bbr, state);
}

/* What was in flight when losses crossed the threshold, somewhere within this segment. */
static double inflight_at_loss(const struct tcp_cc_lost *lost)
{
	const double before = (double)lost->prior_in_flight_bytes - (double)lost->bytes;
	const double lost_before = (double)lost->lost_since_bytes - (double)lost->bytes;

	return before + (BBR_LOSS_THRESH * before - lost_before) / (1 - BBR_LOSS_THRESH);
}

void bbr_probe_segment_lost(struct bbr *bbr, const struct tcp_cc_lost *lost)
{
	if (!bbr->bw_probe_sample || !isinf(bbr->too_high_inflight) ||
	    (double)lost->lost_since_bytes <=
		    BBR_LOSS_THRESH * (double)lost->prior_in_flight_bytes)
		return;
	bbr->too_high_inflight = inflight_at_loss(lost);
	bbr->too_high_app_limited = lost->app_limited;
}

/* Losses or marks of what was sent while probing: the bound, once per probe. */
static void handle_inflight_too_high(struct bbr *bbr, const struct tcp_cc_state *state,
				     double inflight_bytes, bool app_limited)
{
	bbr->prev_probe_too_high = true;
	bbr->bw_probe_sample = false;
	if (!app_limited)
		bbr->inflight_longterm =
			fmax(inflight_bytes, BBR_BETA * target_inflight(bbr, state));
	if (bbr->state == BBR_UP)
		start_down(bbr);
}

/* At the acknowledgement that told of lost segments. */
static void take_lost_segments(struct bbr *bbr, const struct tcp_cc_state *state)
{
	if (!isinf(bbr->too_high_inflight) && bbr->bw_probe_sample)
		handle_inflight_too_high(bbr, state, bbr->too_high_inflight,
					 bbr->too_high_app_limited);
	bbr->too_high_inflight = INFINITY;
}

/* Returns true when it decided what comes next. */
static bool adapt_longterm_model(struct bbr *bbr, const struct tcp_cc_state *state)
{
	if (bbr->acks == BBR_ACKS_PROBE_STARTING && bbr->round_start)
		bbr->acks = BBR_ACKS_PROBE_FEEDBACK;
	if (bbr->acks == BBR_ACKS_PROBE_STOPPING && bbr->round_start) {
		bbr->bw_probe_sample = false;
		bbr->acks = BBR_ACKS_INIT;
		if (bbr_in_probe_bw(bbr) && !bbr->rs_app_limited)
			bbr_model_advance_max_bw(bbr);
		if (bbr_in_probe_bw(bbr) && bbr->prev_probe_precautionary &&
		    !bbr->prev_probe_too_high) {
			start_refill(bbr);
			return true;
		}
	}
	if (bbr_model_inflight_too_high(bbr)) {
		if (bbr->bw_probe_sample && bbr->rs->marked_bytes)
			handle_inflight_too_high(bbr, state,
						 (double)bbr->rs->prior_in_flight_bytes,
						 bbr->rs_app_limited);
		return false;
	}
	if (isinf(bbr->inflight_longterm))
		return false;
	bbr->inflight_longterm =
		fmax(bbr->inflight_longterm, (double)bbr->rs->prior_in_flight_bytes);
	if (bbr->state == BBR_UP)
		probe_longterm_upward(bbr, state);
	return false;
}

static bool is_time_to_probe_bw(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double reno_rounds = target_inflight(bbr, state) / state->mss_bytes;

	if (bbr->rs->now_ns <= bbr->cycle_stamp_ns + bbr->bw_probe_wait_ns &&
	    (double)bbr->rounds_since_probe_up < fmin(reno_rounds, RENO_ROUNDS))
		return false;
	start_refill(bbr);
	return true;
}

static bool is_time_to_cruise(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double now = (double)bbr->rs->in_flight_bytes;

	return now <= bbr_probe_inflight_with_headroom(bbr, state) &&
	       now <= inflight(bbr, state, bbr->max_bw);
}

static bool is_time_to_go_down(struct bbr *bbr, const struct tcp_cc_state *state)
{
	if (bbr->prev_probe_too_high &&
	    (double)bbr->rs->in_flight_bytes >= bbr->inflight_longterm) {
		bbr->prev_probe_precautionary = true;
		return true;
	}
	/* A queue with classic marks says that it is building: enough is known. */
	if (bbr->classic_echo && bbr->rs->marked_bytes)
		return true;
	if (is_at_longterm(bbr, state))
		reset_full_bw(bbr, (double)bbr->rs->rate_bps / 8);
	else if (bbr->full_bw_now)
		return true;
	return false;
}

static void update_cycle(struct bbr *bbr, const struct tcp_cc_state *state)
{
	if (!bbr->full_bw_reached || adapt_longterm_model(bbr, state))
		return;
	switch (bbr->state) {
	case BBR_DOWN:
		if (!is_time_to_probe_bw(bbr, state) && is_time_to_cruise(bbr, state))
			bbr->state = BBR_CRUISE;
		break;
	case BBR_CRUISE:
		is_time_to_probe_bw(bbr, state);
		break;
	case BBR_REFILL:
		if (bbr->round_start) {
			bbr->bw_probe_sample = true;
			start_up(bbr, state);
		}
		break;
	case BBR_UP:
		if (is_time_to_go_down(bbr, state)) {
			bbr->prev_probe_too_high = false;
			start_down(bbr);
		}
		break;
	default:
		break;
	}
}

void bbr_probe_update(struct bbr *bbr, struct tcp_cc_state *state)
{
	take_lost_segments(bbr, state);
	check_full_bw_reached(bbr);
	check_startup_congestion(bbr, state);
	if (bbr->state == BBR_STARTUP && bbr->full_bw_reached) {
		bbr->state = BBR_DRAIN;
		bbr->drain_start_round = bbr->round_count;
	}
	if (bbr->state == BBR_DRAIN &&
	    ((double)bbr->rs->in_flight_bytes <= inflight(bbr, state, bbr->bw) ||
	     bbr->round_count > bbr->drain_start_round + DRAIN_ROUNDS))
		start_down(bbr);
	update_cycle(bbr, state);
}

double bbr_probe_rtt_cwnd(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	return fmax(bbr_model_bdp(bbr, bbr->bw, PROBE_RTT_CWND_GAIN), bbr_min_pipe(state));
}

static void exit_probe_rtt(struct bbr *bbr)
{
	bbr_model_reset_shortterm(bbr);
	if (!bbr->full_bw_reached) {
		bbr->state = BBR_STARTUP;
		return;
	}
	start_down(bbr);
	bbr->state = BBR_CRUISE;
}

static void handle_probe_rtt(struct bbr *bbr, struct tcp_cc_state *state)
{
	const struct tcp_cc_sample *rs = bbr->rs;

	bbr->ignore_until_delivered = rs->delivered_bytes + rs->in_flight_bytes;
	if (bbr->probe_rtt_done_ns == 0) {
		if ((double)rs->in_flight_bytes > bbr_probe_rtt_cwnd(bbr, state))
			return;
		bbr->probe_rtt_done_ns = rs->now_ns + PROBE_RTT_NS;
		bbr->probe_rtt_round_done = false;
		bbr_model_start_round(bbr);
		return;
	}
	if (bbr->round_start)
		bbr->probe_rtt_round_done = true;
	if (!bbr->probe_rtt_round_done || rs->now_ns <= bbr->probe_rtt_done_ns)
		return;
	bbr->probe_rtt_min_stamp_ns = rs->now_ns;
	bbr_restore_cwnd(bbr, state);
	exit_probe_rtt(bbr);
}

void bbr_probe_check_rtt(struct bbr *bbr, struct tcp_cc_state *state)
{
	if (bbr->state != BBR_PROBE_RTT && bbr->probe_rtt_expired && !bbr->idle_restart) {
		bbr_save_cwnd(bbr, state);
		bbr->state = BBR_PROBE_RTT;
		bbr->probe_rtt_done_ns = 0;
		bbr->acks = BBR_ACKS_PROBE_STOPPING;
		bbr_model_start_round(bbr);
	}
	if (bbr->state == BBR_PROBE_RTT)
		handle_probe_rtt(bbr, state);
	bbr->idle_restart = false;
}
