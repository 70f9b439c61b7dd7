/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RACK: losses by time (RFC 8985 section 6).
 *
 * What was sent before the segment that was delivered last (in order of
 * sending), and is older than that one's round trip and a reordering window,
 * is lost.  The window is none until something arrived out of order while three
 * segments are selectively acknowledged or losses are being recovered;
 * otherwise a quarter of the least round trip, and as many quarters as
 * duplicates were reported (RFC 2883) in different round trips, never more than
 * a smoothed round trip.  Sixteen recoveries without such a report forget them.
 */
#ifndef TCP_RACK_H
#define TCP_RACK_H

#include <stdbool.h>
#include <stdint.h>

#define RACK_SEGMENTS 3
#define RACK_PERSISTENCE 16

struct tcp_rack {
	uint64_t sent_ns, rtt_ns; /* of the delivered segments, the one sent last */
	uint64_t highest;      /* one past the highest segment delivered */
	uint64_t round_end;    /* byte: duplicates count once until it is acknowledged */
	uint32_t quarters;     /* of the least round trip in the window; 0 means 1 */
	uint8_t persistence;   /* recoveries until `quarters` is forgotten */
	bool reordering_seen;
};

/* A segment, as RACK looks at it. */
struct rack_segment {
	uint64_t sent_ns, number;
	bool retransmitted;
	bool ambiguous; /* what was delivered may be an earlier copy of it */
};

static inline void tcp_rack_deliver(struct tcp_rack *rack, const struct rack_segment *segment,
				    uint64_t now_ns)
{
	if (segment->number >= rack->highest)
		rack->highest = segment->number + 1;
	else if (!segment->retransmitted)
		rack->reordering_seen = true;
	if (segment->ambiguous || segment->sent_ns <= rack->sent_ns)
		return;
	rack->sent_ns = segment->sent_ns;
	rack->rtt_ns = now_ns > segment->sent_ns ? now_ns - segment->sent_ns : 0;
}

/* The receiver reports a duplicate: we retransmitted too early. */
static inline void tcp_rack_duplicate(struct tcp_rack *rack, uint64_t acked, uint64_t sent)
{
	if (acked < rack->round_end)
		return;
	rack->round_end = sent;
	rack->quarters = (rack->quarters ? rack->quarters : 1) + 1;
	rack->persistence = RACK_PERSISTENCE;
}

static inline void tcp_rack_recovered(struct tcp_rack *rack)
{
	if (rack->persistence == 0 || --rack->persistence == 0)
		rack->quarters = 1;
}

static inline uint64_t tcp_rack_window_ns(const struct tcp_rack *rack, bool hurry,
					  uint64_t min_rtt_ns, uint64_t srtt_ns)
{
	const uint64_t window_ns = (rack->quarters ? rack->quarters : 1) * (min_rtt_ns / 4);

	if (hurry && !rack->reordering_seen)
		return 0;
	return window_ns < srtt_ns ? window_ns : srtt_ns;
}

#endif
