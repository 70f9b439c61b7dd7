/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the TCP sender share: its state, and who does what.
 *
 * sender.c takes acknowledgements and timers and tells the congestion control;
 * output.c decides what leaves, and when.
 */
#ifndef TCP_SENDER_H
#define TCP_SENDER_H

#include "tcp/endpoint.h"
#include "tcp/rtt.h"
#include "tcp/scoreboard.h"

struct tcp_sender {
	struct endpoint endpoint; /* first */
	struct endpoint_config config;
	struct endpoint_stats stats;
	struct scoreboard board;
	struct tcp_rtt rtt;
	struct tcp_cc_state cc;
	void *cc_private;
	uint32_t mss_bytes;
	uint64_t delivered_bytes;
	uint64_t written_end;   /* byte: the application has written up to here */
	uint64_t window_end;    /* byte: the receiver takes up to here */
	uint64_t widest_bytes;  /* widest window seen */
	uint64_t recovery_end;  /* byte; in recovery until it is acknowledged */
	uint64_t echo_end;      /* byte; echoes count as one until it is acknowledged */
	uint64_t timer_ns;      /* retransmission timeout; TIME_NEVER_NS: not running */
	uint64_t persist_ns;    /* persist timer; TIME_NEVER_NS: not running */
	uint64_t due_ns;        /* the next packet may leave; known when none may leave now */
	uint64_t pace_ns;       /* time of the next packet, when paced */
	uint64_t pace_carry;    /* bits x ns that the division by the pace has left over */
	uint64_t now_ns;        /* of the event being handled */
	unsigned persist_tries; /* since the window last opened */
	bool in_recovery;
	bool answer_cwr;        /* the next new segment carries CWR */
	bool force_short;       /* the next new segment may be cut short for the window */
	bool probe_due;         /* an empty segment is to ask for the window */
	bool stopped;           /* stop_ns has come: no new data */
	bool failed;            /* out of memory: sends nothing any more */
};

/* Fills *packet with what is to leave now; false: nothing is. */
bool tcp_output_emit(struct tcp_sender *sender, struct packet *packet, uint64_t now_ns);

/* The window that an acknowledgement of everything up to `ack` tells. */
void tcp_output_window(struct tcp_sender *sender, uint64_t ack, uint64_t window_bytes);

/* The persist timer has fired. */
void tcp_output_persist(struct tcp_sender *sender);

#endif
