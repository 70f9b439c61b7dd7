/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the user's terminal can show.
 */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>

/* Its width, 40 to 200; 80 when standard output is none. */
int terminal_columns(void);

/* Its height; 24 when standard output is none. */
int terminal_rows(void);

/* The user's locale says UTF-8. */
bool terminal_is_unicode(void);

#endif
