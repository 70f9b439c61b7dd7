/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Congestion control: one method per event, one sample struct for all.
 *
 * The sender owns loss detection and recovery; a congestion control only
 * says how much may be in flight and how fast it may be sent.
 */
#ifndef TCP_CC_H
#define TCP_CC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a sender knows when something happens. */
struct tcp_cc_sample {
	uint64_t now_ns;
	uint64_t rtt_ns;             /* newest sample, 0 when none */
	uint64_t srtt_ns, min_rtt_ns;
	uint64_t acked_bytes;        /* newly delivered: cumulative and selective */
	uint64_t in_flight_bytes;    /* after this event */
	uint64_t delivered_bytes;    /* in all */
	uint64_t marked_bytes;       /* of acked_bytes, those reported as CE-marked */
	uint64_t sent_end, acked_end; /* highest byte sent; cumulative acknowledgement */
	bool ece;                    /* classic ECN echo on this acknowledgement */
	bool in_recovery;
	bool app_limited;
};

struct tcp_cc_state {
	uint64_t cwnd_bytes;
	uint64_t ssthresh_bytes;
	uint64_t pacing_bps; /* 0: not paced */
	uint32_t mss_bytes;
};

struct tcp_cc_ops {
	const char *name;
	const char *summary;
	size_t private_size; /* allocated by the sender, zeroed */
	bool exact_ce_echo;  /* its receiver echoes CE packet by packet (RFC 8257 section 3.2) */
	void (*init)(struct tcp_cc_state *state, void *priv);
	void (*on_ack)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	/* A loss was detected, at most once per window; the sender then retransmits. */
	void (*on_loss)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	/* Classic ECN echo, at most once per window; DCTCP and Prague react in on_ack() instead. */
	void (*on_ecn)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	void (*on_rto)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
};

/* By fixed name (newreno, cubic, dctcp, ...), or NULL. */
const struct tcp_cc_ops *tcp_cc_find(const char *name);

/* Every control, ends with NULL. */
extern const struct tcp_cc_ops *const tcp_cc_all[];

#endif
