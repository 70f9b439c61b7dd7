/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NewReno's congestion control (RFC 5681, RFC 6582): halve on a loss or an ECN
 * echo, grow by one segment per round trip.  Recovery itself is the sender's.
 *
 * With ABE (RFC 8511) an echo in congestion avoidance leaves 0.8 of the window:
 * where there is ECN, there is a short queue.
 */
#include "tcp/cc/reno.h"

#define BETA 0.5
#define BETA_ECN 0.8

struct newreno {
	double carry;
	bool after_timeout; /* slow start that a timeout began */
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

	/* No growth on an echo either (RFC 3168 section 6.1.2). */
	if (sample->in_recovery || sample->app_limited || sample->ece)
		return;
	reno_echo_over(state);
	if (reno_in_slow_start(state)) {
		reno_slow_start(state, sample->acked_bytes,
				own->after_timeout ? RENO_GROWTH_AFTER_TIMEOUT : RENO_GROWTH);
		return;
	}
	own->after_timeout = false;
	reno_avoid(state, sample->acked_bytes, &own->carry);
}

static void newreno_on_loss(struct tcp_cc_state *state, void *priv,
			    const struct tcp_cc_sample *sample)
{
	(void)priv;
	reno_reduce(state, sample, BETA);
}

static void newreno_on_ecn(struct tcp_cc_state *state, void *priv,
			   const struct tcp_cc_sample *sample)
{
	const bool abe = state->options.abe && !reno_in_slow_start(state);

	(void)priv;
	reno_echo(state, sample, abe ? BETA_ECN : BETA, 2);
}

static void newreno_on_rto(struct tcp_cc_state *state, void *priv,
			   const struct tcp_cc_sample *sample)
{
	((struct newreno *)priv)->after_timeout = true;
	reno_restart(state, sample, BETA);
}

const struct tcp_cc_ops tcp_cc_newreno = {
	.name = "newreno",
	.summary = "NewReno (RFC 6582)",
	.private_size = sizeof(struct newreno),
	.init = newreno_init,
	.on_ack = newreno_on_ack,
	.on_loss = newreno_on_loss,
	.on_ecn = newreno_on_ecn,
	.on_rto = newreno_on_rto,
};
