/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The share of packets that a law signals, for laws without a probability: 1
 * over the packets from one signal to the next.  For plots and guards; no
 * decision depends on it.
 */
#ifndef AQM_SIGNAL_SHARE_H
#define AQM_SIGNAL_SHARE_H

#include "aqm/facts.h"

struct aqm_signal_share {
	uint32_t since_pkts; /* packets decided since the last signal; saturates */
	uint32_t gap_pkts;   /* packets between the last two signals; 0: there were none */
};

/* One more packet was decided. */
AQM_INLINE void aqm_signal_share_count(struct aqm_signal_share *share, enum aqm_verdict verdict)
{
	share->since_pkts += share->since_pkts < UINT32_MAX;
	if (verdict == AQM_PASS)
		return;
	share->gap_pkts = share->since_pkts;
	share->since_pkts = 0;
}

/* Q0.32; 0 outside the state in which the law signals. */
AQM_INLINE uint64_t aqm_signal_share_q32(const struct aqm_signal_share *share, bool signalling)
{
	return signalling && share->gap_pkts ? AQM_Q32_ONE / share->gap_pkts : 0;
}

#endif
