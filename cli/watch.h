/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Watching a run: a view on the terminal that keys steer, and simulated time paced to real time.
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include <time.h>

#include "cli/screen.h"
#include "cli/watch_view.h"

struct watch {
	struct watch_view view;
	struct screen screen;
	bool open, quit;
	struct timespec drawn;     /* last time */
	struct timespec since;     /* when simulated time was `since_s` */
	double since_s;
};

/*
 * Whether a run can be watched, and how fast: "" is real time, otherwise a factor from 0 (as fast
 * as it goes) to 1e6.  ERR_UNSUPPORTED when standard output is no terminal.
 */
int watch_check(const char *text, double *pace, struct error *error);

/* Takes the terminal. */
int watch_open(struct watch *watch, const struct scenario *scenario, const char *law,
	       uint64_t seed, double pace, struct error *error);

/* A bin more: shows it, waits for its time.  True: the user has seen enough. */
bool watch_bin(struct watch *watch, const struct sim_moment *moment);

/* Gives the terminal back as it was; a watch that is not open is let be. */
void watch_close(struct watch *watch);

#endif
