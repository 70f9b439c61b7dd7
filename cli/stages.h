/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Experiments made of commands: each stage is a command that anyone could
 * type, shown before this program runs itself for it.  What was said is kept,
 * for the report.
 */
#ifndef CLI_STAGES_H
#define CLI_STAGES_H

#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"

#define STAGES_WORDS_MAX 48
#define STAGES_NOTES_BYTES 32768

struct stages {
	const struct command_common *common;
	char program[4096];
	char notes[STAGES_NOTES_BYTES];	   /* every stage so far and how long it took */
	char word[STAGES_WORDS_MAX][4200]; /* of the stage to come */
	size_t words;
	bool overflowed;     /* there was no room for a word or for the notes */
	double seconds;	     /* that the last stage took */
	uint64_t peak_bytes; /* most memory it held */
};

/* Finds this program.  `stages` is large: allocate it. */
int stages_init(struct stages *stages, const struct command_common *common, struct error *error);

/* Adds words to the command; the list ends with NULL.  Without room stages_run() refuses. */
void stages_say_list(struct stages *stages, const char *const *words);
#define stages_say(stages, ...) stages_say_list(stages, (const char *const[]){__VA_ARGS__, NULL})

/* Runs the command that was said and forgets it.  ERR_RANGE, ERR_FAILED, ERR_INTERRUPTED. */
int stages_run(struct stages *stages, const char *title, struct error *error);

/* Instead of stages_run(): the command was run before and took this. */
void stages_take_over(struct stages *stages, const char *title, double seconds,
		      uint64_t peak_bytes);

#endif
