/* SPDX-License-Identifier: BSD-2-Clause */
#include "tcp/cc/bbr_linux.h"

#include <math.h>

#include "base/units.h"

#define HIGH_GAIN 2.885 /* 2 / ln 2 */
#define CWND_GAIN 2
#define PHASES 8
#define PACING_MARGIN 0.01
#define FULL_BW_GROWTH 1.25
#define FULL_BW_ROUNDS 3
#define MIN_RTT_WINDOW_NS (10 * NS_PER_S)
#define PROBE_RTT_NS (200 * NS_PER_MS)
#define LEAST_SEGMENTS 4
#define EXTRA_ROUNDS 5
#define EXTRA_MAX_S 0.1
#define NOMINAL_RTT_S 0.001
#define QUANTUM_S (1.0 / 1024)
#define SLOW_BPS 1.2e6 /* below this a burst is one segment */

static double max_bw(const struct bbr_linux *bbr)
{
	double bw = 0;

	for (int i = 0; i < BBR_LINUX_BW_ROUNDS; i++)
		bw = fmax(bw, bbr->bw[i]);
	return bw;
}

static double pacing_gain(const struct bbr_linux *bbr)
{
	static const double gains[PHASES] = {1.25, 0.75, 1, 1, 1, 1, 1, 1};

	switch (bbr->mode) {
	case BBR_LINUX_STARTUP:
		return HIGH_GAIN;
	case BBR_LINUX_DRAIN:
		return 1 / HIGH_GAIN;
	case BBR_LINUX_PROBE_BW:
		return gains[bbr->cycle];
	default:
		return 1;
	}
}

static double cwnd_gain(const struct bbr_linux *bbr)
{
	return bbr->mode == BBR_LINUX_STARTUP || bbr->mode == BBR_LINUX_DRAIN ? HIGH_GAIN
	       : bbr->mode == BBR_LINUX_PROBE_BW			      ? CWND_GAIN
									      : 1;
}

static void set_pacing(struct tcp_cc_state *state, double rate)
{
	const double mss = state->mss_bytes;
	double segments = floor(rate * QUANTUM_S / mss);

	state->pacing_bps = (uint64_t)fmax(rate * 8 * (mss + TCP_HEADER_BYTES) / mss, 1);
	segments = fmax(segments, rate * 8 < SLOW_BPS ? 1 : 2);
	state->quantum_bytes = (uint64_t)segments * state->mss_bytes;
}

void bbr_linux_init(struct bbr_linux *bbr, struct tcp_cc_state *state)
{
	*bbr = (struct bbr_linux){.mode = BBR_LINUX_STARTUP};
	set_pacing(state, HIGH_GAIN * (double)state->cwnd_bytes / NOMINAL_RTT_S);
}

/* What fills the path at the gain; three bursts and an even number of segments keep hosts busy. */
static double inflight(const struct bbr_linux *bbr, const struct tcp_cc_state *state, double gain)
{
	const double mss = state->mss_bytes;
	double bytes = max_bw(bbr) * seconds_from_ns(bbr->min_rtt_ns) * gain;

	if (bbr->min_rtt_ns == 0)
		return 10 * mss;
	bytes = ceil(bytes / mss) * mss + 3 * (double)state->quantum_bytes;
	bytes = ceil(bytes / (2 * mss)) * 2 * mss;
	if (bbr->mode == BBR_LINUX_PROBE_BW && bbr->cycle == 0)
		bytes += 2 * mss;
	return bytes;
}

static void update_bw(struct bbr_linux *bbr, const struct tcp_cc_sample *sample)
{
	double *bw;
	const double rate = (double)sample->rate_bps / 8;

	bbr->round_start = sample->prior_delivered_bytes >= bbr->next_round_delivered;
	if (bbr->round_start) {
		bbr->next_round_delivered = sample->delivered_bytes;
		bbr->round_count++;
		bbr->conserving = false;
		bbr->bw[bbr->round_count % BBR_LINUX_BW_ROUNDS] = 0;
	}
	bw = &bbr->bw[bbr->round_count % BBR_LINUX_BW_ROUNDS];
	if (sample->rate_bps && (!sample->rate_app_limited || rate >= max_bw(bbr)))
		*bw = fmax(*bw, rate);
}

static void update_extra_acked(struct bbr_linux *bbr, const struct tcp_cc_state *state,
			       const struct tcp_cc_sample *sample)
{
	double expected = max_bw(bbr) * seconds_from_ns(sample->now_ns - bbr->epoch_ns), extra;

	if (bbr->round_start && ++bbr->extra_rounds >= EXTRA_ROUNDS) {
		bbr->extra_rounds = 0;
		bbr->extra_index ^= 1;
		bbr->extra_acked[bbr->extra_index] = 0;
	}
	if (bbr->epoch_acked <= expected) {
		bbr->epoch_acked = 0;
		bbr->epoch_ns = sample->now_ns;
		expected = 0;
	}
	bbr->epoch_acked += (double)sample->acked_bytes;
	extra = fmin(bbr->epoch_acked - expected, (double)state->cwnd_bytes);
	bbr->extra_acked[bbr->extra_index] = fmax(bbr->extra_acked[bbr->extra_index], extra);
}

static void begin_cycle(struct bbr_linux *bbr, const struct tcp_cc_sample *sample)
{
	/* Any phase but the one that drains: flows are not to probe in step. */
	const uint64_t chance = sample->now_ns * UINT64_C(6364136223846793005) >> 33;

	bbr->mode = BBR_LINUX_PROBE_BW;
	bbr->cycle = (unsigned)(PHASES - chance % (PHASES - 1)) % PHASES;
	bbr->cycle_ns = sample->now_ns;
}

static bool phase_is_over(const struct bbr_linux *bbr, const struct tcp_cc_state *state,
			  const struct tcp_cc_sample *sample)
{
	const bool is_long = sample->now_ns - bbr->cycle_ns > bbr->min_rtt_ns;
	const double before = (double)(sample->in_flight_bytes + sample->acked_bytes);

	if (bbr->cycle == 0)
		return is_long && (sample->lost_bytes ||
				   before + (double)state->quantum_bytes >=
					   inflight(bbr, state, pacing_gain(bbr)));
	if (bbr->cycle == 1)
		return is_long || before <= inflight(bbr, state, 1);
	return is_long;
}

static void check_full(struct bbr_linux *bbr, const struct tcp_cc_sample *sample)
{
	const double bw = max_bw(bbr);

	if (bbr->full_bw_reached || !bbr->round_start || sample->rate_app_limited)
		return;
	if (bw >= bbr->full_bw * FULL_BW_GROWTH) {
		bbr->full_bw = bw;
		bbr->full_bw_count = 0;
		return;
	}
	bbr->full_bw_reached = ++bbr->full_bw_count >= FULL_BW_ROUNDS;
}

static void end_probe_rtt(struct bbr_linux *bbr, struct tcp_cc_state *state,
			  const struct tcp_cc_sample *sample)
{
	bbr->min_rtt_stamp_ns = sample->now_ns;
	state->cwnd_bytes = (uint64_t)fmax((double)state->cwnd_bytes, bbr->prior_cwnd);
	if (bbr->full_bw_reached)
		begin_cycle(bbr, sample);
	else
		bbr->mode = BBR_LINUX_STARTUP;
}

static void probe_rtt(struct bbr_linux *bbr, struct tcp_cc_state *state,
		      const struct tcp_cc_sample *sample)
{
	if (bbr->probe_rtt_done_ns == 0) {
		if (sample->in_flight_bytes > LEAST_SEGMENTS * state->mss_bytes)
			return;
		bbr->probe_rtt_done_ns = sample->now_ns + PROBE_RTT_NS;
		bbr->probe_rtt_round_done = false;
		bbr->next_round_delivered = sample->delivered_bytes;
		return;
	}
	bbr->probe_rtt_round_done |= bbr->round_start;
	if (bbr->probe_rtt_round_done && sample->now_ns > bbr->probe_rtt_done_ns)
		end_probe_rtt(bbr, state, sample);
}

static void update_min_rtt(struct bbr_linux *bbr, struct tcp_cc_state *state,
			   const struct tcp_cc_sample *sample)
{
	const bool expired = bbr->min_rtt_ns &&
			     sample->now_ns > bbr->min_rtt_stamp_ns + MIN_RTT_WINDOW_NS;

	if (sample->rtt_ns &&
	    (bbr->min_rtt_ns == 0 || sample->rtt_ns < bbr->min_rtt_ns || expired)) {
		bbr->min_rtt_ns = sample->rtt_ns;
		bbr->min_rtt_stamp_ns = sample->now_ns;
	}
	if (expired && bbr->mode != BBR_LINUX_PROBE_RTT) {
		bbr->mode = BBR_LINUX_PROBE_RTT;
		bbr->prior_cwnd = (double)state->cwnd_bytes;
		bbr->probe_rtt_done_ns = 0;
	}
	if (bbr->mode == BBR_LINUX_PROBE_RTT)
		probe_rtt(bbr, state, sample);
}

static void update_mode(struct bbr_linux *bbr, struct tcp_cc_state *state,
			const struct tcp_cc_sample *sample)
{
	if (bbr->mode == BBR_LINUX_PROBE_BW && phase_is_over(bbr, state, sample)) {
		bbr->cycle = (bbr->cycle + 1) % PHASES;
		bbr->cycle_ns = sample->now_ns;
	}
	check_full(bbr, sample);
	if (bbr->mode == BBR_LINUX_STARTUP && bbr->full_bw_reached)
		bbr->mode = BBR_LINUX_DRAIN;
	if (bbr->mode == BBR_LINUX_DRAIN &&
	    (double)sample->in_flight_bytes <= inflight(bbr, state, 1))
		begin_cycle(bbr, sample);
	update_min_rtt(bbr, state, sample);
}

static void update_pacing(struct bbr_linux *bbr, struct tcp_cc_state *state,
			  const struct tcp_cc_sample *sample)
{
	const uint64_t before_bps = state->pacing_bps, before_bytes = state->quantum_bytes;

	if (!bbr->has_seen_rtt && sample->srtt_ns) {
		bbr->has_seen_rtt = true;
		set_pacing(state, HIGH_GAIN * (double)state->cwnd_bytes /
					  seconds_from_ns(sample->srtt_ns));
		return;
	}
	if (max_bw(bbr) <= 0)
		return;
	set_pacing(state, pacing_gain(bbr) * max_bw(bbr) * (1 - PACING_MARGIN));
	if (!bbr->full_bw_reached && state->pacing_bps < before_bps) {
		state->pacing_bps = before_bps;
		state->quantum_bytes = before_bytes;
	}
}

static void update_cwnd(struct bbr_linux *bbr, struct tcp_cc_state *state,
			const struct tcp_cc_sample *sample)
{
	const double mss = state->mss_bytes, acked = (double)sample->acked_bytes;
	double cwnd = (double)state->cwnd_bytes, target = inflight(bbr, state, cwnd_gain(bbr));

	if (bbr->recovering && !sample->in_recovery) {
		bbr->recovering = bbr->conserving = false;
		cwnd = fmax(cwnd, bbr->prior_cwnd);
	}
	if (bbr->full_bw_reached)
		target += fmin(fmax(bbr->extra_acked[0], bbr->extra_acked[1]),
			       max_bw(bbr) * EXTRA_MAX_S);
	if (bbr->conserving)
		cwnd = fmax(cwnd, (double)sample->in_flight_bytes + acked);
	else if (bbr->full_bw_reached)
		cwnd = fmin(cwnd + acked, target);
	else if (cwnd < target || (double)sample->delivered_bytes < 10 * mss)
		cwnd += acked;
	cwnd = fmax(cwnd, LEAST_SEGMENTS * mss);
	if (bbr->mode == BBR_LINUX_PROBE_RTT)
		cwnd = fmin(cwnd, LEAST_SEGMENTS * mss);
	state->cwnd_bytes = (uint64_t)cwnd;
}

void bbr_linux_on_ack(struct bbr_linux *bbr, struct tcp_cc_state *state,
		      const struct tcp_cc_sample *sample)
{
	if (sample->acked_bytes == 0)
		return;
	update_bw(bbr, sample);
	update_extra_acked(bbr, state, sample);
	update_mode(bbr, state, sample);
	update_pacing(bbr, state, sample);
	update_cwnd(bbr, state, sample);
}

void bbr_linux_on_loss(struct bbr_linux *bbr, struct tcp_cc_state *state,
		       const struct tcp_cc_sample *sample)
{
	if (!bbr->recovering && bbr->mode != BBR_LINUX_PROBE_RTT)
		bbr->prior_cwnd = (double)state->cwnd_bytes;
	bbr->recovering = bbr->conserving = true;
	bbr->next_round_delivered = sample->delivered_bytes;
	state->cwnd_bytes = sample->in_flight_bytes + state->mss_bytes;
}

void bbr_linux_on_rto(struct bbr_linux *bbr, struct tcp_cc_state *state,
		      const struct tcp_cc_sample *sample)
{
	bbr_linux_on_loss(bbr, state, sample);
	bbr->full_bw = 0;
	bbr->round_start = true;
}
