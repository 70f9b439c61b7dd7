/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Commands: one `cmd_*.c` each, one row in main.c.  Only here is anything
 * printed, and only main() ends the process.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "cli/options.h"

/* Options that every command has. */
struct command_common {
	bool help, json, quiet;
};

struct command {
	const char *name;
	const char *operands;  /* "SCENARIO", "LOG... -o POOL" */
	const char *summary;   /* one line */
	const char *details;   /* paragraphs for --help and the manual; may be NULL */
	const struct option *options; /* ends with a NULL name */
	bool heeds_interrupt; /* looks at command_interrupted(); else command_end_at_once() */
	/*
	 * Operands are what options_parse() left.  Returns 0 or a negative code with `error`
	 * set; the exit status follows from the code.
	 */
	int (*run)(const struct command_common *common, const char **operands, size_t count,
		   struct error *error);
};

/* Every command, ends with NULL: the table in main.c, each row `extern const struct command
 * command_x`. */
extern const struct command *const commands[];

/* Prints a progress line on stderr when it is a terminal (rewritten in place) and not quiet. */
void command_progress(const struct command_common *common, const char *text, bool last);

/*
 * True once the user asked to stop (SIGINT, SIGTERM); commands that heed it end soon then, with
 * ERR_INTERRUPTED.  The second time they end where they are.
 */
bool command_interrupted(void);

/*
 * From now on the first SIGINT or SIGTERM ends the program where it is, with the exit status of an
 * interruption and no file half-written.
 */
void command_end_at_once(void);

/* In the environment of a command that another one runs for itself and speaks for. */
#define COMMAND_STAGE_VARIABLE "AQMLLM_STAGE"

/*
 * Adds to the error of an interrupted command, ERR_INTERRUPTED, how it goes on; not when it is a
 * stage of another command, which says that.  Returns `code`.
 */
int command_goes_on(int code, struct error *error, const char *how);

#endif
