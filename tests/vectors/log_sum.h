/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One number for log lines, in any order: a kernel's log lets the line of a packet that was dropped
 * on arrival come early where it has no room for it.
 */
#ifndef TESTS_VECTORS_LOG_SUM_H
#define TESTS_VECTORS_LOG_SUM_H

#include "aqm/record.h"

AQM_INLINE void vectors_log_fold(uint64_t *sum, const struct aqm_record *record)
{
	const int64_t *field = &record->queue_type;
	uint64_t line = 0;

	for (unsigned i = 0; i < AQM_RECORD_FIELDS; i++) {
		line = (line ^ (uint64_t)field[i]) * UINT64_C(0x100000001b3);
		line ^= line >> 29;
	}
	*sum += line;
}

#endif
