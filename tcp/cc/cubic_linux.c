/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CUBIC as Linux has it: growth and HyStart.
 */
#include "tcp/cc/cubic_linux.h"

#include <math.h>

#include "base/units.h"
#include "tcp/cc/reno.h"

/* Acknowledged share of a window for one segment of the Reno-friendly window. */
#define RENO_SHARE (15.0 / 8)
#define LOOK_NS (NS_PER_S / 32)
#define UNKNOWN_COUNT 20
#define SAMPLE_PAUSE_NS NS_PER_S /* samples of an epoch younger than this do not count */

#define HYSTART_SEGMENTS 16
#define HYSTART_SAMPLES 8
#define HYSTART_TRAIN_NS (2 * NS_PER_MS)
#define HYSTART_MIN_NS (4 * NS_PER_MS)
#define HYSTART_MAX_NS (16 * NS_PER_MS)

static void start_round(struct cubic_linux *own, const struct tcp_cc_sample *sample)
{
	own->round_end = sample->sent_end;
	own->round_ns = own->train_ns = sample->now_ns;
	own->round_min_ns = 0;
	own->samples = 0;
}

static bool train_is_long(struct cubic_linux *own, uint64_t now_ns)
{
	if (now_ns - own->train_ns > HYSTART_TRAIN_NS)
		return false;
	own->train_ns = now_ns;
	return now_ns - own->round_ns > own->min_rtt_ns / 2;
}

static bool delay_grew(struct cubic_linux *own, uint64_t rtt_ns)
{
	uint64_t more_ns = own->min_rtt_ns / 8;

	if (own->round_min_ns == 0 || rtt_ns < own->round_min_ns)
		own->round_min_ns = rtt_ns;
	if (own->samples < HYSTART_SAMPLES) {
		own->samples++;
		return false;
	}
	more_ns = more_ns < HYSTART_MIN_NS ? HYSTART_MIN_NS : more_ns;
	more_ns = more_ns > HYSTART_MAX_NS ? HYSTART_MAX_NS : more_ns;
	return own->round_min_ns > own->min_rtt_ns + more_ns;
}

void cubic_linux_sample(struct tcp_cc_state *state, struct cubic_linux *own,
			const struct tcp_cc_sample *sample)
{
	bool train, delay;

	if (sample->rtt_ns == 0 ||
	    (own->epoch_ns && sample->now_ns - own->epoch_ns < SAMPLE_PAUSE_NS))
		return;
	if (own->min_rtt_ns == 0 || sample->rtt_ns < own->min_rtt_ns)
		own->min_rtt_ns = sample->rtt_ns;
	if (!reno_in_slow_start(state))
		return;
	if (sample->acked_end > own->round_end || own->round_ns == 0)
		start_round(own, sample);
	if (own->found || state->cwnd_bytes < (uint64_t)HYSTART_SEGMENTS * state->mss_bytes)
		return;
	train = train_is_long(own, sample->now_ns);
	delay = delay_grew(own, sample->rtt_ns);
	if (!train && !delay)
		return;
	own->found = true;
	state->ssthresh_bytes = state->cwnd_bytes;
}

static void start_epoch(struct cubic_linux *own, double window, double w_max, uint64_t now_ns)
{
	own->epoch_ns = now_ns ? now_ns : 1;
	own->acked = 0;
	own->w_reno = window;
	own->origin = fmax(w_max, window);
	own->k_s = cbrt((own->origin - window) / CUBIC_LINUX_C);
}

static void look(struct cubic_linux *own, const struct tcp_cc_sample *sample, double window,
		 double w_max)
{
	double t_s, target;

	own->looked_window = window;
	own->looked_ns = sample->now_ns;
	if (own->epoch_ns == 0)
		start_epoch(own, window, w_max, sample->now_ns);
	t_s = seconds_from_ns(sample->now_ns - own->epoch_ns + own->min_rtt_ns) - own->k_s;
	target = floor(own->origin + CUBIC_LINUX_C * t_s * t_s * t_s);
	own->count = target > window ? floor(window / (target - window)) : 100 * window;
	if (w_max == 0)
		own->count = fmin(own->count, UNKNOWN_COUNT);
}

/* Never below what Reno would have. */
static void befriend(struct cubic_linux *own, double window)
{
	const double share = floor(RENO_SHARE * window);
	const double steps = floor(own->acked / share);

	own->w_reno += steps;
	own->acked -= steps * share;
	if (own->w_reno > window)
		own->count = fmin(own->count, floor(window / (own->w_reno - window)));
}

static void avoid(struct tcp_cc_state *state, struct cubic_linux *own,
		  const struct tcp_cc_sample *sample, uint64_t acked_bytes, double w_max)
{
	const double window = floor((double)state->cwnd_bytes / state->mss_bytes);
	const double acked = (double)acked_bytes / state->mss_bytes;
	double steps;

	own->acked += acked;
	if (own->epoch_ns == 0 || window != own->looked_window ||
	    sample->now_ns - own->looked_ns > LOOK_NS) {
		look(own, sample, window, w_max);
		befriend(own, window);
		own->count = fmax(own->count, 2);
	}
	/* Credit earned at a slower pace is worth one segment at most. */
	if (own->credit >= own->count) {
		own->credit = 0;
		state->cwnd_bytes += state->mss_bytes;
	}
	own->credit += acked;
	steps = floor(own->credit / own->count);
	own->credit -= steps * own->count;
	state->cwnd_bytes += (uint64_t)steps * state->mss_bytes;
}

void cubic_linux_grow(struct tcp_cc_state *state, struct cubic_linux *own,
		      const struct tcp_cc_sample *sample, double w_max)
{
	uint64_t acked = sample->acked_bytes;

	if (reno_in_slow_start(state)) {
		const uint64_t room = state->ssthresh_bytes - state->cwnd_bytes;
		const uint64_t grown = acked < room ? acked : room;

		state->cwnd_bytes += grown;
		acked -= grown;
	}
	if (acked)
		avoid(state, own, sample, acked, w_max);
}

void cubic_linux_forget(struct cubic_linux *own, const struct tcp_cc_sample *sample)
{
	*own = (struct cubic_linux){0};
	start_round(own, sample);
}
