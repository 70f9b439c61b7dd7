/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Reno's descendants share: slow start, additive increase, reduction, and
 * what comes below a window of one segment.
 */
#ifndef TCP_CC_RENO_H
#define TCP_CC_RENO_H

#include "base/units.h"
#include "tcp/cc.h"

/* Limits on growth in slow start, segments an acknowledgement (RFC 3465 sections 2.2, 2.3). */
#define RENO_GROWTH 2
#define RENO_GROWTH_AFTER_TIMEOUT 1
/* A retransmission timeout is this much more than a round trip, at least. */
#define RENO_WAIT_NS (200 * NS_PER_MS)

/*
 * What a reduction is of: the window, or what of it is in flight where the application or the
 * receiver does not fill it (FlightSize of RFC 5681 equation 4).
 */
static inline uint64_t reno_used_bytes(const struct tcp_cc_state *state,
				       const struct tcp_cc_sample *sample)
{
	/* Before this acknowledgement. */
	const uint64_t flight = sample->sent_end - sample->acked_end + sample->acked_bytes;

	return flight + state->mss_bytes < state->cwnd_bytes ? flight : state->cwnd_bytes;
}

/* Window after a reduction to `share` of it; a threshold of two segments at least (equation 4). */
static inline void reno_reduce_to(struct tcp_cc_state *state, const struct tcp_cc_sample *sample,
				  double share, unsigned least_segments)
{
	const uint64_t mss = state->mss_bytes;
	const uint64_t reduced = (uint64_t)((double)reno_used_bytes(state, sample) * share);

	state->ssthresh_bytes = reduced > 2 * mss ? reduced : 2 * mss;
	state->cwnd_bytes = reduced > least_segments * mss ? reduced : least_segments * mss;
}

static inline void reno_reduce(struct tcp_cc_state *state, const struct tcp_cc_sample *sample,
			       double share)
{
	reno_reduce_to(state, sample, share, 2);
}

/* Slow start by bytes acknowledged, at most `segments` an acknowledgement. */
static inline void reno_slow_start(struct tcp_cc_state *state, uint64_t acked_bytes,
				   unsigned segments)
{
	const uint64_t most = (uint64_t)segments * state->mss_bytes;

	state->cwnd_bytes += acked_bytes < most ? acked_bytes : most;
	if (state->cwnd_bytes > state->ssthresh_bytes)
		state->cwnd_bytes = state->ssthresh_bytes;
}

/* One segment per window acknowledged; `carry` holds what is not yet worth a byte. */
static inline void reno_avoid(struct tcp_cc_state *state, uint64_t acked_bytes, double *carry)
{
	*carry += (double)acked_bytes * state->mss_bytes / (double)state->cwnd_bytes;
	state->cwnd_bytes += (uint64_t)*carry;
	*carry -= (double)(uint64_t)*carry;
}

/* Window after a timeout (RFC 5681 section 3.1). */
static inline void reno_restart(struct tcp_cc_state *state, const struct tcp_cc_sample *sample,
				double share)
{
	/* A second timeout in a row finds a window of one segment: the threshold stays. */
	if (state->cwnd_bytes > state->mss_bytes)
		reno_reduce(state, sample, share);
	state->cwnd_bytes = state->mss_bytes;
}

/*
 * An ECN echo reduces as a loss does, down to `least_segments`; an echo that finds a window of
 * one segment slows the flow further, to one segment per retransmission timeout (RFC 3168
 * section 6.1.2, RFC 9438 section 4.6).
 */
static inline void reno_echo(struct tcp_cc_state *state, const struct tcp_cc_sample *sample,
			     double share, unsigned least_segments)
{
	if (state->cwnd_bytes > state->mss_bytes)
		reno_reduce_to(state, sample, share, least_segments);
	else
		state->pacing_bps =
			state->mss_bytes * 8 * NS_PER_S / (sample->srtt_ns + RENO_WAIT_NS);
}

/* An acknowledgement without an echo ends that. */
static inline void reno_echo_over(struct tcp_cc_state *state)
{
	state->pacing_bps = 0;
}

static inline bool reno_in_slow_start(const struct tcp_cc_state *state)
{
	return state->cwnd_bytes < state->ssthresh_bytes;
}

#endif
