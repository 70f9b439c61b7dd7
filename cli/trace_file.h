/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A packet trace for a queue law: CSV with the columns t_ns, op, len_bytes,
 * ecn and flow, in any order; fields that an operation does not need may be
 * empty.
 */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum trace_op { TRACE_ENQUEUE, TRACE_DEQUEUE, TRACE_OBSERVE };

struct trace_row {
	uint64_t t_ns;
	enum trace_op op;
	uint32_t len_bytes; /* enq only, in [1, 65535] */
	uint8_t ecn;        /* enq only: enum aqm_ecn */
	uint32_t flow;
	uint32_t source_host, destination_host; /* 0 unless said */
};

struct trace_file {
	FILE *stream;
	const char *path;
	long line;
	int column[7]; /* where t_ns, op, ... destination_host stand; -1: nowhere */
	int columns;
	uint64_t last_ns;
	char *text;
	size_t size;
};

/* `path` "-" is standard input.  Reads the header. */
int trace_file_open(struct trace_file *trace, const char *path, struct error *error);

/* 1: a row; 0: the end; negative: an error that names line and field. */
int trace_file_next(struct trace_file *trace, struct trace_row *row, struct error *error);
void trace_file_close(struct trace_file *trace);

#endif
