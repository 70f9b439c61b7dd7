/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ctrl-Z and Ctrl-\ are switched off meanwhile, as they would leave the terminal in this state.
 */
#include "cli/screen.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void take_keys(struct screen *screen)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &screen->before) != 0)
		return;
	screen->keys = true;
	raw = screen->before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 0;
	raw.c_cc[VTIME] = 0;
	raw.c_cc[VSUSP] = _POSIX_VDISABLE;
	raw.c_cc[VQUIT] = _POSIX_VDISABLE;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

void screen_open(struct screen *screen)
{
	memset(screen, 0, sizeof(*screen));
	take_keys(screen);
	/* The alternate screen, no cursor, and lines that are cut where they are too long. */
	fputs("\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J", stdout);
	fflush(stdout);
	screen->open = true;
}

void screen_close(struct screen *screen)
{
	if (!screen->open)
		return;
	fputs("\x1b[?7h\x1b[?25h\x1b[?1049l", stdout);
	fflush(stdout);
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
	screen->open = false;
}

char screen_key(struct screen *screen, int wait_ms)
{
	struct pollfd keys = {.fd = STDIN_FILENO, .events = POLLIN};
	char key;

	if (!screen->keys) {
		poll(NULL, 0, wait_ms);
		return 0;
	}
	if (poll(&keys, 1, wait_ms) <= 0)
		return 0;
	if (read(STDIN_FILENO, &key, 1) != 1) {
		screen->keys = false; /* nobody there any more */
		return 0;
	}
	return key;
}

void screen_show(char *text, int rows)
{
	char *line, *rest = text;

	fputs("\x1b[H", stdout);
	for (int row = 0; row < rows && (line = strsep(&rest, "\n")) && rest; row++)
		fprintf(stdout, "%s%s\x1b[K", row ? "\r\n" : "", line);
	fputs("\x1b[J", stdout);
	fflush(stdout);
}
