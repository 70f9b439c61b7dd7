/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Round-trip estimate and retransmission timeout (RFC 6298), with Linux's
 * floor of 200 ms on the timeout.
 */
#ifndef TCP_RTT_H
#define TCP_RTT_H

#include <stdint.h>

#include "base/units.h"

#define TCP_RTO_MIN_NS (200 * NS_PER_MS)
#define TCP_RTO_MAX_NS (60 * NS_PER_S)
/* Before the first sample (RFC 6298 section 2.1). */
#define TCP_RTO_FIRST_NS NS_PER_S

struct tcp_rtt {
	uint64_t srtt_ns, variation_ns;
	uint64_t min_ns;    /* least sample so far; 0 before the first */
	uint64_t latest_ns; /* newest sample; 0 before the first */
	unsigned backoff;   /* timeouts in a row */
};

static inline void tcp_rtt_sample(struct tcp_rtt *rtt, uint64_t sample_ns)
{
	const uint64_t distance =
		sample_ns > rtt->srtt_ns ? sample_ns - rtt->srtt_ns : rtt->srtt_ns - sample_ns;

	if (rtt->min_ns == 0 || sample_ns < rtt->min_ns)
		rtt->min_ns = sample_ns;
	if (rtt->srtt_ns == 0) {
		rtt->srtt_ns = sample_ns;
		rtt->variation_ns = sample_ns / 2;
	} else {
		rtt->variation_ns += distance / 4 - rtt->variation_ns / 4;
		rtt->srtt_ns += sample_ns / 8 - rtt->srtt_ns / 8;
	}
	rtt->latest_ns = sample_ns;
	rtt->backoff = 0;
}

static inline uint64_t tcp_rtt_timeout_ns(const struct tcp_rtt *rtt)
{
	uint64_t rto = TCP_RTO_FIRST_NS;

	if (rtt->srtt_ns) {
		const uint64_t spread = 4 * rtt->variation_ns;

		rto = rtt->srtt_ns + (spread > TCP_RTO_MIN_NS ? spread : TCP_RTO_MIN_NS);
	}
	rto <<= rtt->backoff < 8 ? rtt->backoff : 8;
	return rto < TCP_RTO_MAX_NS ? rto : TCP_RTO_MAX_NS;
}

#endif
