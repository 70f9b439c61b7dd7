/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR version 3 (draft-ietf-ccwg-bbr-06): its events, pace and window.
 *
 * What the draft leaves open or takes from elsewhere:
 *
 * - ECN (section 3.7 leaves the response open): a classic echo bounds bandwidth and
 *   volume of its cycle as a loss does, and ends a probe upward.  Marks told packet by
 *   packet take a third of their smoothed share away, and say that a probe went too
 *   high when they are more than half, as in BBRv3's code.
 * - Nothing here sends in bursts: the send quantum is a segment, there is no
 *   offload budget.
 * - There is no event for a transmission: a restart from idle is seen at the
 *   acknowledgement of the first segment sent after it.
 *
 * With `linux_bbr` it is version 1, as Linux has it (bbr_linux.h).
 */
#include "tcp/cc/bbr.h"

#include <math.h>

/* BBR.PacingMarginPercent. */
#define PACING_MARGIN 0.01
#define STARTUP_PACING_GAIN 2.77
#define DEFAULT_CWND_GAIN 2
#define UP_CWND_GAIN 2.25
#define NOMINAL_RTT_NS NS_PER_MS

static double pacing_gain(const struct bbr *bbr)
{
	switch (bbr->state) {
	case BBR_STARTUP:
		return STARTUP_PACING_GAIN;
	case BBR_DRAIN:
		return 0.5;
	case BBR_DOWN:
		return 0.9;
	case BBR_UP:
		return 1.25;
	default:
		return 1;
	}
}

static double cwnd_gain(const struct bbr *bbr)
{
	if (bbr->state == BBR_PROBE_RTT)
		return 0.5;
	return bbr->state == BBR_UP ? UP_CWND_GAIN : DEFAULT_CWND_GAIN;
}

static void set_pacing(struct tcp_cc_state *state, double rate)
{
	const double mss = state->mss_bytes;

	state->pacing_bps = (uint64_t)(rate * 8 * (mss + TCP_HEADER_BYTES) / mss + 0.5);
	/* 0 would be "not paced". */
	if (state->pacing_bps == 0)
		state->pacing_bps = 1;
}

static void bbr_init(struct tcp_cc_state *state, void *priv)
{
	struct bbr *bbr = priv;

	if (state->options.linux_bbr) {
		bbr_linux_init(&bbr->deployed, state);
		return;
	}
	bbr->initial_cwnd = (double)state->cwnd_bytes;
	bbr_model_init(bbr, 0);
	bbr_probe_init(bbr);
	set_pacing(state, STARTUP_PACING_GAIN * bbr->initial_cwnd /
				  seconds_from_ns(NOMINAL_RTT_NS));
}

static void update_pacing(struct bbr *bbr, struct tcp_cc_state *state)
{
	const uint64_t before_bps = state->pacing_bps;

	if (!bbr->has_seen_rtt && bbr->rs->srtt_ns) {
		bbr->has_seen_rtt = true;
		set_pacing(state, STARTUP_PACING_GAIN * bbr->initial_cwnd /
					  seconds_from_ns(bbr->rs->srtt_ns));
		return;
	}
	/* Early losses can end the start, or bound the bandwidth, before any rate was measured. */
	if (bbr->bw <= 0)
		return;
	set_pacing(state, pacing_gain(bbr) * bbr->bw * (1 - PACING_MARGIN));
	if (!bbr->full_bw_reached && state->pacing_bps < before_bps)
		state->pacing_bps = before_bps;
}

static double max_inflight(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	double cap = bbr_model_bdp(bbr, bbr->bw, cwnd_gain(bbr)) + bbr_model_extra_acked(bbr);

	cap = fmax(cap, bbr_min_pipe(state));
	return bbr->state == BBR_UP ? cap + 2 * state->mss_bytes : cap;
}

/* What the model of congestion allows. */
static double bound(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	double cap = INFINITY;

	if (bbr->state == BBR_PROBE_RTT || bbr->state == BBR_CRUISE)
		cap = bbr_probe_inflight_with_headroom(bbr, state);
	else if (bbr_in_probe_bw(bbr))
		cap = bbr->inflight_longterm;
	return fmax(fmin(cap, bbr->inflight_shortterm), bbr_min_pipe(state));
}

static void update_cwnd(struct bbr *bbr, struct tcp_cc_state *state)
{
	const struct tcp_cc_sample *rs = bbr->rs;
	const double most = max_inflight(bbr, state);
	double cwnd = (double)state->cwnd_bytes;

	if (bbr->full_bw_reached)
		cwnd = fmin(cwnd + (double)rs->acked_bytes, most);
	else if (cwnd < most || (double)rs->delivered_bytes < bbr->initial_cwnd)
		cwnd += (double)rs->acked_bytes;
	cwnd = fmax(cwnd, bbr_min_pipe(state));
	if (bbr->state == BBR_PROBE_RTT)
		cwnd = fmin(cwnd, bbr_probe_rtt_cwnd(bbr, state));
	state->cwnd_bytes = (uint64_t)fmin(cwnd, bound(bbr, state));
}

void bbr_save_cwnd(struct bbr *bbr, const struct tcp_cc_state *state)
{
	const double cwnd = (double)state->cwnd_bytes;

	if (!bbr->recovering && bbr->state != BBR_PROBE_RTT)
		bbr->prior_cwnd = cwnd;
	else
		bbr->prior_cwnd = fmax(bbr->prior_cwnd, cwnd);
}

void bbr_restore_cwnd(struct bbr *bbr, struct tcp_cc_state *state)
{
	state->cwnd_bytes = (uint64_t)fmax((double)state->cwnd_bytes, bbr->prior_cwnd);
}

/* The first segment after a pause has been answered. */
static bool restarts(const struct bbr *bbr, const struct tcp_cc_state *state)
{
	return bbr->rs->rate_app_limited && bbr->rs->prior_in_flight_bytes <= state->mss_bytes;
}

static void end_recovery(struct bbr *bbr, struct tcp_cc_state *state)
{
	if (!bbr->recovering || bbr->rs->acked_end < bbr->recovery_end)
		return;
	bbr->recovering = false;
	bbr_restore_cwnd(bbr, state);
}

static void bbr_on_ack(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	struct bbr *bbr = priv;
	const uint64_t before = sample->in_flight_bytes + sample->acked_bytes;

	if (state->options.linux_bbr) {
		bbr_linux_on_ack(&bbr->deployed, state, sample);
		return;
	}
	bbr->rs = sample;
	if (sample->lost_bytes)
		bbr_model_note_loss(bbr, (double)sample->lost_bytes, sample->delivered_bytes);
	if (before + state->mss_bytes > state->cwnd_bytes)
		bbr->cwnd_limited_in_round = true;
	if (sample->acked_bytes == 0)
		return;
	bbr->rs_app_limited = sample->rate_app_limited ||
			      sample->prior_delivered_bytes < bbr->ignore_until_delivered;
	if (restarts(bbr, state)) {
		bbr->idle_restart = true;
		bbr->extra_acked_start_ns = sample->now_ns;
		bbr->extra_acked_delivered = 0;
	}
	bbr_model_update(bbr, state);
	bbr_probe_update(bbr, state);
	bbr_model_update_min_rtt(bbr);
	bbr_probe_check_rtt(bbr, state);
	bbr_model_advance(bbr);
	end_recovery(bbr, state);
	update_pacing(bbr, state);
	update_cwnd(bbr, state);
}

static void enter_recovery(struct bbr *bbr, const struct tcp_cc_state *state,
			   const struct tcp_cc_sample *sample)
{
	bbr_save_cwnd(bbr, state);
	if (!bbr->recovering)
		bbr->recovery_round = bbr->round_count;
	bbr->recovering = true;
	bbr->recovery_end = sample->sent_end;
}

static void bbr_on_segment_lost(struct tcp_cc_state *state, void *priv,
				const struct tcp_cc_lost *lost)
{
	if (!state->options.linux_bbr)
		bbr_probe_segment_lost(priv, lost);
}

static void bbr_on_loss(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	struct bbr *bbr = priv;

	if (state->options.linux_bbr)
		bbr_linux_on_loss(&bbr->deployed, state, sample);
	else
		enter_recovery(bbr, state, sample);
}

static void bbr_on_ecn(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	struct bbr *bbr = priv;

	(void)state;
	(void)sample;
	bbr->classic_echo = true;
	bbr->echo_in_round = true;
}

static void bbr_on_rto(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample)
{
	struct bbr *bbr = priv;

	if (state->options.linux_bbr) {
		bbr_linux_on_rto(&bbr->deployed, state, sample);
		return;
	}
	enter_recovery(bbr, state, sample);
	bbr_model_note_loss(bbr, 0, sample->delivered_bytes);
	state->cwnd_bytes = sample->in_flight_bytes + state->mss_bytes;
}

const struct tcp_cc_ops tcp_cc_bbr = {
	.name = "bbr",
	.summary = "BBR version 3 (draft-ietf-ccwg-bbr)",
	.private_size = sizeof(struct bbr),
	.rate_samples = true,
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_loss = bbr_on_loss,
	.on_segment_lost = bbr_on_segment_lost,
	.on_ecn = bbr_on_ecn,
	.on_rto = bbr_on_rto,
};
