/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a router hangs out what it measures, for threads that show it: the router never waits for
 * them.
 */
#ifndef ROUTER_BOARD_H
#define ROUTER_BOARD_H

#include <pthread.h>

#include "router/monitor.h"

struct board {
	pthread_mutex_t lock;
	struct monitor *copy; /* owned */
	uint64_t version;     /* of the copy; 0: nothing yet */
};

/* ERR_NO_MEMORY. */
int board_open(struct board *board, struct error *error);
void board_close(struct board *board);

/* Hangs out a copy, unless somebody is reading just now: then the last one stays. */
void board_put(struct board *board, const struct monitor *monitor);

/* Copies what hangs there; returns its version. */
uint64_t board_get(struct board *board, struct monitor *monitor);

#endif
