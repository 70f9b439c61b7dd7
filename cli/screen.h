/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal of a live view: the alternate screen, and keys that come unbuffered, without echo.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include <stdbool.h>
#include <termios.h>

struct screen {
	struct termios before; /* of the terminal, if `keys` */
	bool open, keys;
};

/* Takes the terminal. */
void screen_open(struct screen *screen);

/* Gives it back as it was; a screen that is not open is let be. */
void screen_close(struct screen *screen);

/* Waits for a key for at most `wait_ms`; 0: there was none. */
char screen_key(struct screen *screen, int wait_ms);

/* Shows the first `rows` lines of a text (which is changed), in one write so as not to flicker. */
void screen_show(char *text, int rows);

#endif
