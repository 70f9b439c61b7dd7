/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The 24 integers of one log line: what the router knew when it decided on a
 * packet, and what it did.  Field order is that of the kernel log; names are
 * those of the log.  Times in microseconds; probability = value / (2^31 - 1).
 */
#ifndef AQM_RECORD_H
#define AQM_RECORD_H

#include "aqm/platform.h"

#define AQM_RECORD_FIELDS 24
#define AQM_RECORD_PROBABILITY_ONE INT64_C(2147483647)

/* X(name), in the order of the log line */
#define AQM_RECORD_TABLE(X)                                                                        \
	X(queue_type)                                                                              \
	X(qdelay_reference)                                                                        \
	X(tupdate)                                                                                 \
	X(max_burst)                                                                               \
	X(max_ecn_threshold)                                                                       \
	X(alpha)                                                                                   \
	X(beta)                                                                                    \
	X(flags)                                                                                   \
	X(burst_allowance)                                                                         \
	X(drop_probability)                                                                        \
	X(current_queue_delay)                                                                     \
	X(previous_queue_delay)                                                                    \
	X(accumulated_probability)                                                                 \
	X(measurement_start_time)                                                                  \
	X(average_dequeue_time)                                                                    \
	X(dequeue_count)                                                                           \
	X(status_flags)                                                                            \
	X(total_packets)                                                                           \
	X(total_bytes)                                                                             \
	X(queue_length)                                                                            \
	X(length_in_bytes)                                                                         \
	X(total_drops)                                                                             \
	X(packet_length)                                                                           \
	X(dequeue_action)

/* dequeue_action as logged; pools subtract 1. */
enum aqm_logged_action {
	AQM_LOGGED_ENQUEUE = 1,
	AQM_LOGGED_DROP = 2,
	AQM_LOGGED_MARK = 3,
};

/* All 24 as one array of int64_t in memory order: `int64_t *fields = &record.queue_type`. */
struct aqm_record {
#define AQM_RECORD_MEMBER(name) int64_t name;
	AQM_RECORD_TABLE(AQM_RECORD_MEMBER)
#undef AQM_RECORD_MEMBER
};

#endif
