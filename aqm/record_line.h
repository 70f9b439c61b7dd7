/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A log line's text from its 24 integers, and the integers that any host fills in alike: no libc,
 * so that kernels write with the same code as the simulator.
 */
#ifndef AQM_RECORD_LINE_H
#define AQM_RECORD_LINE_H

#include "aqm/facts.h"
#include "aqm/record.h"

#define AQM_RECORD_MARKER "l4s_ecn_marking-start,"
/* The longest text, with its NUL: marker, 24 integers of 20 digits, commas, "end ". */
#define AQM_RECORD_LINE_BYTES 544

/* Host fields of a record from the facts, before the packet is queued; others are left alone. */
AQM_INLINE void aqm_record_fill_host(const struct aqm_facts *facts, struct aqm_record *record)
{
	const unsigned queue = facts->queue;

	record->queue_type = queue;
	record->total_packets = (int64_t)facts->total_pkts[queue];
	record->total_bytes = (int64_t)facts->total_bytes[queue];
	record->queue_length = facts->backlog_pkts[queue];
	record->length_in_bytes = (int64_t)facts->backlog_bytes[queue];
	record->total_drops = (int64_t)facts->total_drops[queue];
	record->packet_length = facts->len_bytes;
}

/* enum aqm_logged_action of a verdict. */
AQM_INLINE int64_t aqm_record_action(enum aqm_verdict verdict)
{
	if (verdict == AQM_PASS)
		return AQM_LOGGED_ENQUEUE;
	return verdict == AQM_DROP ? AQM_LOGGED_DROP : AQM_LOGGED_MARK;
}

/* Q0.32 on the log's scale of 2^31 - 1, rounded down; also of sums of probabilities. */
AQM_INLINE int64_t aqm_record_probability(uint64_t p_q32)
{
	return (int64_t)(p_q32 - (p_q32 >> 31)) >> 1;
}

/* Decimal digits of a value at `at`; where the text goes on. */
AQM_INLINE char *aqm_record_put_integer(char *at, int64_t value)
{
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	char digits[20];
	int count = 0;

	do {
		const uint64_t tenth = aqm_div64(rest, 10);

		digits[count++] = (char)('0' + (rest - 10 * tenth));
		rest = tenth;
	} while (rest);
	if (value < 0)
		*at++ = '-';
	while (count)
		*at++ = digits[--count];
	return at;
}

AQM_INLINE char *aqm_record_put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	return at;
}

/*
 * "l4s_ecn_marking-start,<24 integers>,end " with a NUL behind, into AQM_RECORD_LINE_BYTES; where
 * the NUL stands.
 */
static inline char *aqm_record_put_line(char *at, const struct aqm_record *record)
{
	const int64_t *field = &record->queue_type;

	at = aqm_record_put_text(at, AQM_RECORD_MARKER);
	for (int i = 0; i < AQM_RECORD_FIELDS; i++) {
		at = aqm_record_put_integer(at, field[i]);
		*at++ = ',';
	}
	at = aqm_record_put_text(at, "end ");
	*at = '\0';
	return at;
}

#endif
