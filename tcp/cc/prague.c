/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP Prague (draft-briscoe-iccrg-prague-congestion-control-04): DCTCP made fit
 * for the Internet.
 *
 * - The window is fractional; it grows with every acknowledged byte that was not
 *   marked, marks or not, by one segment per round trip of nothing but those
 *   (section 2.4.3), and shrinks by alpha / 2 at most once per round trip.
 * - alpha, the smoothed share of marked bytes, moves by 1/16 of the distance once
 *   per round trip (section 2.4.1).
 * - RTT independence (section 2.4.4): some rounds after slow start, "round trip"
 *   means at least 25 ms in all of that, and additive increase is scaled by the
 *   square of the ratio, so that flows with shorter round trips get no more than
 *   one of 25 ms does.
 * - Everything is paced, at window over round trip; what may leave at once is
 *   bounded by 250 us of that rate.  A window under two segments is kept by the
 *   pacing alone, for with fewer in flight delayed acknowledgements stall.
 * - Slow start ends at the first mark, which halves the window: alpha knows
 *   nothing yet.  A loss halves it as in Reno.
 * - With `classic_fallback`, a bottleneck that looks classic gets Reno's response
 *   to marks (prague_classic.c).
 * - With `linux_prague` the pace is that of the whole window, two segments at least, as the
 *   Linux module has it while it counts in windows (net/ipv4/tcp_prague.c: MIN_CWND_RTT): under
 *   saturated marking a flow then keeps two segments per round trip instead of 100 kbit/s.
 *
 * A sender that is told nothing of marks is Reno with pacing.
 */
#include <math.h>

#include "tcp/cc/prague.h"

struct prague {
	struct prague_classic classic;
	double window_bytes;
	double alpha;
	uint64_t round_end;     /* byte */
	uint64_t round_ns;      /* when this round began */
	uint64_t acked, marked; /* bytes in this round */
	uint64_t cwr_end;       /* byte; no second reduction before it is acknowledged */
	uint64_t cwr_ns;        /* when the last reduction was */
	unsigned rounds;        /* since slow start ended */
	bool saw_mark;
};

static bool in_slow_start(const struct tcp_cc_state *state, const struct prague *own)
{
	return own->window_bytes < (double)state->ssthresh_bytes;
}

static bool is_independent(const struct tcp_cc_state *state, const struct prague *own)
{
	return !state->options.no_rtt_independence && own->rounds >= PRAGUE_TRANSITION_ROUNDS;
}

/* A round trip has passed since `end` was the next byte and the time was `since_ns`. */
static bool round_over(const struct tcp_cc_state *state, const struct prague *own,
		       const struct tcp_cc_sample *sample, uint64_t end, uint64_t since_ns)
{
	return sample->acked_end >= end &&
	       (!is_independent(state, own) ||
		sample->now_ns - since_ns >= PRAGUE_VIRTUAL_RTT_NS);
}

/*
 * Window and pacing for the sender.  In whole segments, rounded up: what is between is kept by
 * the pace.
 */
static void publish(struct tcp_cc_state *state, struct prague *own, uint64_t srtt_ns)
{
	const double mss = state->mss_bytes;
	/* IP bits per second for one byte of window. */
	const double pace_bps = (mss + TCP_HEADER_BYTES) / mss * 8 / seconds_from_ns(srtt_ns);
	double paced;

	if (srtt_ns)
		own->window_bytes = fmax(own->window_bytes, PRAGUE_MIN_BPS / pace_bps);
	state->cwnd_bytes = (uint64_t)(fmax(ceil(own->window_bytes / mss), 2) * mss);
	if (srtt_ns == 0)
		return;
	paced = state->options.linux_prague ? (double)state->cwnd_bytes : own->window_bytes;
	state->pacing_bps = (uint64_t)(paced * pace_bps + 0.5);
	if (own->window_bytes < (double)state->ssthresh_bytes / 2)
		state->pacing_bps *= 2;
	state->burst_bytes =
		(uint64_t)((double)state->pacing_bps / 8 * seconds_from_ns(PRAGUE_BURST_NS));
}

static void prague_init(struct tcp_cc_state *state, void *priv)
{
	struct prague *own = priv;

	own->window_bytes = (double)state->cwnd_bytes;
	prague_classic_init(&own->classic);
}

static void reduce(struct tcp_cc_state *state, struct prague *own,
		   const struct tcp_cc_sample *sample, double share)
{
	own->window_bytes *= share;
	state->ssthresh_bytes = (uint64_t)own->window_bytes;
	own->cwr_end = sample->sent_end;
	own->cwr_ns = sample->now_ns;
}

static void take_marks(struct tcp_cc_state *state, struct prague *own,
		       const struct tcp_cc_sample *sample)
{
	if (!own->saw_mark) {
		own->saw_mark = true;
		reduce(state, own, sample, 0.5);
	} else if (round_over(state, own, sample, own->cwr_end, own->cwr_ns)) {
		double cut = own->alpha / 2;

		if (state->options.classic_fallback)
			cut = prague_classic_cut(&own->classic, cut);
		reduce(state, own, sample, 1 - cut);
	}
}

/*
 * One segment per virtual round trip into the window that such a round trip would have, seen
 * from the real one.  That window counts as one segment at least: below, a single
 * acknowledgement stands for the growth of several round trips, too much to take at once.
 */
static void grow(struct tcp_cc_state *state, struct prague *own,
		 const struct tcp_cc_sample *sample, uint64_t bytes)
{
	const double mss = state->mss_bytes;
	double ratio = 1; /* of the real round trip to the virtual one */

	if (in_slow_start(state, own)) {
		own->window_bytes = fmin(own->window_bytes + (double)bytes,
					 (double)state->ssthresh_bytes);
		return;
	}
	if (is_independent(state, own))
		ratio = fmin((double)sample->srtt_ns / PRAGUE_VIRTUAL_RTT_NS, 1);
	own->window_bytes += (double)bytes * mss * ratio / fmax(own->window_bytes / ratio, mss);
}

static void observe(struct tcp_cc_state *state, struct prague *own,
		    const struct tcp_cc_sample *sample)
{
	own->acked += sample->acked_bytes;
	own->marked += sample->marked_bytes;
	prague_classic_sample(&own->classic, sample);
	if (own->acked == 0 ||
	    !round_over(state, own, sample, own->round_end, own->round_ns))
		return;
	if (own->saw_mark)
		own->alpha +=
			PRAGUE_GAIN * ((double)own->marked / (double)own->acked - own->alpha);
	if (own->marked)
		prague_classic_round(&own->classic, sample);
	if (!in_slow_start(state, own))
		own->rounds++;
	own->acked = 0;
	own->marked = 0;
	own->round_end = sample->sent_end;
	own->round_ns = sample->now_ns;
}

/* A paced flow keeps a little less in flight than its window; it still is what limits it. */
static bool is_limited_by_window(const struct prague *own, const struct tcp_cc_sample *sample,
				 uint32_t mss_bytes)
{
	const uint64_t before = sample->in_flight_bytes + sample->acked_bytes;

	return !sample->app_limited ||
	       (double)(before + 2 * mss_bytes) >= 0.75 * own->window_bytes;
}

static void prague_on_ack(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	struct prague *own = priv;
	const uint64_t unmarked = sample->acked_bytes - sample->marked_bytes;

	if (sample->marked_bytes && !sample->in_recovery)
		take_marks(state, own, sample);
	if (unmarked && !sample->in_recovery &&
	    is_limited_by_window(own, sample, state->mss_bytes))
		grow(state, own, sample, unmarked);
	observe(state, own, sample);
	publish(state, own, sample->srtt_ns);
}

static void prague_on_loss(struct tcp_cc_state *state, void *priv,
			   const struct tcp_cc_sample *sample)
{
	reduce(state, priv, sample, 0.5);
	publish(state, priv, sample->srtt_ns);
}

/* Marks are handled in on_ack(). */
static void prague_on_ecn(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	(void)state;
	(void)priv;
	(void)sample;
}

static void prague_on_rto(struct tcp_cc_state *state, void *priv,
			  const struct tcp_cc_sample *sample)
{
	struct prague *own = priv;

	/* A second timeout in a row finds a window of one segment: the threshold stays. */
	if (own->window_bytes > state->mss_bytes)
		reduce(state, own, sample, 0.5);
	own->window_bytes = state->mss_bytes;
	own->rounds = 0;
	publish(state, own, sample->srtt_ns);
}

const struct tcp_cc_ops tcp_cc_prague = {
	.name = "prague",
	.summary = "TCP Prague (draft-briscoe-iccrg-prague-congestion-control)",
	.private_size = sizeof(struct prague),
	.exact_ce_echo = true,
	.init = prague_init,
	.on_ack = prague_on_ack,
	.on_loss = prague_on_loss,
	.on_ecn = prague_on_ecn,
	.on_rto = prague_on_rto,
};
