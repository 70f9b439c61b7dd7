/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scoreboard of a sender: the fate of every segment between the cumulative
 * acknowledgement and the newest byte sent.
 *
 * Segments are numbered from 0 as they are first sent, and sent again as they
 * were.  A segment is lost once three later ones were selectively acknowledged
 * (RFC 6675 with forward acknowledgement), a retransmission once something sent
 * after it was delivered (the idea of RFC 8985).  Work is constant per segment,
 * not per acknowledgement: every scan moves forward only.  The segment of a
 * byte is found at once where all segments are full, by bisection otherwise.
 */
#ifndef TCP_SCOREBOARD_H
#define TCP_SCOREBOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "tcp/rate.h"

#define SCOREBOARD_DUPTHRESH 3

enum segment_flag {
	SEGMENT_IN_FLIGHT = 1,
	SEGMENT_SACKED = 2,
	SEGMENT_LOST = 4, /* and not yet sent again */
	SEGMENT_RETRANSMITTED = 8,
};

struct segment {
	uint64_t sent_ns; /* last time it was sent */
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

struct scoreboard {
	struct segment *ring;         /* capacity is a power of two */
	uint64_t capacity;
	uint64_t first;               /* first segment not cumulatively acknowledged */
	uint64_t next;                /* next new segment */
	uint64_t first_byte;          /* of segment `first`: the cumulative acknowledgement */
	uint64_t next_byte;           /* of segment `next`: one past the newest byte sent */
	uint32_t full_bytes;          /* most bytes in a segment */
	uint64_t sacked_end;          /* one past the highest selectively acknowledged segment */
	uint64_t scanned;             /* segments before this were checked for loss */
	uint64_t lost_hint;           /* no lost segment before this */
	uint64_t lost_bytes, in_flight_bytes;
	uint64_t delivered_sent_ns;   /* latest sending time among delivered segments */
	struct retransmission *again; /* ring, capacity as above */
	uint64_t again_first, again_next;
	struct sacked_run seen[SCOREBOARD_SEEN]; /* blocks gone through already, newest first */
	struct tcp_rate rate;
	struct segment_rate *rates;   /* ring, capacity as above; NULL: no delivery rates wanted */
	/* Optional: `bytes` were lost, which remember `memory` (NULL without rates). */
	void (*on_lost)(void *context, uint32_t bytes, const struct segment_rate *memory);
	void *context;
};

/* No segment will hold more than `full_bytes`; `rates`: delivery rates are wanted.  ERR_NO_MEMORY.
 */
int scoreboard_init(struct scoreboard *board, uint32_t full_bytes, bool rates);
void scoreboard_free(struct scoreboard *board);

/* A new segment leaves: its number is board->next before the call.  ERR_NO_MEMORY. */
int scoreboard_send(struct scoreboard *board, uint32_t bytes, uint64_t now_ns);

/* Next lost segment, to be retransmitted; UINT64_MAX: none. */
uint64_t scoreboard_next_lost(struct scoreboard *board);
void scoreboard_resend(struct scoreboard *board, uint64_t segment, uint64_t now_ns);

/* First byte and length of an outstanding segment. */
uint64_t scoreboard_start(const struct scoreboard *board, uint64_t segment);
uint32_t scoreboard_length(const struct scoreboard *board, uint64_t segment);

/* Acknowledged cumulatively up to `byte`; returns bytes newly delivered. */
uint64_t scoreboard_ack(struct scoreboard *board, uint64_t byte, uint64_t now_ns);

/* Bytes [start, end) are selectively acknowledged; returns bytes newly delivered. */
uint64_t scoreboard_sack(struct scoreboard *board, uint64_t start, uint64_t end, uint64_t now_ns);

/* Finds losses after an acknowledgement; returns bytes newly lost. */
uint64_t scoreboard_detect(struct scoreboard *board);

/* A timeout: everything not selectively acknowledged is lost. */
void scoreboard_lose_all(struct scoreboard *board);

/* Recounts everything: for tests. */
bool scoreboard_is_valid(const struct scoreboard *board);

#endif
