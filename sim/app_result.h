/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What applications measure, told with their flow.  Nothing of it was begun,
 * or sent, before warm-up ended, but for connections.
 */
#ifndef SIM_APP_RESULT_H
#define SIM_APP_RESULT_H

#include <stdint.h>

#include "base/sketch.h"

/* Which part of a result an application fills. */
enum sim_app_report {
	SIM_REPORT_DATAGRAMS,
	SIM_REPORT_TRANSFERS,
	SIM_REPORT_PAGES,
	SIM_REPORT_VIDEO
};

/* Datagrams, one way. */
struct sim_datagrams {
	uint64_t received;
	uint64_t lost;              /* sent before the last one that arrived, and did not */
	struct sketch delay_ns;     /* from leaving the sender to arriving */
	double jitter_ns;           /* mean difference of delay between neighbours (RFC 3393) */
};

/* Transfers or pages: things that begin and are done. */
struct sim_tasks {
	uint64_t begun, done;
	uint64_t refused;           /* not begun: too many were open */
	uint64_t bytes;             /* of those done */
	struct sketch time_ns;      /* from beginning to done */
};

struct sim_video {
	uint64_t segments;          /* that arrived */
	uint64_t switches;          /* of bit rate, between segments that follow each other */
	uint64_t stalls;
	double stall_s, played_s;
	double bitrate_mbps;        /* mean over segments that arrived */
	double startup_s;           /* from the start to the first picture; 0: none */
};

/* A flow's connections over the whole of the run. */
struct sim_connections {
	uint64_t opened;
	uint64_t open;              /* at the end */
	uint64_t longest_wait_ns;   /* in which nothing came of what was under way */
};

struct sim_app_result {
	enum sim_app_report report;
	struct sim_connections connections;
	struct sim_datagrams datagrams;
	struct sim_tasks tasks;
	struct sim_video video;
};

#endif
