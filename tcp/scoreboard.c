/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two rings: segments by number, retransmissions by time.
 */
#include "tcp/scoreboard.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define FIRST_CAPACITY 32

static struct segment *segment_at(const struct scoreboard *board, uint64_t number)
{
	return &board->ring[number & (board->capacity - 1)];
}

/* Where segment `number` begins; `next` is where the newest byte ends. */
static uint64_t start_of(const struct scoreboard *board, uint64_t number)
{
	if (number == board->next)
		return board->next_byte;
	return board->first_byte +
	       (uint32_t)(segment_at(board, number)->start - (uint32_t)board->first_byte);
}

uint64_t scoreboard_start(const struct scoreboard *board, uint64_t segment)
{
	return start_of(board, segment);
}

uint32_t scoreboard_length(const struct scoreboard *board, uint64_t segment)
{
	return (uint32_t)(start_of(board, segment + 1) - start_of(board, segment));
}

static struct segment_rate *rate_at(const struct scoreboard *board, uint64_t number)
{
	return &board->rates[number & (board->capacity - 1)];
}

int scoreboard_init(struct scoreboard *board, uint32_t full_bytes, bool rates)
{
	memset(board, 0, sizeof(*board));
	board->full_bytes = full_bytes;
	board->capacity = FIRST_CAPACITY;
	board->ring = calloc(board->capacity, sizeof(*board->ring));
	board->again = calloc(board->capacity, sizeof(*board->again));
	if (rates)
		board->rates = calloc(board->capacity, sizeof(*board->rates));
	return board->ring && board->again && (!rates || board->rates) ? 0 : ERR_NO_MEMORY;
}

void scoreboard_free(struct scoreboard *board)
{
	free(board->ring);
	free(board->again);
	free(board->rates);
	memset(board, 0, sizeof(*board));
}

/* A ring of twice the capacity, entries [first, next) at their numbers; NULL: out of memory. */
static void *twice(const void *ring, uint64_t capacity, size_t size, uint64_t first, uint64_t next)
{
	unsigned char *larger = calloc(2 * capacity, size);

	for (uint64_t i = first; larger && i < next; i++)
		memcpy(larger + (i & (2 * capacity - 1)) * size,
		       (const unsigned char *)ring + (i & (capacity - 1)) * size, size);
	return larger;
}

/* Doubles every ring. */
static int grow(struct scoreboard *board)
{
	const uint64_t capacity = board->capacity, first = board->first, next = board->next;
	struct segment *ring = twice(board->ring, capacity, sizeof(*ring), first, next);
	struct segment_rate *rates =
		board->rates ? twice(board->rates, capacity, sizeof(*rates), first, next) : NULL;
	struct retransmission *again = twice(board->again, capacity, sizeof(*again),
					     board->again_first, board->again_next);

	if (ring == NULL || again == NULL || (board->rates && rates == NULL)) {
		free(ring);
		free(rates);
		free(again);
		return ERR_NO_MEMORY;
	}
	free(board->ring);
	free(board->rates);
	free(board->again);
	board->ring = ring;
	board->rates = rates;
	board->again = again;
	board->capacity = 2 * capacity;
	return 0;
}

int scoreboard_send(struct scoreboard *board, uint32_t bytes, uint64_t now_ns)
{
	if (board->next - board->first == board->capacity && grow(board))
		return ERR_NO_MEMORY;
	*segment_at(board, board->next) = (struct segment){
		.sent_ns = now_ns,
		.start = (uint32_t)board->next_byte,
		.flags = SEGMENT_IN_FLIGHT,
	};
	if (board->rates)
		tcp_rate_send(&board->rate, rate_at(board, board->next), board->in_flight_bytes,
			      bytes, now_ns);
	board->next++;
	board->next_byte += bytes;
	board->in_flight_bytes += bytes;
	return 0;
}

uint64_t scoreboard_next_lost(struct scoreboard *board)
{
	if (board->lost_bytes == 0)
		return UINT64_MAX;
	if (board->lost_hint < board->first)
		board->lost_hint = board->first;
	while (!(segment_at(board, board->lost_hint)->flags & SEGMENT_LOST))
		board->lost_hint++;
	return board->lost_hint;
}

void scoreboard_resend(struct scoreboard *board, uint64_t number, uint64_t now_ns)
{
	struct segment *segment = segment_at(board, number);
	const uint32_t bytes = scoreboard_length(board, number);

	segment->flags = SEGMENT_IN_FLIGHT | SEGMENT_RETRANSMITTED;
	segment->sent_ns = now_ns;
	if (board->rates)
		tcp_rate_send(&board->rate, rate_at(board, number), board->in_flight_bytes, bytes,
			      now_ns);
	board->lost_bytes -= bytes;
	board->in_flight_bytes += bytes;
	/* Entries whose segment was sent yet again are stale; they leave from the front. */
	if (board->again_next - board->again_first == board->capacity)
		board->again_first++;
	board->again[board->again_next++ & (board->capacity - 1)] =
		(struct retransmission){number, now_ns};
}

/* Takes a segment out of what is in flight or lost; returns its bytes where that is news. */
static uint32_t deliver(struct scoreboard *board, uint64_t number, uint32_t bytes, uint64_t now_ns)
{
	struct segment *segment = segment_at(board, number);

	if (segment->flags & SEGMENT_SACKED)
		return 0;
	if (segment->flags & SEGMENT_IN_FLIGHT)
		board->in_flight_bytes -= bytes;
	else
		board->lost_bytes -= bytes;
	if (segment->sent_ns > board->delivered_sent_ns)
		board->delivered_sent_ns = segment->sent_ns;
	segment->flags = (segment->flags & SEGMENT_RETRANSMITTED) | SEGMENT_SACKED;
	if (board->rates) {
		const struct delivered_segment delivered = {number, segment->sent_ns, bytes};

		tcp_rate_deliver(&board->rate, rate_at(board, number), &delivered, now_ns);
	}
	return bytes;
}

uint64_t scoreboard_ack(struct scoreboard *board, uint64_t byte, uint64_t now_ns)
{
	uint64_t delivered = 0;

	if (byte > board->next_byte)
		byte = board->next_byte;
	while (board->first_byte < byte) {
		const uint64_t end = start_of(board, board->first + 1);

		if (end > byte)
			break;
		delivered += deliver(board, board->first, (uint32_t)(end - board->first_byte),
				     now_ns);
		board->first++;
		board->first_byte = end;
	}
	return delivered;
}

/* First segment that begins at `byte` or later; `next` when none does. */
static uint64_t find_from(const struct scoreboard *board, uint64_t byte)
{
	uint64_t low, high = board->next;

	if (byte <= board->first_byte)
		return board->first;
	if (byte >= board->next_byte)
		return board->next;
	/* No segment is longer than a full one: the one sought is not before this. */
	low = board->first + (byte - board->first_byte) / board->full_bytes;
	while (low < high && start_of(board, low) < byte) {
		const uint64_t middle = low + (high - low) / 2;

		if (start_of(board, middle) < byte)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Blocks come again and again, a little longer each time: where one starts like a block that was
 * gone through before, only what lies beyond that one's end can be news.
 */
static uint64_t skip_seen(struct scoreboard *board, uint64_t start, uint64_t end)
{
	uint64_t from = start;
	int slot = SCOREBOARD_SEEN - 1;

	for (int i = 0; i < SCOREBOARD_SEEN; i++) {
		if (board->seen[i].start == start && board->seen[i].end > start) {
			from = board->seen[i].end;
			slot = i;
			break;
		}
	}
	memmove(board->seen + 1, board->seen, (size_t)slot * sizeof(board->seen[0]));
	board->seen[0] = (struct sacked_run){start, end > from ? end : from};
	return from;
}

uint64_t scoreboard_sack(struct scoreboard *board, uint64_t start_byte, uint64_t end_byte,
			 uint64_t now_ns)
{
	const uint64_t start = find_from(board, start_byte);
	uint64_t delivered = 0, from, end = find_from(board, end_byte);

	/* Of a segment that is acknowledged in part, the rest has yet to come. */
	if (start_of(board, end) > end_byte)
		end--;
	if (start_byte >= end_byte || start >= end)
		return 0;
	from = skip_seen(board, start, end);
	for (uint64_t i = from > board->first ? from : board->first; i < end; i++)
		delivered += deliver(board, i, scoreboard_length(board, i), now_ns);
	if (end > board->sacked_end)
		board->sacked_end = end;
	return delivered;
}

static uint32_t lose(struct scoreboard *board, uint64_t number)
{
	struct segment *segment = segment_at(board, number);
	const uint32_t bytes = scoreboard_length(board, number);

	segment->flags = (segment->flags & SEGMENT_RETRANSMITTED) | SEGMENT_LOST;
	board->in_flight_bytes -= bytes;
	board->lost_bytes += bytes;
	if (number < board->lost_hint)
		board->lost_hint = number;
	board->rate.lost_bytes += bytes;
	if (board->on_lost)
		board->on_lost(board->context, bytes,
			       board->rates ? rate_at(board, number) : NULL);
	return bytes;
}

/* Retransmissions made before something that was delivered since. */
static uint64_t detect_again(struct scoreboard *board)
{
	uint64_t lost = 0;

	while (board->again_first < board->again_next) {
		const struct retransmission *entry =
			&board->again[board->again_first & (board->capacity - 1)];
		const struct segment *segment;

		if (entry->sent_ns >= board->delivered_sent_ns)
			break;
		board->again_first++;
		if (entry->segment < board->first)
			continue;
		segment = segment_at(board, entry->segment);
		if ((segment->flags & SEGMENT_IN_FLIGHT) && segment->sent_ns == entry->sent_ns)
			lost += lose(board, entry->segment);
	}
	return lost;
}

uint64_t scoreboard_detect(struct scoreboard *board)
{
	uint64_t lost = 0;

	if (board->scanned < board->first)
		board->scanned = board->first;
	while (board->scanned + SCOREBOARD_DUPTHRESH < board->sacked_end) {
		if (segment_at(board, board->scanned)->flags == SEGMENT_IN_FLIGHT)
			lost += lose(board, board->scanned);
		board->scanned++;
	}
	return lost + detect_again(board);
}

void scoreboard_lose_all(struct scoreboard *board)
{
	for (uint64_t i = board->first; i < board->next; i++)
		if (segment_at(board, i)->flags & SEGMENT_IN_FLIGHT)
			lose(board, i);
	board->again_first = board->again_next;
}

bool scoreboard_is_valid(const struct scoreboard *board)
{
	uint64_t lost = 0, in_flight = 0;

	for (uint64_t i = board->first; i < board->next; i++) {
		const uint8_t flags = segment_at(board, i)->flags;
		const int states = !!(flags & SEGMENT_IN_FLIGHT) + !!(flags & SEGMENT_SACKED) +
				   !!(flags & SEGMENT_LOST);

		if (states != 1)
			return false;
		lost += flags & SEGMENT_LOST ? scoreboard_length(board, i) : 0;
		in_flight += flags & SEGMENT_IN_FLIGHT ? scoreboard_length(board, i) : 0;
		if (find_from(board, start_of(board, i)) != i)
			return false;
	}
	return lost == board->lost_bytes && in_flight == board->in_flight_bytes &&
	       board->next - board->first <= board->capacity;
}
