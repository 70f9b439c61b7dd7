/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a live view shows, gathered bin by bin and drawn as lines of text.
 */
#ifndef CLI_WATCH_VIEW_H
#define CLI_WATCH_VIEW_H

#include <stdio.h>

#include "sim/run.h"

#define WATCH_HISTORY 256 /* bins, enough for the widest terminal */

/* A flow as it stands, smoothed over about half a second. */
struct watch_flow {
	char name[40];
	double goodput_mbps, rtt_ms, cwnd_bytes;
};

struct watch_view {
	const struct scenario *scenario;
	const char *law;
	uint64_t seed;
	double pace;                  /* simulated seconds a wall second; 0: as fast as it goes */
	bool paused;
	double t_s;
	struct sim_bin bin;           /* the last one */
	double utilisation, goodput_mbps;
	double marks_hz[SIM_QUEUES], drops_hz[SIM_QUEUES];
	double delay_ms[AQM_QUEUES][WATCH_HISTORY], p_base[WATCH_HISTORY];
	uint64_t bins;                /* gathered so far; history is a ring */
	struct watch_flow *flows;     /* (flow_count); owned */
	uint64_t *order;              /* flows by goodput; owned */
	uint64_t flow_count;
};

struct watch_size {
	int columns, rows;
	bool unicode, colour;
};

/* ERR_NO_MEMORY. */
int watch_view_init(struct watch_view *view, const struct scenario *scenario, const char *law,
		    uint64_t seed);
void watch_view_free(struct watch_view *view);

void watch_view_add(struct watch_view *view, const struct sim_moment *moment);

/*
 * Lines, each ended by a line feed: as many and as wide as fit the terminal, if that is at least
 * 80 x 20; whoever has less cuts them.
 */
void watch_view_draw(struct watch_view *view, FILE *out, const struct watch_size *size);

#endif
