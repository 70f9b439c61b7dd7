/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prague's guess whether its bottleneck is a classic one.
 */
#include <math.h>

#include "tcp/cc/prague.h"

/* Furthest from the transition that the score goes, on either side of it. */
#define STICKY 8.0
/* Weights of variation and depth. */
#define VARIATION_WEIGHT 0.5
#define DEPTH_WEIGHT 0.5
/* An immediate AQM's marks hold both below these. */
#define VARIATION_NS (750.0 * NS_PER_US)
#define DEPTH_NS (2.0 * NS_PER_MS)
/* Slower than TCP's own estimate: what counts is a queue's sawtooth, not one burst. */
#define DEVIATION_GAIN (1.0 / 64)

void prague_classic_init(struct prague_classic *classic)
{
	classic->score = -STICKY;
}

void prague_classic_sample(struct prague_classic *classic, const struct tcp_cc_sample *sample)
{
	const double distance_ns = fabs((double)sample->rtt_ns - (double)sample->srtt_ns);

	if (sample->rtt_ns)
		classic->deviation_ns += DEVIATION_GAIN * (distance_ns - classic->deviation_ns);
}

void prague_classic_round(struct prague_classic *classic, const struct tcp_cc_sample *sample)
{
	const double depth_ns = (double)sample->srtt_ns - (double)sample->min_rtt_ns;
	/* One microsecond keeps the logarithm finite on a path that never varies. */
	const double variation_ns = fmax(classic->deviation_ns, NS_PER_US);
	double score = classic->score;

	score += VARIATION_WEIGHT * log2(variation_ns / VARIATION_NS);
	/* A deep queue speaks for a classic one, a shallow one for nothing. */
	score += DEPTH_WEIGHT * log2(fmax(depth_ns / DEPTH_NS, 1));
	classic->score = fmin(fmax(score, -STICKY), 1 + STICKY);
}

double prague_classic_cut(const struct prague_classic *classic, double l4s_cut)
{
	const double share = fmin(fmax(classic->score, 0), 1);

	return (1 - share) * l4s_cut + share * 0.5;
}
