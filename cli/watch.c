/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A run's live view.
 *
 * Interruptions (Ctrl-C, SIGTERM) end the run as anywhere: waiting stops at once,
 * and whoever ends it closes the watch.
 */
#include "cli/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/terminal.h"

#define FRAME_S 0.09  /* between two drawings */
#define SLICE_MS 20   /* longest sleep between two looks at keys and signals */
#define PACE_MAX 1e6

static double seconds_since(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - since->tv_sec) + (double)(now.tv_nsec - since->tv_nsec) / 1e9;
}

int watch_check(const char *text, double *pace, struct error *error)
{
	char *end;

	*pace = text[0] ? strtod(text, &end) : 1;
	if (text[0] && (*end || !(*pace >= 0 && *pace <= PACE_MAX)))
		return error_at(error, ERR_INVALID, NULL, 0, "--watch",
				"%s is no factor of real time; give one from 0 (as fast as it "
				"goes) to %g",
				text, PACE_MAX);
	if (!isatty(STDOUT_FILENO))
		return error_at(error, ERR_UNSUPPORTED, NULL, 0, "--watch",
				"needs a terminal as standard output; use -o and plot instead");
	return 0;
}

int watch_open(struct watch *watch, const struct scenario *scenario, const char *law,
	       uint64_t seed, double pace, struct error *error)
{
	memset(watch, 0, sizeof(*watch));
	if (watch_view_init(&watch->view, scenario, law, seed))
		return error_set(error, ERR_NO_MEMORY, "out of memory");
	watch->view.pace = pace;
	screen_open(&watch->screen);
	watch->open = true;
	clock_gettime(CLOCK_MONOTONIC, &watch->since);
	return 0;
}

void watch_close(struct watch *watch)
{
	if (!watch->open)
		return;
	screen_close(&watch->screen);
	watch_view_free(&watch->view);
	watch->open = false;
}

/* Pacing starts anew here: after a pause, or at another pace. */
static void restart_pace(struct watch *watch)
{
	clock_gettime(CLOCK_MONOTONIC, &watch->since);
	watch->since_s = watch->view.t_s;
}

static void take_key(struct watch *watch, char key)
{
	struct watch_view *view = &watch->view;

	switch (key) {
	case 'q':
	case 'Q':
		watch->quit = true;
		break;
	case ' ':
		view->paused = !view->paused;
		break;
	case '+':
	case '=':
		view->pace = view->pace > 0 ? fmin(view->pace * 2, PACE_MAX) : 0;
		break;
	case '-':
		view->pace = view->pace > 0 ? view->pace / 2 : 64;
		break;
	case 'f':
		view->pace = 0;
		break;
	default:
		return;
	}
	restart_pace(watch);
}

/* Looks at the keys for at most `wait_ms`; returns whether there was one. */
static bool poll_keys(struct watch *watch, int wait_ms)
{
	const char key = screen_key(&watch->screen, wait_ms);

	if (key == 0)
		return false;
	take_key(watch, key);
	return true;
}

/* One write of the whole frame, so that it does not flicker. */
static void draw(struct watch *watch)
{
	const struct watch_size size = {terminal_columns(), terminal_rows(), terminal_is_unicode(),
					true};
	char *text = NULL;
	size_t bytes;
	FILE *frame = open_memstream(&text, &bytes);

	if (frame == NULL)
		return;
	watch_view_draw(&watch->view, frame, &size);
	fclose(frame);
	screen_show(text, size.rows);
	free(text);
	clock_gettime(CLOCK_MONOTONIC, &watch->drawn);
}

/* Real time that is left until simulated time may go on. */
static double ahead_s(const struct watch *watch)
{
	const struct watch_view *view = &watch->view;

	if (view->paused)
		return HUGE_VAL;
	if (view->pace <= 0)
		return 0;
	return (view->t_s - watch->since_s) / view->pace - seconds_since(&watch->since);
}

bool watch_bin(struct watch *watch, const struct sim_moment *moment)
{
	double ahead;

	watch_view_add(&watch->view, moment);
	if (seconds_since(&watch->drawn) >= FRAME_S) {
		while (poll_keys(watch, 0))
			continue;
		draw(watch);
	}
	while (!watch->quit && !command_interrupted() && (ahead = ahead_s(watch)) > 0) {
		const int wait_ms = ahead * 1e3 < SLICE_MS ? (int)(ahead * 1e3) + 1 : SLICE_MS;

		if (poll_keys(watch, wait_ms))
			draw(watch);
	}
	return watch->quit;
}
