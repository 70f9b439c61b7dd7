/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NewReno's congestion control (RFC 5681, RFC 6582): halve on a loss or an ECN
 * echo, grow by one segment per round trip.  Recovery itself is the sender's.
 */
#include "tcp/cc/reno.h"

struct newreno {
	double carry;
};

static void newreno_init(struct tcp_cc_state *state, void *priv)
{
	(void)state;
	(void)priv;
}

static void newreno_on_ack(struct tcp_cc_state *state, void *priv,
			   const struct tcp_cc_sample *sample)
{
	struct newreno *own = priv;

	if (sample->in_recovery || sample->app_limited)
		return;
	if (state->cwnd_bytes < state->ssthresh_bytes)
		reno_slow_start(state, sample->acked_bytes);
	else
		reno_avoid(state, sample->acked_bytes, &own->carry);
}

static void newreno_on_loss(struct tcp_cc_state *state, void *priv,
			    const struct tcp_cc_sample *sample)
{
	(void)priv;
	(void)sample;
	reno_reduce(state, 0.5);
}

static void newreno_on_rto(struct tcp_cc_state *state, void *priv,
			   const struct tcp_cc_sample *sample)
{
	(void)priv;
	(void)sample;
	reno_restart(state, 0.5);
}

const struct tcp_cc_ops tcp_cc_newreno = {
	.name = "newreno",
	.summary = "NewReno (RFC 6582)",
	.private_size = sizeof(struct newreno),
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_loss = newreno_on_loss,
	.on_ecn = newreno_on_loss,
	.on_rto = newreno_on_rto,
};
