/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the TCP sender share: its state, and who does what.
 *
 * sender.c takes acknowledgements and tells the congestion control; recovery.c
 * finds losses and gets over them; output.c decides what leaves, and when.
 */
#ifndef TCP_SENDER_H
#define TCP_SENDER_H

#include "tcp/accecn.h"
#include "tcp/endpoint.h"
#include "tcp/prr.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"

enum tcp_recovery {
	RECOVERY_NONE,
	RECOVERY_FAST,    /* the control was told of a loss */
	RECOVERY_TIMEOUT, /* the control was told of a timeout */
};

/* A tail loss probe. */
struct tcp_tail {
	bool due;     /* it is to leave now */
	bool open;    /* it has left and is not explained yet */
	bool again;   /* it was the last segment once more, not a new one */
	uint64_t end; /* byte: all that was sent when it left, itself included */
};

/* What an acknowledgement brought. */
struct tcp_ack {
	uint64_t delivered_bytes, delivered_segments;
	uint32_t echo_us;
	bool forward;   /* the cumulative acknowledgement moved on */
	bool duplicate; /* the receiver reports a duplicate (RFC 2883) */
	bool sacks;     /* it has other selective acknowledgements */
};

struct tcp_undo;

/* What a packet in the usual course of things needs comes first. */
struct tcp_sender {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	uint32_t mss_bytes;
	enum tcp_recovery recovery;
	uint64_t recovery_end;  /* byte; recovery lasts until it is acknowledged */
	uint64_t delivered_bytes;
	uint64_t written_end;   /* byte: the application has written up to here */
	uint64_t window_end;    /* byte: the receiver takes up to here */
	uint64_t widest_bytes;  /* widest window seen */
	uint64_t echo_end;      /* byte; echoes count as one until it is acknowledged */
	uint64_t timer_ns;      /* retransmission timeout or tail loss probe; TIME_NEVER_NS: none */
	uint64_t armed_ns, armed_for; /* when the timer was started, for how many segments */
	uint64_t reorder_ns;    /* look for losses again; TIME_NEVER_NS: no need */
	uint64_t persist_ns;    /* persist timer; TIME_NEVER_NS: not running */
	uint64_t due_ns;        /* the next packet may leave; known when none may leave now */
	uint64_t pace_ns;       /* time of the next packet, when paced */
	uint64_t quantum_left;  /* payload of the burst that is leaving (cc.quantum_bytes) */
	uint64_t pace_carry;    /* bits x ns that the division by the pace has left over */
	uint64_t now_ns;        /* of the event being handled */
	uint64_t last_sent_ns;  /* when data last left */
	unsigned persist_tries; /* since the window last opened */
	bool timer_probes;      /* timer_ns is that of a tail loss probe */
	bool answer_cwr;        /* the next new segment carries CWR */
	bool force_short;       /* the next new segment may be cut short for the window */
	bool probe_due;         /* an empty segment is to ask for the window */
	bool stopped;           /* stop_ns has come: no new data */
	bool failed;            /* out of memory: sends nothing any more */
	struct tcp_tail tail;
	struct tcp_undo *undo;  /* of a timeout; owned, NULL: none */
	void *cc_private;
	struct tcp_cc_state cc;
	struct tcp_rtt rtt;
	struct accecn_sender accecn;
	struct scoreboard board;
	struct tcp_prr prr;
};

/* What the window is before anything is known of the path (RFC 6928, unless told otherwise). */
uint64_t tcp_sender_initial_window(const struct tcp_sender *sender);

/* Everything but what came with an acknowledgement. */
void tcp_sender_sample(const struct tcp_sender *sender, struct tcp_cc_sample *sample,
		       uint64_t now_ns);

/* The scoreboard has taken an acknowledgement; returns bytes newly found lost. */
uint64_t tcp_recovery_ack(struct tcp_sender *sender, const struct tcp_ack *ack);

/* Handles timers due at or before `now_ns`. */
void tcp_recovery_run(struct tcp_sender *sender, uint64_t now_ns);

/* A segment leaves: its timer starts. */
void tcp_recovery_sent(struct tcp_sender *sender, uint64_t now_ns);

/* A segment leaves again. */
void tcp_recovery_sent_again(struct tcp_sender *sender, uint64_t now_ns);

/* Frees what was kept to undo a timeout. */
void tcp_recovery_forget(struct tcp_sender *sender);

/* Fills *packet with what is to leave now; false: nothing is. */
bool tcp_output_emit(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns);

/* The window that an acknowledgement of everything up to `ack` tells. */
void tcp_output_window(struct tcp_sender *sender, uint64_t ack, uint64_t window_bytes);

/* The persist timer has fired. */
void tcp_output_persist(struct tcp_sender *sender);

#endif
