/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the parts of aqmllm route share.
 */
#ifndef CLI_ROUTE_H
#define CLI_ROUTE_H

#include "cli/command.h"
#include "cli/screen.h"
#include "router/board.h"

/* What the user wants; NULL and 0: not given. */
struct route_options {
	bool demo;
	const char *between, *bridge; /* "ONE,TWO" */
	double rate_mbps, return_mbps, delay_ms, duration_s, warmup_s;
	const char *trace, *aqm, *policy, *log, *pcap, *run, *metrics, *addresses, *flows, *tun,
		*io;
	struct option_list settings;
	const char *device, *verdict;
	struct policy_manner manner;
	uint64_t seed, mtu_bytes, interval;
	bool unguarded, watch;
};

/* The terminal, in a thread of its own. */
struct route_view {
	struct board *board;
	const struct route_options *options;
	struct screen screen;
	pthread_t thread;
	bool open;
	_Atomic bool quit, closing; /* the user has seen enough; the run has ended */
};

int route_view_open(struct route_view *view, struct board *board,
		    const struct route_options *options, struct error *error);
void route_view_close(struct route_view *view);

#endif
