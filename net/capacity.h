/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a link can carry when: a constant rate, a rate that steps, or a
 * Mahimahi trace of moments at which 1500 bytes may leave.
 */
#ifndef NET_CAPACITY_H
#define NET_CAPACITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct rate_step {
	double at_s, rate_mbps;
};

/* Steps and trace belong to whoever made them, and outlive the plan. */
struct rate_plan {
	double rate_mbps;                  /* until the first step */
	const struct rate_step *steps;     /* (step_count), at_s rising; rate 0: stands still */
	uint64_t step_count;
	const uint64_t *trace_ms;          /* (trace_count), in place of rate and steps */
	uint64_t trace_count;
};

#define RATE_TRACE_BYTES_MAX (256 << 20) /* of a file */

/*
 * Reads a Mahimahi trace, `size` characters and a NUL: one whole number of milliseconds a line, one
 * line per 1500 bytes that may leave.  `path` is for messages.  The caller frees *trace_ms, also on
 * failure.  ERR_INVALID, ERR_NO_MEMORY.
 */
int rate_trace_parse(const char *text, size_t size, const char *path, uint64_t **trace_ms,
		     uint64_t *count, struct error *error);

struct capacity {
	struct rate_plan plan;
	uint64_t next_step;      /* steps before this are in force */
	uint64_t rate_bps;       /* now, without a trace */
	uint64_t opportunity;    /* trace: index of the next one, over all repetitions */
	uint64_t spare_bytes;    /* trace: left over from the last one used */
	uint64_t spare_until_ns; /* trace: when that was */
};

void capacity_init(struct capacity *capacity, const struct rate_plan *plan);

/* When the link takes the next packet, from `now_ns` on: at once, or when it goes on. */
uint64_t capacity_begin_ns(struct capacity *capacity, uint64_t now_ns);

/* When a packet that starts at `now_ns` has left the link. */
uint64_t capacity_finish_ns(struct capacity *capacity, uint64_t now_ns, uint32_t len_bytes);

/* Bytes the link could carry in [from, to). */
double capacity_bytes(const struct rate_plan *plan, double from_s, double to_s);

/* The share of them that `bytes` are, 0..1: a packet under way at `from_s` was counted whole. */
double capacity_share(const struct rate_plan *plan, uint64_t bytes, double from_s, double to_s);

#endif
