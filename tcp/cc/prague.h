/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Constants of Prague, whatever carries it: TCP (prague.c) and datagrams
 * (udp_prague.c), after draft-briscoe-iccrg-prague-congestion-control-04.
 */
#ifndef TCP_CC_PRAGUE_H
#define TCP_CC_PRAGUE_H

#include "base/units.h"
#include "tcp/cc.h"

/* Shorter round trips count as this one (RTT_virt, section 2.4.4). */
#define PRAGUE_VIRTUAL_RTT_NS (25 * NS_PER_MS)
/* Of the moving average of the share of marks (section 2.4.1). */
#define PRAGUE_GAIN (1.0 / 16)
/* Rounds after slow start before round trips count as virtual ones (Linux: 4). */
#define PRAGUE_TRANSITION_ROUNDS 4
/* What may leave at once lasts no longer than this at the pacing rate. */
#define PRAGUE_BURST_NS (250 * NS_PER_US)
/* Marks do not push a flow below this. */
#define PRAGUE_MIN_BPS 100e3

/*
 * Does the bottleneck look like one with a classic queue?  One score, moved once
 * per round with marks by how much round trips vary and how deep the queue
 * stands, after Briscoe and Ahmed, "TCP Prague Fall-back on Detection of a
 * Classic ECN AQM" (arXiv 1911.00710): below 0 it is L4S, above 1 classic, between
 * the two the responses mix.  It is kept within 8 of either, so that a change
 * of mind takes a while.
 */
struct prague_classic {
	double score;
	double deviation_ns; /* smoothed distance between round trips and their mean */
};

void prague_classic_init(struct prague_classic *classic);

/* Every acknowledgement with a round trip. */
void prague_classic_sample(struct prague_classic *classic, const struct tcp_cc_sample *sample);

/* Ends a round in which there were marks. */
void prague_classic_round(struct prague_classic *classic, const struct tcp_cc_sample *sample);

/* Share of the window to take away for marks, where L4S's response takes `l4s_cut`. */
double prague_classic_cut(const struct prague_classic *classic, double l4s_cut);

#endif
