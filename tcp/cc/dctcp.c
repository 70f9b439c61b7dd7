/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DCTCP (RFC 8257): once per window, alpha moves by 1/16 towards the share of
 * bytes that were marked (section 3.3), and a window with a mark shrinks by
 * alpha / 2.  Losses halve, as in Reno; growth is Reno's.
 */
#include "tcp/cc/reno.h"

#define GAIN (1.0 / 16)

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

static void dctcp_on_ack(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	struct dctcp *own = priv;

	observe(own, sample);
	if (sample->in_recovery)
		return;
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
