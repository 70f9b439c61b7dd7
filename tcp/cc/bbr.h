/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * BBR version 3 (draft-ietf-ccwg-bbr-06): what its parts share.
 *
 * bbr.c      events, pacing rate, window (draft section 5.6)
 * bbr_model.c  what is known of the path: bandwidth, round trip, congestion (5.5)
 * bbr_probe.c  the state machine that finds it out (5.3)
 *
 * Names are the draft's, in this house's spelling.  Volumes are bytes of payload,
 * rates bytes of payload per second; INFINITY is "no such bound".
 */
#ifndef TCP_CC_BBR_H
#define TCP_CC_BBR_H

#include "base/units.h"
#include "tcp/cc.h"
#include "tcp/cc/bbr_linux.h"

#define BBR_LOSS_THRESH 0.02
#define BBR_BETA 0.7
#define BBR_HEADROOM 0.15
#define BBR_MIN_PIPE_SEGMENTS 4

enum bbr_state {
	BBR_STARTUP,
	BBR_DRAIN,
	BBR_DOWN, /* ProbeBW, from here */
	BBR_CRUISE,
	BBR_REFILL,
	BBR_UP, /* to here */
	BBR_PROBE_RTT,
};

/* What acknowledgements tell of bandwidth probing. */
enum bbr_acks {
	BBR_ACKS_INIT,
	BBR_ACKS_REFILLING,
	BBR_ACKS_PROBE_STARTING,
	BBR_ACKS_PROBE_FEEDBACK,
	BBR_ACKS_PROBE_STOPPING,
};

struct bbr {
	enum bbr_state state;
	enum bbr_acks acks;
	const struct tcp_cc_sample *rs; /* while an acknowledgement is taken */
	bool rs_app_limited;            /* or as good as */
	/* rounds */
	uint64_t round_count, next_round_delivered;
	bool round_start;
	/* bandwidth */
	double bw, max_bw, bw_shortterm, bw_latest;
	double max_bw_cycle[2];         /* of the previous cycle and of this one */
	/* volume */
	double inflight_shortterm, inflight_longterm, inflight_latest;
	double extra_acked_max[2];      /* of the last rounds and of those before */
	uint64_t extra_acked_rounds;    /* in the newer of the two */
	uint64_t extra_acked_start_ns;
	double extra_acked_delivered;
	/* round trip */
	uint64_t min_rtt_ns, min_rtt_stamp_ns; /* 0: no sample yet */
	uint64_t probe_rtt_min_ns, probe_rtt_min_stamp_ns, probe_rtt_done_ns;
	bool probe_rtt_expired, probe_rtt_round_done, idle_restart;
	uint64_t ignore_until_delivered; /* rates of what was sent while probing the round trip */
	/* congestion in this round */
	uint64_t loss_round_delivered;
	bool loss_round_start, loss_in_round, echo_in_round;
	unsigned losses_in_round;       /* acknowledgements that told of new ones */
	double lost_in_round, marked_in_round, acked_in_round;
	double ecn_alpha;               /* smoothed share of marks, where they are told exactly */
	bool classic_echo;              /* marks are told once per window only */
	unsigned marked_rounds;         /* in a row in which marks were too many */
	/* is the pipe full? */
	bool full_bw_reached, full_bw_now;
	double full_bw;
	unsigned full_bw_count;
	uint64_t drain_start_round;
	/* bandwidth probing */
	bool bw_probe_sample, prev_probe_too_high, prev_probe_precautionary;
	double too_high_inflight;       /* a lost segment says so of it; INFINITY: none did */
	bool too_high_app_limited;
	double probe_up_acked, probe_up_acked_per_inc;
	unsigned probe_up_rounds;
	uint64_t rounds_since_probe_up, bw_probe_wait_ns, cycle_stamp_ns;
	bool cwnd_limited, cwnd_limited_in_round;
	/* recovery */
	bool recovering;
	uint64_t recovery_end, recovery_round;
	double prior_cwnd;
	double initial_cwnd;
	bool has_seen_rtt;
	struct bbr_linux deployed;      /* with the option linux_bbr: all of it */
};

static inline bool bbr_in_probe_bw(const struct bbr *bbr)
{
	return bbr->state >= BBR_DOWN && bbr->state <= BBR_UP;
}

static inline double bbr_min_pipe(const struct tcp_cc_state *state)
{
	return (double)BBR_MIN_PIPE_SEGMENTS * state->mss_bytes;
}

/* bbr_model.c */
void bbr_model_init(struct bbr *bbr, uint64_t now_ns);
/* Everything the model takes from an acknowledgement, except round trips. */
void bbr_model_update(struct bbr *bbr, const struct tcp_cc_state *state);
void bbr_model_update_min_rtt(struct bbr *bbr);
/* After the state machine: latest signals, and the bandwidth to use. */
void bbr_model_advance(struct bbr *bbr);
void bbr_model_advance_max_bw(struct bbr *bbr);
void bbr_model_start_round(struct bbr *bbr);
void bbr_model_reset_shortterm(struct bbr *bbr);
void bbr_model_reset_congestion(struct bbr *bbr);
void bbr_model_note_loss(struct bbr *bbr, double lost_bytes, uint64_t delivered_bytes);
/* Losses or marks of this acknowledgement say that too much was in flight. */
bool bbr_model_inflight_too_high(const struct bbr *bbr);
double bbr_model_bdp(const struct bbr *bbr, double bw, double gain);
double bbr_model_extra_acked(const struct bbr *bbr);

/* bbr_probe.c */
void bbr_probe_init(struct bbr *bbr);
/* A segment was found lost: did the flow probe too high? */
void bbr_probe_segment_lost(struct bbr *bbr, const struct tcp_cc_lost *lost);
void bbr_probe_update(struct bbr *bbr, struct tcp_cc_state *state);
void bbr_probe_check_rtt(struct bbr *bbr, struct tcp_cc_state *state);
double bbr_probe_inflight_with_headroom(const struct bbr *bbr, const struct tcp_cc_state *state);
double bbr_probe_rtt_cwnd(const struct bbr *bbr, const struct tcp_cc_state *state);

/* bbr.c */
void bbr_save_cwnd(struct bbr *bbr, const struct tcp_cc_state *state);
void bbr_restore_cwnd(struct bbr *bbr, struct tcp_cc_state *state);

#endif
