/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Texts made from the tables of commands and options: --help, the manual page
 * and tab completion.
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* Options that every command has; they write into `common`.  Ends with a NULL name. */
const struct option *help_common_options(struct command_common *common);

void help_program(FILE *out);
void help_command(FILE *out, const struct command *command);

/* aqmllm(1) in troff. */
void help_manual(FILE *out);

/* Completion for bash. */
void help_completion(FILE *out);

#endif
