/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery rate, one sample per acknowledgement (draft-ietf-ccwg-bbr section 4.1,
 * formerly draft-cheng-iccrg-delivery-rate-estimation).
 *
 * Every segment remembers, as it leaves, what had been delivered by then and
 * when.  Of the segments that an acknowledgement delivers, the one sent last
 * gives the sample: bytes delivered since it left, over the longer of the time
 * in which those were sent and the time in which they were acknowledged.
 */
#ifndef TCP_RATE_H
#define TCP_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/cc.h"

/* What a segment remembers of the time when it was last sent. */
struct segment_rate {
	uint64_t delivered_bytes; /* in all */
	uint64_t delivered_ns;    /* when the last of them was delivered */
	uint64_t first_sent_ns;   /* when the segment delivered last had been sent */
	uint64_t in_flight_bytes; /* with this one */
	uint64_t lost_bytes;      /* in all */
	bool app_limited;
};

struct tcp_rate {
	uint64_t delivered_bytes, delivered_ns;
	uint64_t lost_bytes;      /* in all */
	uint64_t first_sent_ns;   /* when the segment delivered last had been sent */
	uint64_t app_limited_end; /* the application limits until this is delivered; 0: no limit */
	/* the acknowledgement being taken */
	struct segment_rate newest; /* of the segments that it delivers */
	uint64_t newest_sent_ns;
	bool has_newest;
};

/* A segment leaves; `in_flight_bytes` counts what else is in flight. */
static inline void tcp_rate_send(struct tcp_rate *rate, struct segment_rate *memory,
				 uint64_t in_flight_bytes, uint32_t bytes, uint64_t now_ns)
{
	if (in_flight_bytes == 0)
		rate->first_sent_ns = rate->delivered_ns = now_ns;
	*memory = (struct segment_rate){
		.delivered_bytes = rate->delivered_bytes,
		.delivered_ns = rate->delivered_ns,
		.first_sent_ns = rate->first_sent_ns,
		.in_flight_bytes = in_flight_bytes + bytes,
		.lost_bytes = rate->lost_bytes,
		.app_limited = rate->app_limited_end > 0,
	};
}

/* The acknowledgement being taken delivers a segment, which delivered_bytes counts already. */
static inline void tcp_rate_deliver(struct tcp_rate *rate, const struct segment_rate *memory,
				    uint64_t sent_ns, uint64_t now_ns)
{
	rate->delivered_ns = now_ns;
	if (rate->has_newest && sent_ns < rate->newest_sent_ns)
		return;
	rate->newest = *memory;
	rate->newest_sent_ns = sent_ns;
	rate->has_newest = true;
}

/* All that is written has been sent and more could be: the application is the limit. */
static inline void tcp_rate_limit(struct tcp_rate *rate, uint64_t in_flight_bytes)
{
	const uint64_t end = rate->delivered_bytes + in_flight_bytes;

	rate->app_limited_end = end ? end : 1;
}

/* Ends the acknowledgement: its rate goes into the sample. */
void tcp_rate_sample(struct tcp_rate *rate, uint64_t min_rtt_ns, struct tcp_cc_sample *sample);

#endif
