/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR version 1, as Linux has it (Cardwell et al., ACM Queue 14-5, 2016, with the allowance for
 * aggregated acknowledgements that came later).
 *
 * It looks at rates and round trips alone: no answer to marks, and to losses none but a round of
 * what was delivered.  Volumes are bytes of payload, rates bytes of payload per second.  Policers
 * are not looked for.
 */
#ifndef TCP_CC_BBR_LINUX_H
#define TCP_CC_BBR_LINUX_H

#include "tcp/cc.h"

#define BBR_LINUX_BW_ROUNDS 10

enum bbr_linux_mode {
	BBR_LINUX_STARTUP,
	BBR_LINUX_DRAIN,
	BBR_LINUX_PROBE_BW,
	BBR_LINUX_PROBE_RTT,
};

struct bbr_linux {
	enum bbr_linux_mode mode;
	uint64_t round_count, next_round_delivered;
	bool round_start;
	double bw[BBR_LINUX_BW_ROUNDS]; /* the highest of each of the last rounds */
	double full_bw;
	unsigned full_bw_count;
	bool full_bw_reached;
	unsigned cycle; /* phase of the gains in PROBE_BW */
	uint64_t cycle_ns;
	uint64_t min_rtt_ns, min_rtt_stamp_ns;
	uint64_t probe_rtt_done_ns;
	bool probe_rtt_round_done;
	double prior_cwnd;
	/* what acknowledgements brought at once beyond the rate: newest rounds, those before */
	double extra_acked[2];
	unsigned extra_index, extra_rounds;
	uint64_t epoch_ns;
	double epoch_acked;
	bool recovering, conserving; /* in the first round of a recovery: as much as arrives */
	bool has_seen_rtt;
};

/* Paces from the first packet on, by the window over a millisecond. */
void bbr_linux_init(struct bbr_linux *bbr, struct tcp_cc_state *state);

/* Every acknowledgement: all that it learns, and window, pace and burst by it. */
void bbr_linux_on_ack(struct bbr_linux *bbr, struct tcp_cc_state *state,
		      const struct tcp_cc_sample *sample);

/* A recovery begins: for a round no more leaves than arrives, then the window is as before. */
void bbr_linux_on_loss(struct bbr_linux *bbr, struct tcp_cc_state *state,
		       const struct tcp_cc_sample *sample);

/* The same of a timeout, behind which start-up, if it goes on, looks for the full rate anew. */
void bbr_linux_on_rto(struct bbr_linux *bbr, struct tcp_cc_state *state,
		      const struct tcp_cc_sample *sample);

#endif
