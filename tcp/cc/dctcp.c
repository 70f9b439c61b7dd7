/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DCTCP (RFC 8257): once per window, alpha moves by 1/16 towards the share of
 * bytes that were marked (section 3.3), and a window with a mark shrinks by
 * alpha / 2.  Losses halve, as in Reno; growth is Reno's.
 *
 * With `linux_dctcp` it is as Linux has it, with kernel/bpf's control: windows are whole segments,
 * and grow not at all from a reduction until what was in flight then is acknowledged (the state
 * CWR); packets leave at 1.2 times, in slow start twice, the window per round trip, two segments or
 * a millisecond's worth at once.
 */
#include <math.h>

#include "tcp/cc/reno.h"

#define GAIN (1.0 / 16)
#define LINUX_PACE 1.2            /* of a window per round trip */
#define LINUX_PACE_SLOW_START 2.0 /* while the window is under half the threshold */
#define LINUX_BURST_NS NS_PER_MS

struct dctcp {
	double alpha;
	double carry;
	uint64_t window_end;    /* byte; the observation window ends when it is acknowledged */
	uint64_t acked, marked; /* bytes in this window */
	uint64_t reduction_end; /* byte; no second reduction before it is acknowledged */
	bool after_timeout;     /* slow start that a timeout began */
};

static void dctcp_init(struct tcp_cc_state *state, void *priv)
{
	(void)state;
	((struct dctcp *)priv)->alpha = 1;
}

static void observe(struct dctcp *own, const struct tcp_cc_sample *sample)
{
	own->acked += sample->acked_bytes;
	own->marked += sample->marked_bytes;
	if (sample->acked_end < own->window_end || own->acked == 0)
		return;
	own->alpha += GAIN * ((double)own->marked / (double)own->acked - own->alpha);
	own->acked = 0;
	own->marked = 0;
	own->window_end = sample->sent_end;
}

static void pace_as_linux(struct tcp_cc_state *state, const struct tcp_cc_sample *sample)
{
	const bool slow_start = state->cwnd_bytes < state->ssthresh_bytes / 2;
	uint64_t segments;
	double bps;

	if (sample->srtt_ns == 0)
		return;
	bps = (double)state->cwnd_bytes * 8 * NS_PER_S / (double)sample->srtt_ns *
	      (slow_start ? LINUX_PACE_SLOW_START : LINUX_PACE);
	state->pacing_bps = (uint64_t)bps;
	segments = (uint64_t)(bps / 8 * LINUX_BURST_NS / NS_PER_S) / state->mss_bytes;
	state->quantum_bytes = (segments < 2 ? 2 : segments) * state->mss_bytes;
}

/* Whole segments: what is less than half of one is no reduction. */
static void reduce_as_linux(struct tcp_cc_state *state, const struct dctcp *own)
{
	const double window = round((double)state->cwnd_bytes / state->mss_bytes);
	const double less = floor(window * own->alpha / 2 + 0.5);

	state->cwnd_bytes = (uint64_t)fmax(window - less, 2) * state->mss_bytes;
	state->ssthresh_bytes = state->cwnd_bytes;
}

/* Segments are counted until there is one more for the window. */
static void avoid_as_linux(struct tcp_cc_state *state, struct dctcp *own, uint64_t acked_bytes)
{
	own->carry += (double)acked_bytes;
	if (own->carry < (double)state->cwnd_bytes)
		return;
	own->carry -= (double)state->cwnd_bytes;
	state->cwnd_bytes += state->mss_bytes;
}

static void answer_as_linux(struct tcp_cc_state *state, struct dctcp *own,
			    const struct tcp_cc_sample *sample)
{
	if (own->reduction_end && sample->acked_end <= own->reduction_end)
		return;
	if (sample->ece) {
		reduce_as_linux(state, own);
		own->reduction_end = sample->sent_end;
	} else if (!sample->app_limited && reno_in_slow_start(state)) {
		reno_slow_start(state, sample->acked_bytes, UINT16_MAX);
	} else if (!sample->app_limited) {
		avoid_as_linux(state, own, sample->acked_bytes);
	}
}

static void dctcp_on_ack(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	struct dctcp *own = priv;

	observe(own, sample);
	if (state->options.linux_dctcp)
		pace_as_linux(state, sample);
	if (sample->in_recovery)
		return;
	if (state->options.linux_dctcp) {
		answer_as_linux(state, own, sample);
		return;
	}
	if (sample->ece && sample->acked_end >= own->reduction_end) {
		reno_reduce(state, sample, 1 - own->alpha / 2);
		own->reduction_end = sample->sent_end;
		return;
	}
	if (sample->app_limited || sample->ece)
		return;
	if (reno_in_slow_start(state)) {
		reno_slow_start(state, sample->acked_bytes,
				own->after_timeout ? RENO_GROWTH_AFTER_TIMEOUT : RENO_GROWTH);
		return;
	}
	own->after_timeout = false;
	reno_avoid(state, sample->acked_bytes, &own->carry);
}

static void dctcp_on_loss(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	(void)priv;
	reno_reduce(state, sample, 0.5);
}

/* Echoes are handled in on_ack(). */
static void dctcp_on_ecn(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	(void)state;
	(void)priv;
	(void)sample;
}

static void dctcp_on_rto(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	((struct dctcp *)priv)->after_timeout = true;
	reno_restart(state, sample, 0.5);
}

const struct tcp_cc_ops tcp_cc_dctcp = {
	.name = "dctcp",
	.summary = "Data Center TCP (RFC 8257)",
	.private_size = sizeof(struct dctcp),
	.exact_ce_echo = true,
	.init = dctcp_init,
	.on_ack = dctcp_on_ack,
	.on_loss = dctcp_on_loss,
	.on_ecn = dctcp_on_ecn,
	.on_rto = dctcp_on_rto,
};
