/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a router writes of its packets: the kernel's log and a capture of the managed way, headers
 * only, in the interfaces C, L and dropped.  Times are the wall clock's.
 */
#ifndef CLI_ROUTE_TAPS_H
#define CLI_ROUTE_TAPS_H

#include "base/file.h"
#include "experience/kernel_log.h"
#include "router/path.h"

struct route_taps {
	struct kernel_log_writer *log;  /* NULL: none */
	struct file_replace capture;
	const char *log_path, *pcap_path; /* NULL: none */
	uint64_t year_ns, epoch_ns;     /* the router's time 0, since this year and 1970 began */
	int failed;                     /* code of the first failure; nothing is written after it */
};

/* Opens what is wanted (paths may be NULL); `now_ns` is the router's time now. */
int route_taps_open(struct route_taps *taps, const char *log, const char *pcap, const char *law,
		    uint64_t now_ns, struct error *error);

/* Where a path tells its packets to; empty where nothing is written. */
struct path_sink route_taps_sink(struct route_taps *taps);

/* Files take their places, if all could be written; ERR_IO. */
int route_taps_close(struct route_taps *taps, bool keep, struct error *error);

#endif
