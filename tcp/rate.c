/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Delivery rate of an acknowledgement.
 */
#include "tcp/rate.h"

#include "base/units.h"

void tcp_rate_sample(struct tcp_rate *rate, uint64_t min_rtt_ns, struct tcp_cc_sample *sample)
{
	const struct segment_rate *newest = &rate->newest;
	uint64_t send_ns, ack_ns;

	if (rate->app_limited_end && rate->delivered_bytes > rate->app_limited_end)
		rate->app_limited_end = 0;
	if (!rate->has_newest)
		return;
	rate->has_newest = false;
	sample->prior_delivered_bytes = newest->delivered_bytes;
	sample->prior_in_flight_bytes = newest->in_flight_bytes;
	sample->prior_lost_bytes = newest->lost_bytes;
	sample->rate_app_limited = newest->app_limited;
	send_ns = rate->newest_sent_ns - newest->first_sent_ns;
	ack_ns = rate->delivered_ns - newest->delivered_ns;
	rate->first_sent_ns = rate->newest_sent_ns;
	sample->rate_interval_ns = send_ns > ack_ns ? send_ns : ack_ns;
	/* Faster than the path can answer: a segment delivered twice over, and no measure. */
	if (sample->rate_interval_ns == 0 || sample->rate_interval_ns < min_rtt_ns)
		return;
	sample->rate_bps =
		(uint64_t)((unsigned __int128)(rate->delivered_bytes - newest->delivered_bytes) *
			   8 * NS_PER_S / sample->rate_interval_ns);
}
