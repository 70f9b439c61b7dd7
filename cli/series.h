/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time series of a run as CSV, written while it goes on:
 *
 *   queue.csv  t_s,queue,qdelay_ms,backlog_bytes,p_base   queue: L, C, all
 *   flows.csv  t_s,flow,goodput_mbps,rtt_ms
 *
 * t_s is the end of a bin; qdelay_ms (empty when no packet left) and goodput are means over it,
 * the others what stood at its end.
 */
#ifndef CLI_SERIES_H
#define CLI_SERIES_H

#include "base/file.h"
#include "sim/run.h"

struct series {
	struct file_replace queue, flows;
	const char *folder;
	size_t existed; /* bytes of its path that were there before */
};

/* Makes `folder`, whose name outlives the series, when it does not exist. */
int series_open(struct series *series, const char *folder, struct error *error);

void series_write(struct series *series, const struct sim_moment *moment);

/* Both files take their places when `keep`; otherwise they disappear, and so do folders made. */
int series_close(struct series *series, bool keep, struct error *error);

#endif
