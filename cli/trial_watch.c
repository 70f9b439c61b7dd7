/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/trial_watch.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/progress.h"

#define STEPS 100000 /* of the bar */

static bool show_runs(void *context, size_t done, size_t total)
{
	const struct trial_watch *watch = context;
	char text[160], note[64];

	snprintf(note, sizeof(note), "%zu of %zu runs", done, total);
	progress_text(text, sizeof(text), watch->name, (uint64_t)(watch->trial->share * STEPS),
		      STEPS, clock_s() - watch->started_s, note);
	command_progress(watch->common, text, false);
	return command_interrupted();
}

static bool was_stopped(void *context)
{
	(void)context;
	return command_interrupted();
}

void trial_watch_open(struct trial_watch *watch, const struct command_common *common,
		      struct trial *trial, const char *name)
{
	*watch = (struct trial_watch){common, trial, name, clock_s()};
	trial->context = watch;
	trial->progress = show_runs;
	trial->stop = was_stopped;
}
