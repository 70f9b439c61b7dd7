/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Congestion control of UDP Prague: Prague for datagrams, steered by counts.
 *
 * Feedback says how many packets arrived, how many of them with CE, and how many
 * are missing, all since the start: feedback that is lost or thinned out loses
 * nothing.  The rate and the window are two views of one thing, and both are
 * fractional.  The rules are those of draft-briscoe-iccrg-prague-congestion-control-04
 * as the L4S team's UDP Prague applies them to datagrams:
 *
 * - alpha moves once per round by 1/16 towards the share of marks; a mark takes
 *   alpha / 2 away, at most once per round.  A round is a round trip, of 25 ms
 *   at least.  There is no slow start: from 100 kbit/s the rate grows as below.
 * - Each round without a mark adds one packet (scaled for short round trips).
 *   After some such rounds, more the faster the flow, it adds a queue of 1 ms.
 * - A loss halves, once per round, and puts that faster growth off for as long as
 *   a flow of 25 ms would need to come back; what turns out to be reordering is
 *   undone.
 * - Where the round trip says little (below 2 ms, or less than a packet lasts),
 *   it is the rate that is kept, elsewhere the window.
 * - Packets are smaller at low rates, for two a round; bursts last 250 us at
 *   most; the pace is 3 % above the rate in the first half of a round and 3 % below
 *   in the second.
 * - Frames: a source of a frame rate is told how large the next frame may be, and a
 *   round is at least a frame's interval.
 *
 * Sizes are of IP packets.
 */
#ifndef TCP_UDP_PRAGUE_CONTROL_H
#define TCP_UDP_PRAGUE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct udp_prague_counts {
	uint64_t received, ce, lost; /* packets in all; lost may fall again */
};

enum udp_prague_phase {
	UDP_PRAGUE_START,   /* nothing heard yet */
	UDP_PRAGUE_OPEN,
	UDP_PRAGUE_REDUCED, /* a mark was answered in this round */
	UDP_PRAGUE_LOST,    /* a loss was answered in this round */
};

/* What the last loss took, for when it was none. */
struct udp_prague_undo {
	bool valid, by_rate;
	double taken;          /* bytes of window, or byte/s */
	double rounds;         /* added to rounds_to_growth */
	uint64_t lost_before;  /* count before the loss */
};

struct udp_prague_control {
	/* parameters */
	double max_packet_bytes;
	uint64_t frame_interval_ns; /* 0: no frames, a stream */
	uint64_t frame_budget_ns;   /* in which a frame leaves */
	/* state */
	enum udp_prague_phase phase;
	bool by_rate;              /* the rate is kept, not the window */
	double rate_Bps;           /* byte/s */
	double window_bytes;
	double alpha;
	double rounds_to_growth;   /* without a mark, until growth is by queue delay */
	uint64_t srtt_ns, round_ns; /* round_ns: the virtual round trip */
	struct udp_prague_counts counts;
	struct udp_prague_counts round_counts; /* when alpha's round began */
	uint64_t round_sent, round_start_ns;
	uint64_t answered_sent, answered_ns;   /* when the last mark or loss was answered */
	struct udp_prague_undo undo;
	/* for the sender */
	uint32_t packet_bytes;
	uint32_t burst_packets;    /* that may leave at once */
	uint64_t window_packets;
};

/* A stream where frame_interval_ns is 0. */
void udp_prague_control_init(struct udp_prague_control *control, uint32_t max_packet_bytes,
			     uint64_t frame_interval_ns, uint64_t frame_budget_ns,
			     uint64_t now_ns);

/* A round-trip sample, before the counts that came with it. */
void udp_prague_control_rtt(struct udp_prague_control *control, uint64_t rtt_ns);

/* Feedback, when `sent` packets have been sent in all; false: older than what is known. */
bool udp_prague_control_feedback(struct udp_prague_control *control,
				 const struct udp_prague_counts *counts, uint64_t sent,
				 uint64_t now_ns);

/* Nothing was heard for long: from the start again, with one packet. */
void udp_prague_control_timeout(struct udp_prague_control *control, uint64_t now_ns);

/* Bits of IP packets per second, now. */
uint64_t udp_prague_control_pace_bps(const struct udp_prague_control *control, uint64_t now_ns);

/* Bytes that the next frame may have, and how many frames may be in flight. */
uint64_t udp_prague_control_frame_bytes(const struct udp_prague_control *control);
uint64_t udp_prague_control_frame_window(const struct udp_prague_control *control);

#endif
