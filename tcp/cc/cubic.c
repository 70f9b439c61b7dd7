/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 * The window follows W(t) = C (t - K)^3 + W_max (section 4.2, equation 1) since
 * the last reduction, never below what Reno would have (section 4.3), never
 * more than half again per round trip.  Windows are in segments here.  Times
 * when the application limits the flow do not count as time (section 4.2), and
 * after a timeout the curve starts at its plateau (section 4.8).
 *
 * With ABE (RFC 8511) an ECN echo in congestion avoidance leaves 0.85 of the window.
 * With `linux_cubic` the window grows as in Linux (cubic_linux.h).
 */
#include <math.h>

#include "base/units.h"
#include "tcp/cc/cubic_linux.h"
#include "tcp/cc/hystart.h"
#include "tcp/cc/reno.h"

#define C 0.4
#define BETA 0.7
#define BETA_ECN 0.85
/* Reno-friendly additive increase (section 4.3): 3 (1 - beta) / (1 + beta). */
#define ALPHA (3 * (1 - BETA) / (1 + BETA))

struct cubic {
	struct hystart hystart;
	struct cubic_linux deployed;
	double w_max;      /* segments */
	double k_s;        /* seconds from epoch to W_max */
	double w_reno;     /* segments: what Reno would have */
	double w_before;   /* cwnd at the last reduction */
	uint64_t epoch_ns; /* 0: none running */
	uint64_t last_ns;  /* of the last acknowledgement */
	double carry;      /* bytes not yet added */
	bool after_timeout; /* until congestion avoidance begins */
};

static void cubic_init(struct tcp_cc_state *state, void *priv)
{
	(void)state;
	(void)priv;
}

static void start_epoch(struct cubic *own, double window, uint64_t now_ns)
{
	own->epoch_ns = now_ns ? now_ns : 1;
	if (own->w_max < window || own->after_timeout)
		own->w_max = window;
	own->after_timeout = false;
	own->k_s = cbrt((own->w_max - window) / C);
	own->w_reno = window;
}

static void avoid(struct tcp_cc_state *state, struct cubic *own,
		  const struct tcp_cc_sample *sample)
{
	const double window = (double)state->cwnd_bytes / state->mss_bytes;
	const double acked = (double)sample->acked_bytes / state->mss_bytes;
	double t_s, target, grown;

	if (own->epoch_ns == 0)
		start_epoch(own, window, sample->now_ns);
	t_s = seconds_from_ns(sample->now_ns - own->epoch_ns + sample->srtt_ns) - own->k_s;
	target = C * t_s * t_s * t_s + own->w_max;
	target = fmin(fmax(target, window), 1.5 * window);
	/* Once past the window before the reduction, Reno's own increase (section 4.3). */
	own->w_reno += (own->w_reno < own->w_before ? ALPHA : 1) * acked / window;
	grown = (target - window) / window * acked;
	if (own->w_reno > window + grown)
		grown = own->w_reno - window;
	own->carry += grown * state->mss_bytes;
	state->cwnd_bytes += (uint64_t)own->carry;
	own->carry -= (double)(uint64_t)own->carry;
}

static void slow_start(struct tcp_cc_state *state, struct cubic *own,
		       const struct tcp_cc_sample *sample)
{
	bool leave;

	if (state->ssthresh_bytes != UINT64_MAX) {
		reno_slow_start(state, sample->acked_bytes,
				own->after_timeout ? RENO_GROWTH_AFTER_TIMEOUT : RENO_GROWTH);
		return;
	}
	reno_slow_start(state, hystart_growth(&own->hystart, sample, &leave), HYSTART_GROWTH);
	if (leave)
		state->ssthresh_bytes = state->cwnd_bytes;
}

static void cubic_on_ack(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	struct cubic *own = priv;
	const uint64_t before_ns = own->last_ns;

	own->last_ns = sample->now_ns;
	if (sample->app_limited && own->epoch_ns)
		own->epoch_ns += sample->now_ns - before_ns;
	if (sample->app_limited && own->deployed.epoch_ns)
		own->deployed.epoch_ns += sample->now_ns - before_ns;
	if (state->options.linux_cubic)
		cubic_linux_sample(state, &own->deployed, sample);
	/* No growth on an echo (RFC 3168 section 6.1.2). */
	if (sample->in_recovery || sample->app_limited || sample->ece)
		return;
	reno_echo_over(state);
	if (state->options.linux_cubic)
		cubic_linux_grow(state, &own->deployed, sample, own->w_max);
	else if (reno_in_slow_start(state))
		slow_start(state, own, sample);
	else
		avoid(state, own, sample);
}

static double beta(const struct tcp_cc_state *state)
{
	return state->options.linux_cubic ? CUBIC_LINUX_BETA : BETA;
}

/* Fast convergence (section 4.7): a flow that did not reach its old peak gives way. */
static void remember_peak(struct tcp_cc_state *state, struct cubic *own)
{
	const double window = (double)state->cwnd_bytes / state->mss_bytes;

	own->w_max = window < own->w_max ? window * (1 + beta(state)) / 2 : window;
	own->w_before = window;
	own->epoch_ns = 0;
	own->deployed.epoch_ns = 0;
}

static void cubic_on_loss(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	remember_peak(state, priv);
	reno_reduce(state, sample, beta(state));
}

static void cubic_on_ecn(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	const bool abe = state->options.abe && !reno_in_slow_start(state);

	remember_peak(state, priv);
	reno_echo(state, sample, abe ? BETA_ECN : beta(state), state->options.linux_cubic ? 2 : 1);
}

static void cubic_on_rto(struct tcp_cc_state *state, void *priv,
			 const struct tcp_cc_sample *sample)
{
	struct cubic *own = priv;

	remember_peak(state, own);
	own->after_timeout = true;
	reno_restart(state, sample, beta(state));
	if (state->options.linux_cubic) {
		own->w_max = 0;
		cubic_linux_forget(&own->deployed, sample);
	}
}

/*
 * Idle time is none in which the window could have been tried (RFC 9438 section 5.8): what follows
 * slow start is a new epoch.  Linux moves the running one instead.
 */
static void cubic_on_restart(struct tcp_cc_state *state, void *priv, uint64_t idle_ns)
{
	struct cubic *own = priv;

	(void)state;
	own->epoch_ns = 0;
	own->carry = 0;
	if (own->deployed.epoch_ns)
		own->deployed.epoch_ns += idle_ns;
}

const struct tcp_cc_ops tcp_cc_cubic = {
	.name = "cubic",
	.summary = "CUBIC (RFC 9438) with HyStart++ (RFC 9406)",
	.private_size = sizeof(struct cubic),
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_loss = cubic_on_loss,
	.on_ecn = cubic_on_ecn,
	.on_rto = cubic_on_rto,
	.on_restart = cubic_on_restart,
};
