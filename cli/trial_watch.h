/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a trial is watched while it runs: a bar by the cost of its runs, and the user's wish to stop.
 */
#ifndef CLI_TRIAL_WATCH_H
#define CLI_TRIAL_WATCH_H

#include "cli/command.h"
#include "cli/trial.h"

struct trial_watch {
	const struct command_common *common;
	const struct trial *trial;
	const char *name; /* before the bar */
	double started_s;
};

/* Sets the trial's context, progress and stop; the watch outlives its runs. */
void trial_watch_open(struct trial_watch *watch, const struct command_common *common,
		      struct trial *trial, const char *name);

#endif
