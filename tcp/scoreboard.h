/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scoreboard of a sender: the fate of every segment between the cumulative
 * acknowledgement and the newest byte sent.
 *
 * Segments are numbered from 0 as they are first sent, and sent again as they
 * were.  Losses are found by RACK (rack.h).  Segments are in order of sending in
 * one ring, retransmissions in another, and what is not yet too old in either
 * stays for the next look: work is constant per segment, not per
 * acknowledgement, and every scan moves forward only.  The segment of a byte is
 * found at once where all segments are full, by bisection otherwise.
 */
#ifndef TCP_SCOREBOARD_H
#define TCP_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/store.h"
#include "base/units.h"
#include "tcp/rack.h"
#include "tcp/rate.h"

enum segment_flag {
	SEGMENT_IN_FLIGHT = 1,
	SEGMENT_SACKED = 2,
	SEGMENT_LOST = 4, /* and not yet sent again */
	SEGMENT_RETRANSMITTED = 8,
};

struct segment {
	uint64_t sent_ns; /* last time it was sent: no two segments have the same */
	uint32_t start;   /* low bits of its first byte's number: windows stay under 4 GiB */
	uint8_t flags;
};

/* Retransmissions in the order in which they were made. */
struct retransmission {
	uint64_t segment, sent_ns;
};

/* A run of segments known to be delivered. */
struct sacked_run {
	uint64_t start, end;
};

#define SCOREBOARD_SEEN 4

/* The acknowledgement being taken. */
struct scoreboard_event {
	uint64_t now_ns;
	uint64_t min_rtt_ns;  /* before it */
	uint32_t echo_us;     /* timestamp that it echoes */
};

struct scoreboard {
	struct segment *ring;         /* capacity is a power of two */
	uint64_t capacity;
	uint64_t first;               /* first segment not cumulatively acknowledged */
	uint64_t next;                /* next new segment */
	uint64_t first_byte;          /* of segment `first`: the cumulative acknowledgement */
	uint64_t next_byte;           /* of segment `next`: one past the newest byte sent */
	uint32_t full_bytes;          /* most bytes in a segment */
	uint64_t newest_ns;           /* latest sent_ns */
	uint64_t delivered;           /* segments, in all */
	uint64_t sacked;              /* segments selectively acknowledged only */
	uint64_t scanned;             /* no segment before this is in flight for the first time */
	uint64_t lost_hint;           /* no lost segment before this */
	uint64_t lost_bytes, in_flight_bytes;
	struct tcp_rack rack;
	struct scoreboard_event event;
	struct retransmission *again; /* ring; its capacity is a power of two, or 0 */
	uint64_t again_capacity, again_first, again_next;
	struct segment_rate *rates;   /* ring, capacity as above; NULL: no delivery rates wanted */
	/* Optional: `bytes` were lost, which remember `memory` (NULL without rates). */
	void (*on_lost)(void *context, uint32_t bytes, const struct segment_rate *memory);
	void *context;
	struct store *store; /* where the rings come from; NULL: calloc() */
	struct tcp_rate rate;
	struct sacked_run seen[SCOREBOARD_SEEN]; /* blocks gone through already, newest first */
};

/*
 * No segment will hold more than `full_bytes`; `rates`: delivery rates are wanted; rings come from
 * `store` (NULL: calloc()), which outlives the scoreboard.  ERR_NO_MEMORY.
 */
int scoreboard_init(struct scoreboard *board, uint32_t full_bytes, bool rates,
		    struct store *store);
void scoreboard_free(struct scoreboard *board);

/* A new segment leaves: its number is board->next before the call.  ERR_NO_MEMORY. */
int scoreboard_send(struct scoreboard *board, uint32_t bytes, uint64_t now_ns);

/* Next lost segment, to be retransmitted; UINT64_MAX: none. */
uint64_t scoreboard_next_lost(struct scoreboard *board);

/* Segment `segment`, lost or in flight, leaves again.  ERR_NO_MEMORY. */
int scoreboard_resend(struct scoreboard *board, uint64_t segment, uint64_t now_ns);

/* The last segment, if it is in flight; UINT64_MAX: it is not, or there is none. */
uint64_t scoreboard_last(const struct scoreboard *board);

/* First byte and length of an outstanding segment. */
uint64_t scoreboard_start(const struct scoreboard *board, uint64_t segment);
uint32_t scoreboard_length(const struct scoreboard *board, uint64_t segment);

/* Has the oldest segment fetched from memory. */
static inline void scoreboard_expect(const struct scoreboard *board)
{
	__builtin_prefetch(&board->ring[board->first & (board->capacity - 1)]);
}

/* An acknowledgement is taken by scoreboard_ack(), scoreboard_sack() and scoreboard_detect(). */
static inline void scoreboard_begin(struct scoreboard *board, struct scoreboard_event event)
{
	board->event = event;
}

/* Acknowledged cumulatively up to `byte`; returns bytes newly delivered. */
uint64_t scoreboard_ack(struct scoreboard *board, uint64_t byte);

/* Bytes [start, end) are selectively acknowledged; returns bytes newly delivered. */
uint64_t scoreboard_sack(struct scoreboard *board, uint64_t start, uint64_t end);

/*
 * Finds what is lost at `now_ns`, given the reordering window; returns bytes newly lost.  *due_ns
 * is when to look again though nothing else happens; TIME_NEVER_NS: no need.
 */
uint64_t scoreboard_detect(struct scoreboard *board, uint64_t window_ns, uint64_t now_ns,
			   uint64_t *due_ns);

/* A timeout: everything not selectively acknowledged is lost. */
void scoreboard_lose_all(struct scoreboard *board);

/* The timeout was a mistake: what it took for lost and was not sent again is in flight. */
void scoreboard_restore(struct scoreboard *board);

/* Recounts everything: for tests. */
bool scoreboard_is_valid(const struct scoreboard *board);

#endif
