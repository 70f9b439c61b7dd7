/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Proportional rate reduction (RFC 9937): what may be sent during recovery, so
 * that what is in flight goes from where it was to the control's new window as
 * data is delivered, not in a pause and a burst.
 */
#ifndef TCP_PRR_H
#define TCP_PRR_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_prr {
	uint64_t delivered, sent;    /* bytes since recovery began */
	uint64_t flight_bytes;       /* in flight when it began */
	uint64_t window_bytes;       /* what may be in flight now */
};

/* `flight_bytes`: in flight before the acknowledgement that brought recovery about. */
static inline void tcp_prr_start(struct tcp_prr *prr, uint64_t flight_bytes)
{
	*prr = (struct tcp_prr){.flight_bytes = flight_bytes ? flight_bytes : 1};
}

/* What an acknowledgement (or a timer, with nothing delivered) says in recovery. */
struct prr_event {
	uint64_t delivered_bytes;
	uint64_t in_flight_bytes; /* after it */
	uint64_t target_bytes;    /* the control's window */
	uint32_t mss_bytes;
	bool safe; /* the cumulative acknowledgement moved on, nothing more is lost */
};

static inline void tcp_prr_event(struct tcp_prr *prr, const struct prr_event *event)
{
	uint64_t allowed, room;

	prr->delivered += event->delivered_bytes;
	if (event->in_flight_bytes > event->target_bytes) {
		allowed = (uint64_t)(((unsigned __int128)prr->delivered * event->target_bytes +
				      prr->flight_bytes - 1) /
				     prr->flight_bytes);
		allowed = allowed > prr->sent ? allowed - prr->sent : 0;
	} else {
		room = event->target_bytes - event->in_flight_bytes;
		allowed = prr->delivered > prr->sent ? prr->delivered - prr->sent : 0;
		if (event->delivered_bytes > allowed)
			allowed = event->delivered_bytes;
		if (event->safe)
			allowed += event->mss_bytes;
		if (allowed > room)
			allowed = room;
	}
	/* Whatever else, the first retransmission leaves. */
	if (prr->sent == 0 && allowed < event->mss_bytes)
		allowed = event->mss_bytes;
	prr->window_bytes = event->in_flight_bytes + allowed;
}

#endif
