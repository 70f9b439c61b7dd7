/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two rings: segments by number, retransmissions by time.
 */
#include "tcp/scoreboard.h"

#include <string.h>

#include "base/error.h"

#define FIRST_CAPACITY 16
#define FIRST_AGAIN 8

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

int scoreboard_init(struct scoreboard *board, uint32_t full_bytes, bool rates,
		    struct store *store)
{
	memset(board, 0, sizeof(*board));
	board->store = store;
	board->full_bytes = full_bytes;
	board->capacity = FIRST_CAPACITY;
	board->ring = store_take(store, board->capacity * sizeof(*board->ring));
	if (rates)
		board->rates = store_take(store, board->capacity * sizeof(*board->rates));
	return board->ring && (!rates || board->rates) ? 0 : ERR_NO_MEMORY;
}

void scoreboard_free(struct scoreboard *board)
{
	store_give(board->store, board->ring, board->capacity * sizeof(*board->ring));
	store_give(board->store, board->again, board->again_capacity * sizeof(*board->again));
	store_give(board->store, board->rates, board->capacity * sizeof(*board->rates));
	memset(board, 0, sizeof(*board));
}

/* A ring of twice the capacity, entries [first, next) at their numbers; NULL: out of memory. */
static void *twice(struct store *store, const void *ring, uint64_t capacity, size_t size,
		   uint64_t first, uint64_t next)
{
	unsigned char *larger = store_take(store, 2 * capacity * size);

	for (uint64_t i = first; larger && i < next; i++)
		memcpy(larger + (i & (2 * capacity - 1)) * size,
		       (const unsigned char *)ring + (i & (capacity - 1)) * size, size);
	return larger;
}

/* Doubles the rings of segments. */
static int grow(struct scoreboard *board)
{
	const uint64_t capacity = board->capacity, first = board->first, next = board->next;
	struct store *store = board->store;
	struct segment *ring = twice(store, board->ring, capacity, sizeof(*ring), first, next);
	struct segment_rate *rates = NULL;

	if (board->rates)
		rates = twice(store, board->rates, capacity, sizeof(*rates), first, next);

	if (ring == NULL || (board->rates && rates == NULL)) {
		store_give(store, ring, 2 * capacity * sizeof(*ring));
		store_give(store, rates, 2 * capacity * sizeof(*rates));
		return ERR_NO_MEMORY;
	}
	store_give(store, board->ring, capacity * sizeof(*ring));
	store_give(store, board->rates, capacity * sizeof(*rates));
	board->ring = ring;
	board->rates = rates;
	board->capacity = 2 * capacity;
	return 0;
}

/*
 * When a segment that leaves now counts as sent: of those that leave at the same time, each a
 * nanosecond after the one before, so that times tell the order.
 */
static uint64_t stamp(struct scoreboard *board, uint64_t now_ns)
{
	board->newest_ns = now_ns > board->newest_ns ? now_ns : board->newest_ns + 1;
	return board->newest_ns;
}

int scoreboard_send(struct scoreboard *board, uint32_t bytes, uint64_t now_ns)
{
	if (board->next - board->first == board->capacity && grow(board))
		return ERR_NO_MEMORY;
	*segment_at(board, board->next) = (struct segment){
		.sent_ns = stamp(board, now_ns),
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

uint64_t scoreboard_last(const struct scoreboard *board)
{
	if (board->first == board->next ||
	    !(segment_at(board, board->next - 1)->flags & SEGMENT_IN_FLIGHT))
		return UINT64_MAX;
	return board->next - 1;
}

/* The segment of an entry is still in flight as the entry says. */
static bool is_current(const struct scoreboard *board, const struct retransmission *entry)
{
	const struct segment *segment = segment_at(board, entry->segment);

	return entry->segment >= board->first && (segment->flags & SEGMENT_IN_FLIGHT) &&
	       segment->sent_ns == entry->sent_ns;
}

/* Room for a retransmission: entries that no longer hold go, or the ring doubles. */
static int make_room(struct scoreboard *board)
{
	const uint64_t capacity = board->again_capacity;
	uint64_t kept = board->again_first;
	struct retransmission *larger;

	if (board->again_next - board->again_first < capacity)
		return 0;
	for (uint64_t i = board->again_first; i < board->again_next; i++)
		if (is_current(board, &board->again[i & (capacity - 1)]))
			board->again[kept++ & (capacity - 1)] = board->again[i & (capacity - 1)];
	board->again_next = kept;
	if (2 * (kept - board->again_first) < capacity)
		return 0;
	larger = capacity ? twice(board->store, board->again, capacity, sizeof(*larger),
				  board->again_first, kept)
			  : store_take(board->store, FIRST_AGAIN * sizeof(*larger));
	if (larger == NULL)
		return ERR_NO_MEMORY;
	store_give(board->store, board->again, capacity * sizeof(*larger));
	board->again = larger;
	board->again_capacity = capacity ? 2 * capacity : FIRST_AGAIN;
	return 0;
}

int scoreboard_resend(struct scoreboard *board, uint64_t number, uint64_t now_ns)
{
	struct segment *segment = segment_at(board, number);
	const uint32_t bytes = scoreboard_length(board, number);

	if (make_room(board))
		return ERR_NO_MEMORY;
	if (segment->flags & SEGMENT_LOST) {
		board->lost_bytes -= bytes;
		board->in_flight_bytes += bytes;
	}
	segment->flags = SEGMENT_IN_FLIGHT | SEGMENT_RETRANSMITTED;
	segment->sent_ns = stamp(board, now_ns);
	if (board->rates)
		tcp_rate_send(&board->rate, rate_at(board, number), board->in_flight_bytes - bytes,
			      bytes, now_ns);
	board->again[board->again_next++ & (board->again_capacity - 1)] =
		(struct retransmission){number, segment->sent_ns};
	return 0;
}

/*
 * Of a segment that was sent more than once: could an earlier copy be what was delivered?  An
 * echoed timestamp tells of segments that arrive in order, a round trip shorter than any of all.
 */
static bool is_ambiguous(const struct scoreboard *board, const struct segment *segment,
			 bool in_order)
{
	const struct scoreboard_event *event = &board->event;
	const uint32_t sent_us = (uint32_t)(segment->sent_ns / NS_PER_US);

	if (!(segment->flags & SEGMENT_RETRANSMITTED))
		return false;
	return event->now_ns < segment->sent_ns + event->min_rtt_ns ||
	       (in_order && (int32_t)(event->echo_us - sent_us) < 0);
}

/* Takes a segment out of what is in flight or lost; returns its bytes where that is news. */
static uint32_t deliver(struct scoreboard *board, uint64_t number, uint32_t bytes, bool in_order)
{
	struct segment *segment = segment_at(board, number);
	const struct rack_segment seen = {
		.sent_ns = segment->sent_ns,
		.number = number,
		.retransmitted = segment->flags & SEGMENT_RETRANSMITTED,
		.ambiguous = is_ambiguous(board, segment, in_order),
	};

	if (segment->flags & SEGMENT_IN_FLIGHT)
		board->in_flight_bytes -= bytes;
	else
		board->lost_bytes -= bytes;
	segment->flags = (segment->flags & SEGMENT_RETRANSMITTED) | SEGMENT_SACKED;
	board->delivered++;
	tcp_rack_deliver(&board->rack, &seen, board->event.now_ns);
	if (board->rates) {
		board->rate.delivered_bytes += bytes;
		tcp_rate_deliver(&board->rate, rate_at(board, number), segment->sent_ns,
				 board->event.now_ns);
	}
	return bytes;
}

/* The same for the usual case: all that is outstanding up to `byte` arrived as it was sent. */
static uint64_t deliver_in_order(struct scoreboard *board, uint64_t byte)
{
	const uint64_t from = board->first_byte;
	uint64_t newest_ns = board->rack.sent_ns, number = board->first;

	while (board->first_byte < byte) {
		const struct segment *segment = segment_at(board, number);
		const uint64_t end = start_of(board, number + 1);

		if (segment->flags != SEGMENT_IN_FLIGHT || end > byte)
			break;
		newest_ns = segment->sent_ns > newest_ns ? segment->sent_ns : newest_ns;
		board->first_byte = end;
		number++;
	}
	board->delivered += number - board->first;
	board->in_flight_bytes -= board->first_byte - from;
	board->first = number;
	if (number > board->rack.highest)
		board->rack.highest = number;
	if (newest_ns > board->rack.sent_ns) {
		board->rack.sent_ns = newest_ns;
		board->rack.rtt_ns =
			board->event.now_ns > newest_ns ? board->event.now_ns - newest_ns : 0;
	}
	return board->first_byte - from;
}

uint64_t scoreboard_ack(struct scoreboard *board, uint64_t byte)
{
	uint64_t delivered = 0;

	if (byte > board->next_byte)
		byte = board->next_byte;
	/* Nothing beyond was delivered before, so nothing is out of order. */
	if (board->rates == NULL && board->first >= board->rack.highest)
		delivered = deliver_in_order(board, byte);
	while (board->first_byte < byte) {
		const uint64_t end = start_of(board, board->first + 1);

		if (end > byte)
			break;
		if (segment_at(board, board->first)->flags & SEGMENT_SACKED)
			board->sacked--;
		else
			delivered += deliver(board, board->first,
					     (uint32_t)(end - board->first_byte), true);
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

uint64_t scoreboard_sack(struct scoreboard *board, uint64_t start_byte, uint64_t end_byte)
{
	const uint64_t start = find_from(board, start_byte);
	uint64_t delivered = 0, from, end = find_from(board, end_byte);

	/* Of a segment that is acknowledged in part, the rest has yet to come. */
	if (end > start && start_of(board, end) > end_byte)
		end--;
	if (start >= end)
		return 0;
	from = skip_seen(board, start, end);
	for (uint64_t i = from > board->first ? from : board->first; i < end; i++) {
		if (segment_at(board, i)->flags & SEGMENT_SACKED)
			continue;
		delivered += deliver(board, i, scoreboard_length(board, i), false);
		board->sacked++;
	}
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

/* A look at what was sent, oldest first. */
struct look {
	uint64_t window_ns, now_ns, due_ns;
	uint64_t lost; /* bytes */
};

/* Loses a segment in flight if it is due; false: it is not, nor is what was sent after it. */
static bool judge(struct scoreboard *board, struct look *look, uint64_t number)
{
	const struct tcp_rack *rack = &board->rack;
	const uint64_t sent_ns = segment_at(board, number)->sent_ns;
	const uint64_t due_ns = sent_ns + rack->rtt_ns + look->window_ns;

	if (sent_ns >= rack->sent_ns)
		return false;
	if (due_ns > look->now_ns) {
		if (due_ns < look->due_ns)
			look->due_ns = due_ns;
		return false;
	}
	look->lost += lose(board, number);
	return true;
}

uint64_t scoreboard_detect(struct scoreboard *board, uint64_t window_ns, uint64_t now_ns,
			   uint64_t *due_ns)
{
	struct look look = {window_ns, now_ns, TIME_NEVER_NS, 0};

	if (board->scanned < board->first)
		board->scanned = board->first;
	while (board->scanned < board->next) {
		if (segment_at(board, board->scanned)->flags == SEGMENT_IN_FLIGHT &&
		    !judge(board, &look, board->scanned))
			break;
		board->scanned++;
	}
	while (board->again_first < board->again_next) {
		const struct retransmission *entry =
			&board->again[board->again_first & (board->again_capacity - 1)];

		if (is_current(board, entry) && !judge(board, &look, entry->segment))
			break;
		board->again_first++;
	}
	*due_ns = look.due_ns;
	return look.lost;
}

void scoreboard_lose_all(struct scoreboard *board)
{
	for (uint64_t i = board->first; i < board->next; i++)
		if (segment_at(board, i)->flags & SEGMENT_IN_FLIGHT)
			lose(board, i);
	board->again_first = board->again_next;
}

void scoreboard_restore(struct scoreboard *board)
{
	for (uint64_t i = board->first; i < board->next; i++) {
		struct segment *segment = segment_at(board, i);

		if (segment->flags != SEGMENT_LOST)
			continue;
		segment->flags = SEGMENT_IN_FLIGHT;
		board->lost_bytes -= scoreboard_length(board, i);
		board->in_flight_bytes += scoreboard_length(board, i);
	}
	board->scanned = board->first;
}

bool scoreboard_is_valid(const struct scoreboard *board)
{
	uint64_t lost = 0, in_flight = 0, sacked = 0;

	for (uint64_t i = board->first; i < board->next; i++) {
		const uint8_t flags = segment_at(board, i)->flags;
		const int states = !!(flags & SEGMENT_IN_FLIGHT) + !!(flags & SEGMENT_SACKED) +
				   !!(flags & SEGMENT_LOST);

		if (states != 1)
			return false;
		lost += flags & SEGMENT_LOST ? scoreboard_length(board, i) : 0;
		in_flight += flags & SEGMENT_IN_FLIGHT ? scoreboard_length(board, i) : 0;
		sacked += (flags & SEGMENT_SACKED) != 0;
		if (flags == SEGMENT_IN_FLIGHT && i < board->scanned)
			return false;
		if (find_from(board, start_of(board, i)) != i)
			return false;
	}
	return lost == board->lost_bytes && sacked == board->sacked &&
	       in_flight == board->in_flight_bytes &&
	       board->next - board->first <= board->capacity;
}
