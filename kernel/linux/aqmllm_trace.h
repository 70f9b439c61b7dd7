/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The tracepoint's text is the log line of docs/kernel.md, so that `aqmllm pool` reads a trace.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM aqmllm

#if !defined(AQMLLM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define AQMLLM_TRACE_H

#include <linux/tracepoint.h>

#include "aqm/record.h"

TRACE_EVENT(aqmllm_packet,
	TP_PROTO(const char *device, const struct aqm_record *record),
	TP_ARGS(device, record),
	TP_STRUCT__entry(
		__array(char, device, 32)
		__array(s64, field, AQM_RECORD_FIELDS)
	),
	TP_fast_assign(
		memcpy(__entry->device, device, 32);
		memcpy(__entry->field, record, sizeof(__entry->field));
	),
	TP_printk("%s l4s_ecn_marking-start,"
		  "%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,"
		  "%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,%lld,end ",
		  __entry->device, __entry->field[0], __entry->field[1], __entry->field[2],
		  __entry->field[3], __entry->field[4], __entry->field[5], __entry->field[6],
		  __entry->field[7], __entry->field[8], __entry->field[9], __entry->field[10],
		  __entry->field[11], __entry->field[12], __entry->field[13], __entry->field[14],
		  __entry->field[15], __entry->field[16], __entry->field[17], __entry->field[18],
		  __entry->field[19], __entry->field[20], __entry->field[21], __entry->field[22],
		  __entry->field[23])
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE aqmllm_trace
#include <trace/define_trace.h>
