/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Reno's descendants share: slow start, additive increase, reduction.
 */
#ifndef TCP_CC_RENO_H
#define TCP_CC_RENO_H

#include "tcp/cc.h"

static inline uint64_t reno_floor_bytes(const struct tcp_cc_state *state)
{
	return 2 * (uint64_t)state->mss_bytes;
}

/* Window after a reduction to `share` of it, at least two segments (RFC 5681 equation 4). */
static inline void reno_reduce(struct tcp_cc_state *state, double share)
{
	const uint64_t reduced = (uint64_t)((double)state->cwnd_bytes * share);

	state->ssthresh_bytes =
		reduced > reno_floor_bytes(state) ? reduced : reno_floor_bytes(state);
	state->cwnd_bytes = state->ssthresh_bytes;
}

/* Slow start by bytes acknowledged (RFC 3465 with L unlimited, as Linux does). */
static inline void reno_slow_start(struct tcp_cc_state *state, uint64_t acked_bytes)
{
	state->cwnd_bytes += acked_bytes;
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
static inline void reno_restart(struct tcp_cc_state *state, double share)
{
	/* A second timeout in a row finds a window of one segment: the threshold stays. */
	if (state->cwnd_bytes > state->mss_bytes)
		reno_reduce(state, share);
	state->cwnd_bytes = state->mss_bytes;
}

#endif
