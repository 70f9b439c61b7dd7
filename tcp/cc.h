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

/* IPv4 header, TCP header and timestamps option: what a segment adds to its payload. */
#define TCP_HEADER_BYTES 52

/* What a sender knows when something happens. */
struct tcp_cc_sample {
	uint64_t now_ns;
	uint64_t rtt_ns;             /* newest sample, 0 when none */
	uint64_t srtt_ns, min_rtt_ns;
	uint64_t acked_bytes;        /* newly delivered: cumulative and selective */
	uint64_t in_flight_bytes;    /* after this event */
	uint64_t delivered_bytes;    /* in all */
	uint64_t marked_bytes;       /* of acked_bytes, those reported as CE-marked */
	uint64_t lost_bytes;         /* newly found lost with this event */
	uint64_t sent_end, acked_end; /* highest byte sent; cumulative acknowledgement */
	bool ece;                    /* classic ECN echo on this acknowledgement */
	bool in_recovery;
	bool app_limited;
	/*
	 * Delivery rate of the newest segment delivered by this acknowledgement (the estimator of
	 * draft-ietf-ccwg-bbr section 4.1), for controls with `rate_samples`; 0 when none.
	 */
	uint64_t rate_bps;           /* payload */
	uint64_t rate_interval_ns;
	uint64_t prior_delivered_bytes; /* delivered_bytes when that segment was sent */
	uint64_t prior_in_flight_bytes; /* in flight just after that segment was sent */
	uint64_t prior_lost_bytes;   /* lost in all when that segment was sent */
	uint64_t lost_total_bytes;   /* lost in all, now */
	bool rate_app_limited;       /* that segment was sent while the application was the limit */
};

/* Choices of a flow that its control or its endpoints respect; all zero is the default. */
struct tcp_options {
	bool abe;                 /* Alternative Backoff with ECN (RFC 8511) */
	bool linux_bbr;           /* BBR: version 1, as Linux has it (cc/bbr_linux.h) */
	bool linux_cubic;         /* CUBIC: as Linux has it (cc/cubic_linux.h) */
	bool linux_dctcp;         /* DCTCP: as Linux has it, with kernel/bpf */
	bool linux_prague;        /* Prague: paced at whole windows, two segments at least */
	bool no_rtt_independence; /* Prague: additive increase as any Reno */
	bool classic_fallback;    /* Prague: behave as Reno at a bottleneck that looks classic */
	uint8_t ack_every;        /* segments per delayed acknowledgement; 0: the default of 2 */
	uint16_t initial_window_segments; /* 0: 10 (RFC 6928) */
	uint64_t receive_window_bytes;    /* 0, or over 1 GiB: 1 GiB, larger than any queue */
	/* UDP Prague: a frame each interval, sent within the budget; 0: a stream. */
	uint64_t frame_interval_ns, frame_budget_ns;
};

/* The most that TCP can offer (RFC 7323 section 2.3), unless told to offer less. */
static inline uint64_t tcp_receive_window_bytes(const struct tcp_options *options)
{
	const uint64_t most = UINT64_C(1) << 30, asked = options->receive_window_bytes;

	return asked && asked < most ? asked : most;
}

/* A segment found lost, for controls with `rate_samples`. */
struct tcp_cc_lost {
	uint64_t now_ns;
	uint64_t bytes;
	uint64_t prior_in_flight_bytes; /* in flight just after it was sent, itself included */
	uint64_t lost_since_bytes;      /* lost since it was sent, itself included */
	bool app_limited;               /* it was sent while the application was the limit */
};

struct tcp_cc_state {
	uint64_t cwnd_bytes; /* may be less than a segment when paced: one then goes later */
	uint64_t ssthresh_bytes;
	uint64_t pacing_bps; /* of IP bytes; 0: not paced */
	uint64_t burst_bytes; /* that may leave at once when paced; 0: one segment */
	/*
	 * As segmentation offload has it: new data leaves in bursts of so much payload, each when
	 * the pace has room for all of it and the window for all or a third of itself (0: segment
	 * by segment).
	 */
	uint64_t quantum_bytes;
	uint32_t mss_bytes;
	struct tcp_options options;
};

struct tcp_cc_ops {
	const char *name;
	const char *summary;
	size_t private_size; /* allocated by the sender, zeroed */
	bool exact_ce_echo;  /* its receiver echoes CE packet by packet (RFC 8257 section 3.2) */
	bool rate_samples;   /* wants the delivery rate in its samples */
	void (*init)(struct tcp_cc_state *state, void *priv);
	void (*on_ack)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	/* A loss was detected, at most once per window; the sender then retransmits. */
	void (*on_loss)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	/* Classic ECN echo, at most once per window; DCTCP and Prague react in on_ack() instead. */
	void (*on_ecn)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	void (*on_rto)(struct tcp_cc_state *state, void *priv, const struct tcp_cc_sample *sample);
	/*
	 * Optional: `idle_ns` after the last segment another one leaves, from a window that was cut
	 * to the restart window (RFC 5681 section 4.1).
	 */
	void (*on_restart)(struct tcp_cc_state *state, void *priv, uint64_t idle_ns);
	/* Optional: every segment found lost (with `rate_samples`), before the other events. */
	void (*on_segment_lost)(struct tcp_cc_state *state, void *priv,
				const struct tcp_cc_lost *lost);
};

/* By fixed name (newreno, cubic, dctcp, ...), or NULL. */
const struct tcp_cc_ops *tcp_cc_find(const char *name);

/* Every control, ends with NULL. */
extern const struct tcp_cc_ops *const tcp_cc_all[];

#endif
